-- name: stored_keys
-- The projections that speak of some objects now.
SELECT connection_id, key, operation, lane, follows_status, shared
FROM projection
WHERE location_no = ANY($1::bigint[]) OR tariff_no = ANY($2::bigint[])

-- name: winners
-- Of the EVSEs that claim a shared key at a connection: the newest that is not REMOVED, ties to the smaller location id.
SELECT DISTINCT ON (claim, e.evse_key)
    claim AS connection_id, e.evse_key AS key, e.no AS evse_no, e.location_no, e.uid AS evse_uid, e.status_at
FROM evse e, unnest(e.claims) AS claim
WHERE e.evse_key = ANY($1::text[]) AND NOT e.removed
ORDER BY claim, e.evse_key, e.status_at DESC, e.location_id, e.party, e.uid

-- name: want
-- Writes what is wanted. A row that is there already is raised when its content changed ($12) or another EVSE won its key.
INSERT INTO projection AS p (
    connection_id, key, operation, lane, location_no, evse_no, tariff_no, evse_uid, follows_status, shared,
    held, pending)
SELECT i.connection_id, i.key, i.operation, i.lane, i.location_no, i.evse_no, i.tariff_no, i.evse_uid, i.follows_status,
    i.shared, i.held, NOT i.held
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[],
    $9::boolean[], $10::boolean[], $11::boolean[])
    AS i(connection_id, key, operation, lane, location_no, evse_no, tariff_no, evse_uid, follows_status, shared, held)
ORDER BY i.connection_id, i.key, i.operation
ON CONFLICT (connection_id, key, operation) DO UPDATE SET
    lane = excluded.lane,
    location_no = excluded.location_no,
    evse_no = excluded.evse_no,
    tariff_no = excluded.tariff_no,
    evse_uid = excluded.evse_uid,
    follows_status = excluded.follows_status,
    shared = excluded.shared,
    wanted = p.wanted + 1,
    gone = false,
    refused = false,
    shadowed = false,
    pending = NOT p.held,
    due_at = CASE WHEN p.pending THEN p.due_at ELSE now() END,
    since = CASE WHEN p.pending THEN p.since ELSE now() END
WHERE $12 OR p.gone OR p.evse_no IS DISTINCT FROM excluded.evse_no

-- name: unwant
-- What no object stands for any more is to be deleted at the hub; what the hub was never offered is forgotten at once.
WITH input AS (
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[]) AS i(connection_id, key, operation)
), forgotten AS (
    DELETE FROM projection p USING input i
    WHERE p.connection_id = i.connection_id AND p.key = i.key AND p.operation = i.operation AND p.held
)
UPDATE projection p SET
    gone = true,
    refused = false,
    shadowed = false,
    pending = true,
    wanted = p.wanted + 1,
    due_at = CASE WHEN p.pending THEN p.due_at ELSE now() END,
    since = CASE WHEN p.pending THEN p.since ELSE now() END
FROM input i
WHERE p.connection_id = i.connection_id AND p.key = i.key AND p.operation = i.operation AND NOT p.held AND NOT p.gone
