-- name: get
SELECT body, driver, revision, updated_at, withdrawn_at FROM driver_token
WHERE party = $1 AND type = $2 AND uid_key = $3

-- name: all
SELECT party, type, uid_key, body, driver, revision, updated_at, withdrawn_at FROM driver_token
WHERE ($1::text[] IS NULL OR party = ANY($1)) AND (party, type, uid_key) > ($2, $3, $4)
ORDER BY party, type, uid_key LIMIT $5

-- name: narrowed
-- By a uid, contract or driver: few rows, found by their own index, put in order after that.
SELECT party, type, uid_key, body, driver, revision, updated_at, withdrawn_at FROM (
    SELECT * FROM driver_token WHERE uid_key = $6
    UNION ALL
    SELECT * FROM driver_token WHERE $6::text IS NULL AND contract_key = $7
    UNION ALL
    SELECT * FROM driver_token WHERE $6::text IS NULL AND $7::text IS NULL AND driver = $8
) t
WHERE ($1::text[] IS NULL OR party = ANY($1)) AND (party, type, uid_key) > ($2, $3, $4)
    AND ($7::text IS NULL OR contract_key = $7) AND ($8::text IS NULL OR driver = $8)
ORDER BY party, type, uid_key LIMIT $5

-- name: lock_of_driver
-- Every token of a driver ($2) or a contract ($3) of a party, locked in the order of the keys.
SELECT no, party, type, uid, uid_key, driver, valid, body, last_updated FROM driver_token
WHERE party = $1 AND (driver = $2 OR contract_key = $3) AND withdrawn_at IS NULL
ORDER BY type, uid_key FOR UPDATE

-- name: audit
INSERT INTO audit (who, action, subject, detail) VALUES ($1, $2, $3, $4)

-- name: issues
SELECT c.name AS connection, s.operation, s.key, s.issues
FROM driver_token t
JOIN projection p ON p.driver_token_no = t.no
JOIN issue s USING (connection_id, key, operation)
JOIN connection c ON c.id = p.connection_id
WHERE t.party = $1 AND t.type = $2 AND t.uid_key = $3
ORDER BY c.name, s.operation, s.key

-- name: count
-- For a hub that pulls: of some parties, within dates ($4: withdrawn ones too, which are not valid then).
SELECT count(*) FROM driver_token
WHERE ($1::text[] IS NULL OR party = ANY($1)) AND ($4 OR withdrawn_at IS NULL)
    AND last_updated >= coalesce($2::timestamptz, '-infinity') AND last_updated < coalesce($3::timestamptz, 'infinity')

-- name: page
-- In the order of the numbers, which no change moves. $5: the number after which the page begins, where that is known.
SELECT no, body FROM driver_token
WHERE ($1::text[] IS NULL OR party = ANY($1)) AND ($4 OR withdrawn_at IS NULL)
    AND last_updated >= coalesce($2::timestamptz, '-infinity') AND last_updated < coalesce($3::timestamptz, 'infinity')
    AND no > $5
ORDER BY no OFFSET $6 LIMIT $7

-- name: page_dated
-- Of the few that changed within dates: found by these, and put in order after that.
WITH changed AS MATERIALIZED (
    SELECT no, body FROM driver_token
    WHERE last_updated >= coalesce($2::timestamptz, '-infinity') AND last_updated < coalesce($3::timestamptz, 'infinity')
        AND ($1::text[] IS NULL OR party = ANY($1)) AND ($4 OR withdrawn_at IS NULL) AND no > $5
)
SELECT no, body FROM changed ORDER BY no OFFSET $6 LIMIT $7
