-- name: put
-- One older than what was pushed before changes nothing, and gives no row.
INSERT INTO token AS t (connection_id, party, type, uid, uid_key, contract_key, listed, body, last_updated)
VALUES ($1, $2, $3, $4, $5, $6, true, $7, $8)
ON CONFLICT (connection_id, party, type, uid_key) DO UPDATE SET
    uid = excluded.uid,
    contract_key = excluded.contract_key,
    listed = true,
    body = excluded.body,
    last_updated = excluded.last_updated,
    seen_at = now()
WHERE NOT t.listed OR t.last_updated <= excluded.last_updated
RETURNING xmax = 0 AS is_new

-- name: see
-- Tokens that hubs told of in an answer. What an EMSP pushed stands above it. In the order of the keys, so that two
-- writers wait for each other instead of crossing.
INSERT INTO token AS t (connection_id, party, type, uid, uid_key, contract_key, listed, body, last_updated)
SELECT DISTINCT ON (connection_id, party, type, uid_key)
    connection_id, party, type, uid, uid_key, contract_key, false, body, last_updated
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::json[], $8::timestamptz[])
    AS i(connection_id, party, type, uid, uid_key, contract_key, body, last_updated)
ORDER BY connection_id, party, type, uid_key, last_updated DESC
ON CONFLICT (connection_id, party, type, uid_key) DO UPDATE SET
    uid = excluded.uid,
    contract_key = excluded.contract_key,
    body = excluded.body,
    last_updated = excluded.last_updated,
    seen_at = now()
WHERE NOT t.listed AND t.last_updated <= excluded.last_updated

-- name: get
SELECT body FROM token WHERE connection_id = $1 AND party = $2 AND type = $3 AND uid_key = $4 AND listed

-- name: page
SELECT c.name AS connection, t.connection_id, t.party, t.type, t.uid_key, t.listed, t.seen_at, t.body
FROM token t JOIN connection c ON c.id = t.connection_id
WHERE ($1::text IS NULL OR c.name = $1) AND ($2::text IS NULL OR t.party = $2) AND ($3::text IS NULL OR t.uid_key = $3)
    AND (t.connection_id, t.party, t.type, t.uid_key) > ($4, $5, $6, $7)
ORDER BY t.connection_id, t.party, t.type, t.uid_key LIMIT $8

-- name: parties
SELECT id FROM party WHERE $1::text[] IS NULL OR id = ANY($1)
