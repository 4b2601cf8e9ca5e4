-- name: lock_locations
-- What is stored of some locations, locked in the order of their keys until the transaction ends.
SELECT l.no, l.party, l.location_id, l.digest, l.revision, l.withdrawn_at, l.body, l.issues,
    (SELECT array_agg(e.uid) FROM evse e WHERE e.location_no = l.no) AS uids
FROM location l
WHERE (l.party, l.location_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY l.party, l.location_id
FOR UPDATE OF l

-- name: write_locations
INSERT INTO location AS l (party, location_id, body, digest, issues, place, last_updated, withdrawn_at)
SELECT i.party, i.location_id, i.body, i.digest, i.issues, point(i.longitude, i.latitude), i.last_updated, i.withdrawn_at
FROM unnest($1::text[], $2::text[], $3::json[], $4::bytea[], $5::json[], $6::float8[], $7::float8[], $8::timestamptz[],
    $9::timestamptz[])
    AS i(party, location_id, body, digest, issues, longitude, latitude, last_updated, withdrawn_at)
ORDER BY i.party, i.location_id
ON CONFLICT (party, location_id) DO UPDATE SET
    body = excluded.body,
    digest = excluded.digest,
    issues = excluded.issues,
    place = excluded.place,
    last_updated = greatest(l.last_updated, excluded.last_updated),
    withdrawn_at = excluded.withdrawn_at,
    revision = l.revision + 1,
    updated_at = now()
RETURNING l.no, l.party, l.location_id, l.xmax = 0 AS inserted

-- name: write_evses
-- A status older than the stored one leaves it, unless the EVSE is removed or comes back.
INSERT INTO evse AS e (location_no, party, location_id, uid, evse_key, claims, status, status_at, changed_on, removed)
SELECT i.location_no, l.party, l.location_id, i.uid, i.evse_key, string_to_array(i.claims, ',')::int[], i.status, i.status_at,
    i.status_at::date, i.status = 'REMOVED'
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
    AS i(location_no, uid, evse_key, claims, status, status_at)
JOIN location l ON l.no = i.location_no
ORDER BY l.party, l.location_id, i.uid
ON CONFLICT (party, location_id, uid) DO UPDATE SET
    evse_key = excluded.evse_key,
    claims = excluded.claims,
    status = CASE WHEN excluded.status_at >= e.status_at OR excluded.removed OR e.removed
        THEN excluded.status ELSE e.status END,
    status_at = greatest(e.status_at, excluded.status_at),
    changed_on = greatest(e.status_at, excluded.status_at)::date,
    removed = excluded.removed
RETURNING e.no, e.location_no, e.uid

-- name: lock_location_nos
SELECT FROM location WHERE no = ANY($1::bigint[]) ORDER BY party, location_id FOR UPDATE

-- name: claim_evses
UPDATE evse e SET claims = string_to_array(i.claims, ',')::int[]
FROM unnest($1::bigint[], $2::text[]) AS i(no, claims)
WHERE e.no = i.no AND e.claims IS DISTINCT FROM string_to_array(i.claims, ',')::int[]

-- name: lock_tariffs
SELECT t.no, t.party, t.tariff_id, t.target, t.digest, t.revision, t.withdrawn_at
FROM tariff t
WHERE (t.party, t.tariff_id, t.target) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
ORDER BY t.party, t.tariff_id, t.target
FOR UPDATE

-- name: write_tariffs
INSERT INTO tariff AS t (party, tariff_id, target, body, digest, issues, last_updated)
SELECT i.party, i.tariff_id, i.target, i.body, i.digest, i.issues, i.last_updated
FROM unnest($1::text[], $2::text[], $3::text[], $4::json[], $5::bytea[], $6::json[], $7::timestamptz[])
    AS i(party, tariff_id, target, body, digest, issues, last_updated)
ORDER BY i.party, i.tariff_id, i.target
ON CONFLICT (party, tariff_id, target) DO UPDATE SET
    body = excluded.body,
    digest = excluded.digest,
    issues = excluded.issues,
    last_updated = greatest(t.last_updated, excluded.last_updated),
    withdrawn_at = NULL,
    revision = t.revision + 1,
    updated_at = now()
RETURNING t.no, t.party, t.tariff_id, t.target, t.xmax = 0 AS inserted

-- name: evses_to_remove
-- The locations, locked, of the EVSEs that a report of REMOVED names, with the present statuses of all their EVSEs.
-- $1 party, $2 location id, $3 uid; or $4 an EvseID's normal form; among the parties $5.
SELECT l.body, l.issues,
    ARRAY(SELECT e.uid FROM evse e WHERE e.location_no = l.no ORDER BY e.no) AS uids,
    ARRAY(SELECT e.status FROM evse e WHERE e.location_no = l.no ORDER BY e.no) AS statuses,
    ARRAY(SELECT e.status_at FROM evse e WHERE e.location_no = l.no ORDER BY e.no) AS status_ats,
    ARRAY(SELECT e.uid FROM evse e WHERE e.no = ANY(n.nos) ORDER BY e.no) AS named,
    ARRAY(SELECT e.status_at FROM evse e WHERE e.no = ANY(n.nos) ORDER BY e.no) AS named_at
FROM (
    SELECT e.location_no, array_agg(e.no) AS nos FROM evse e
    WHERE e.party = $1 AND e.location_id = $2 AND e.uid = $3 AND $4::text IS NULL
        AND ($5::text[] IS NULL OR e.party = ANY($5))
    GROUP BY e.location_no
    UNION ALL
    SELECT e.location_no, array_agg(e.no) FROM evse e
    WHERE e.evse_key = $4 AND ($5::text[] IS NULL OR e.party = ANY($5))
    GROUP BY e.location_no
) n JOIN location l ON l.no = n.location_no
ORDER BY l.party, l.location_id FOR UPDATE OF l

-- name: withdraw_tariff
UPDATE tariff SET withdrawn_at = $4, last_updated = greatest(last_updated, $4), revision = revision + 1, updated_at = now()
WHERE party = $1 AND tariff_id = $2 AND target = $3 AND withdrawn_at IS NULL
RETURNING no, body

-- name: location
SELECT l.party, l.location_id, l.body, l.revision, l.updated_at, l.last_updated, l.withdrawn_at, l.issues,
    array_agg(e.uid) AS uids, array_agg(e.status) AS statuses, array_agg(e.status_at) AS status_ats
FROM location l LEFT JOIN evse e ON e.location_no = l.no
WHERE l.party = $1 AND l.location_id = $2
GROUP BY l.no

-- name: locations_by_no
SELECT l.no, l.party, l.location_id, l.body, l.last_updated, l.withdrawn_at,
    array_agg(e.uid) AS uids, array_agg(e.status) AS statuses, array_agg(e.status_at) AS status_ats,
    array_agg(e.no) AS evse_nos
FROM location l LEFT JOIN evse e ON e.location_no = l.no
WHERE l.no = ANY($1::bigint[])
GROUP BY l.no

-- name: locations_after
-- A page in the order of the keys; $1 null for all parties.
SELECT l.body::text AS body, l.revision, l.updated_at, l.withdrawn_at,
    array_agg(e.uid) AS uids, array_agg(e.status) AS statuses, array_agg(e.status_at) AS status_ats
FROM (
    SELECT * FROM location
    WHERE ($1::text[] IS NULL OR party = ANY($1)) AND (party, location_id) > ($2, $3)
    ORDER BY party, location_id LIMIT $4
) l LEFT JOIN evse e ON e.location_no = l.no
GROUP BY l.no, l.party, l.location_id, l.body::text, l.revision, l.updated_at, l.withdrawn_at
ORDER BY l.party, l.location_id

-- name: location_nos_after
SELECT no FROM location WHERE no > $1 ORDER BY no LIMIT $2

-- name: lock_tariff_nos
SELECT FROM tariff WHERE no = ANY($1::bigint[]) ORDER BY party, tariff_id, target FOR UPDATE

-- name: tariff_nos_after
SELECT no FROM tariff WHERE no > $1 ORDER BY no LIMIT $2

-- name: tariffs_by_no
SELECT no, body, revision, updated_at, withdrawn_at, party, tariff_id, target FROM tariff WHERE no = ANY($1::bigint[])

-- name: tariff
SELECT no, body, revision, updated_at, withdrawn_at, party, tariff_id, target
FROM tariff WHERE party = $1 AND tariff_id = $2 AND target = $3

-- name: tariffs_after
SELECT no, body, revision, updated_at, withdrawn_at, party, tariff_id, target FROM tariff
WHERE ($1::text[] IS NULL OR party = ANY($1)) AND (party, tariff_id, target) > ($2, $3, $4)
ORDER BY party, tariff_id, target LIMIT $5

-- name: lock_driver_tokens
-- Locked in the order of their keys until the transaction ends.
SELECT no, party, type, uid, uid_key, digest, revision, withdrawn_at, last_updated
FROM driver_token
WHERE (party, type, uid_key) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
ORDER BY party, type, uid_key
FOR UPDATE

-- name: write_driver_tokens
-- A token keeps the spelling of the uid under which hubs know it.
INSERT INTO driver_token AS t
    (party, type, uid, uid_key, contract_key, driver, valid, body, digest, last_updated, withdrawn_at)
SELECT i.party, i.type, i.uid, i.uid_key, i.contract_key, i.driver, i.valid, i.body, i.digest, i.last_updated, i.withdrawn_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::json[], $9::bytea[],
    $10::timestamptz[], $11::timestamptz[])
    AS i(party, type, uid, uid_key, contract_key, driver, valid, body, digest, last_updated, withdrawn_at)
ORDER BY i.party, i.type, i.uid_key
ON CONFLICT (party, type, uid_key) DO UPDATE SET
    contract_key = excluded.contract_key,
    driver = excluded.driver,
    valid = excluded.valid,
    body = excluded.body,
    digest = excluded.digest,
    last_updated = excluded.last_updated,
    withdrawn_at = excluded.withdrawn_at,
    revision = t.revision + 1,
    updated_at = now()
RETURNING t.no, t.party, t.type, t.uid_key, t.xmax = 0 AS inserted

-- name: driver_tokens_by_no
SELECT no, body, withdrawn_at FROM driver_token WHERE no = ANY($1::bigint[])

-- name: lock_driver_token_nos
SELECT FROM driver_token WHERE no = ANY($1::bigint[]) ORDER BY party, type, uid_key FOR UPDATE

-- name: driver_token_nos_after
SELECT no FROM driver_token WHERE no > $1 AND withdrawn_at IS NULL ORDER BY no LIMIT $2

-- name: projected_driver_tokens
-- Those of which a connection has projections.
SELECT DISTINCT driver_token_no AS no FROM projection
WHERE connection_id = $3 AND driver_token_no > $1 AND NOT gone ORDER BY driver_token_no LIMIT $2
