-- name: views
SELECT connection_id, cpo, views FROM agreed_view

-- name: claim
-- Takes a network over ($1, $2) for a time ($3), unless somebody has it; gives what was told of it.
INSERT INTO agreed_view AS v (connection_id, cpo, claimed_until)
SELECT $1, $2, clock_timestamp() + $3::interval WHERE EXISTS (SELECT FROM connection c WHERE c.id = $1)
ON CONFLICT (connection_id, cpo) DO UPDATE SET claimed_until = excluded.claimed_until
WHERE v.claimed_until < clock_timestamp()
RETURNING v.views

-- name: keep
UPDATE agreed_view SET claimed_until = clock_timestamp() + $3::interval WHERE connection_id = $1 AND cpo = $2

-- name: told
UPDATE agreed_view SET views = $3, claimed_until = '-infinity', told_at = now() WHERE connection_id = $1 AND cpo = $2

-- name: doubt
-- Says of some of a network that nobody knows what was told: it is told anew, though it may be as before by then.
UPDATE agreed_view SET views = $3 WHERE connection_id = $1 AND cpo = $2

-- name: release
UPDATE agreed_view SET claimed_until = '-infinity' WHERE connection_id = $1 AND cpo = $2

-- name: tell
-- Names some entries ($5 locations) of a network ($1, $2), from a location ($3) on, as seen otherwise by EMSPs ($4). Keeps
-- the claim ($6).
WITH place AS MATERIALIZED (
    SELECT l.no, lower(l.location_id) AS id FROM catalogue_location l
    WHERE l.connection_id = $1 AND lower(l.location_id) > $3 AND l.party = $2 AND l.withdrawn_at IS NULL
    ORDER BY lower(l.location_id) LIMIT $5
), named AS (
    INSERT INTO catalogue_change (keys, emsps)
    SELECT array_agg(DISTINCT e.evse_key), $4 FROM place p JOIN catalogue_evse e ON e.location_no = p.no
    WHERE NOT e.removed HAVING count(*) > 0
    RETURNING cardinality(keys) AS many
), kept AS (
    UPDATE agreed_view SET claimed_until = clock_timestamp() + $6::interval WHERE connection_id = $1 AND cpo = $2
)
SELECT max(p.id) AS last, coalesce((SELECT many FROM named), 0) AS many FROM place p

-- name: targeted
-- Own tariffs of a CPO ($1) that are for one of some EMSPs ($2), for any where that is null.
SELECT no FROM tariff
WHERE no > $3 AND party = $1 AND target <> '' AND withdrawn_at IS NULL AND ($2::text[] IS NULL OR target = ANY($2))
ORDER BY no LIMIT $4
