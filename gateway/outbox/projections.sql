-- name: contest
-- Marks the EVSEs that share their EvseID with another. That writes the other's row, so that a report under way for it
-- notices; once marked, every report of such an EVSE decides anew who is sent.
UPDATE evse e SET contested = true
FROM (SELECT evse_key FROM evse WHERE evse_key = ANY($1::text[]) GROUP BY evse_key HAVING count(*) > 1) AS k
WHERE e.evse_key = k.evse_key AND NOT e.contested

-- name: lock_places
-- The projections that speak of some objects now, or that are wanted, locked until the transaction ends. Whoever locks
-- projections does it in this order, and after the rows of `evse`.
SELECT p.connection_id, p.key, p.operation, p.lane, p.follows_status, p.shared
FROM (
    SELECT connection_id, key, operation FROM projection WHERE location_no = ANY($2::bigint[])
    UNION
    SELECT connection_id, key, operation FROM projection WHERE tariff_no = ANY($3::bigint[])
    UNION
    SELECT connection_id, key, operation FROM projection WHERE driver_token_no = ANY($4::bigint[])
    UNION
    SELECT * FROM unnest($5::int[], $6::text[], $7::text[])
) n JOIN projection p USING (connection_id, key, operation)
WHERE p.connection_id = ANY($1::int[])
ORDER BY p.evse_no NULLS FIRST, p.connection_id, p.key, p.operation
FOR UPDATE OF p

-- name: lock_shared
-- The projections of some shared keys, locked in the same order.
SELECT p.connection_id, p.key, p.operation, p.lane, p.follows_status, p.shared
FROM connection c JOIN projection p ON p.connection_id = c.id AND p.key = ANY($1::text[])
WHERE p.shared AND NOT p.gone
ORDER BY p.evse_no NULLS FIRST, p.connection_id, p.key, p.operation
FOR UPDATE OF p

-- name: winners
-- Of the EVSEs that claim a shared key at a connection: the newest that is not REMOVED, ties to the smaller location id.
SELECT DISTINCT ON (claim, e.evse_key)
    claim AS connection_id, e.evse_key AS key, e.no AS evse_no, e.location_no, e.uid AS evse_uid
FROM evse e, unnest(e.claims) AS claim
WHERE e.evse_key = ANY($1::text[]) AND NOT e.removed
ORDER BY claim, e.evse_key, e.status_at DESC, e.location_id, e.party, e.uid

-- name: want
-- Writes what is wanted. A row that is there already is raised when its content changed ($14) or another EVSE won its key.
-- Gives the shared ones that somebody else wrote since they were looked for ($13 tells which were found).
WITH input AS MATERIALIZED (
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
        $8::bigint[], $9::text[], $10::boolean[], $11::boolean[], $12::boolean[], $13::boolean[])
        AS i(connection_id, key, operation, lane, location_no, evse_no, tariff_no, driver_token_no, evse_uid,
            follows_status, shared, held, found)
), written AS (
    INSERT INTO projection AS p (
        connection_id, key, operation, lane, location_no, evse_no, tariff_no, driver_token_no, evse_uid,
        follows_status, shared, held, pending)
    SELECT i.connection_id, i.key, i.operation, i.lane, i.location_no, i.evse_no, i.tariff_no,
        i.driver_token_no, i.evse_uid, i.follows_status, i.shared, i.held, NOT i.held
    FROM input i ORDER BY i.evse_no NULLS FIRST, i.connection_id, i.key, i.operation
    ON CONFLICT (connection_id, key, operation) DO UPDATE SET
        lane = excluded.lane,
        location_no = excluded.location_no,
        evse_no = excluded.evse_no,
        tariff_no = excluded.tariff_no,
        driver_token_no = excluded.driver_token_no,
        evse_uid = excluded.evse_uid,
        follows_status = excluded.follows_status,
        shared = excluded.shared,
        wanted = p.wanted + 1,
        gone = false,
        refused = false,
        shadowed = false,
        -- What comes back waits again for the operation that it follows, which has to accept the key anew.
        held = CASE WHEN p.gone THEN excluded.held ELSE p.held END,
        pending = NOT CASE WHEN p.gone THEN excluded.held ELSE p.held END,
        due_at = CASE WHEN p.pending THEN p.due_at ELSE now() END,
        since = CASE WHEN p.pending THEN p.since ELSE now() END
    WHERE $14 OR p.gone OR p.evse_no IS DISTINCT FROM excluded.evse_no
    RETURNING p.connection_id, p.key, p.operation, p.shared, p.xmax = 0 AS inserted
)
SELECT w.connection_id, w.key, w.operation
FROM written w JOIN input i USING (connection_id, key, operation)
WHERE w.shared AND NOT w.inserted AND NOT i.found

-- name: unwant
-- What no object stands for any more is to be deleted at the hub; what the hub was never offered is forgotten at once.
WITH input AS (
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[]) AS i(connection_id, key, operation)
), forgotten AS (
    DELETE FROM projection p USING input i
    WHERE p.connection_id = i.connection_id AND p.key = i.key AND p.operation = i.operation
        AND p.held AND p.sent_as IS NULL
)
UPDATE projection p SET
    gone = true,
    held = false,
    refused = false,
    shadowed = false,
    pending = true,
    wanted = p.wanted + 1,
    due_at = CASE WHEN p.pending THEN p.due_at ELSE now() END,
    since = CASE WHEN p.pending THEN p.since ELSE now() END
FROM input i
WHERE p.connection_id = i.connection_id AND p.key = i.key AND p.operation = i.operation
    AND NOT (p.held AND p.sent_as IS NULL) AND NOT p.gone
