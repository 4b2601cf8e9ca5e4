-- name: subscription
SELECT s.*, o.connection_id, o.cpo, o.network_group FROM subscription s JOIN offer o ON o.id = s.offer_id WHERE s.id = $1

-- name: lock
SELECT * FROM subscription WHERE id = $1 FOR UPDATE

-- name: lock_live
-- The one that an EMSP has, or waits for.
SELECT * FROM subscription WHERE offer_id = $1 AND emsp = $2 AND state NOT IN ('ENDED', 'REFUSED') FOR UPDATE

-- name: insert
-- Nothing comes back where the id is taken, or the EMSP has the offer already.
INSERT INTO subscription (
    id, offer_id, emsp, state, source, requested_at, wanted_at, starts_at, cancelled_at, ends_at, due_at, began, why, external)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT DO NOTHING RETURNING no

-- name: update
UPDATE subscription SET state = $2, starts_at = $3, cancelled_at = $4, ends_at = $5, due_at = $6, began = $7, why = $8,
    external = coalesce($9, external), source = coalesce($10, source)
WHERE id = $1

-- name: page
SELECT s.*, o.connection_id, o.cpo, o.network_group
FROM subscription s JOIN offer o ON o.id = s.offer_id
WHERE s.no > $7
    AND ($1::text[] IS NULL OR s.emsp = ANY($1) OR o.cpo = ANY($1) OR EXISTS (
        SELECT FROM network_group_member m WHERE m.group_id = o.network_group AND m.party = ANY($1)))
    AND ($2::text IS NULL OR s.offer_id = $2)
    AND ($3::text IS NULL OR s.emsp = $3)
    AND ($4::text IS NULL OR o.cpo = $4 OR EXISTS (
        SELECT FROM network_group_member m WHERE m.group_id = o.network_group AND m.party = $4))
    AND ($5::int IS NULL OR o.connection_id = $5)
    AND ($6::text IS NULL OR s.state = $6)
ORDER BY s.no LIMIT $8
