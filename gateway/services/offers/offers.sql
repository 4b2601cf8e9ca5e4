-- name: offer
SELECT * FROM offer WHERE id = $1

-- name: lock_offer
SELECT * FROM offer WHERE id = $1 FOR UPDATE

-- name: insert_offer
-- Nothing comes back where the id, or the title, is taken.
INSERT INTO offer (id, connection_id, cpo, network_group, title, body, starts_at, ends_at, state, due_at, published_at, external)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT DO NOTHING RETURNING no

-- name: change_draft
UPDATE offer SET connection_id = $2, cpo = $3, network_group = $4, title = $5, body = $6, starts_at = $7, ends_at = $8
WHERE id = $1

-- name: title_taken
-- By another offer that has not ended.
SELECT id FROM offer
WHERE connection_id = $1 AND coalesce(cpo, network_group) = $2 AND title = $3 AND id <> $4 AND state <> 'ENDED'

-- name: set_offer
UPDATE offer SET state = $2, ends_at = $3, due_at = $4, published_at = coalesce(published_at, $5), cancelled_at = $6
WHERE id = $1

-- name: remove_offer
DELETE FROM offer WHERE id = $1

-- name: versions
SELECT offer_id, number, starts_at, terms, due_at, created_at, created_by FROM offer_version
WHERE offer_id = ANY($1::text[]) ORDER BY offer_id, starts_at

-- name: insert_version
-- Its number is the next one where none is given.
INSERT INTO offer_version (offer_id, number, starts_at, terms, due_at, created_at, created_by)
VALUES (
    $1, coalesce($2, (SELECT coalesce(max(number), 0) + 1 FROM offer_version WHERE offer_id = $1)), $3, $4, $5, $6, $7)
RETURNING number

-- name: remove_version
DELETE FROM offer_version WHERE offer_id = $1 AND number = $2

-- name: await_first_version
UPDATE offer_version SET due_at = starts_at WHERE offer_id = $1 AND number = 1

-- name: page
-- $1: the parties for whom somebody speaks, or null for all.
SELECT o.* FROM offer o
WHERE o.id > $5
    AND ($1::text[] IS NULL
        OR o.cpo = ANY($1)
        OR EXISTS (SELECT FROM network_group_member m WHERE m.group_id = o.network_group AND m.party = ANY($1))
        OR o.state <> 'DRAFT' AND (o.body ->> 'audience' IS NULL OR (o.body -> 'audience')::jsonb ?| $1))
    AND ($2::int IS NULL OR o.connection_id = $2)
    AND ($3::text IS NULL OR o.cpo = $3 OR EXISTS (
        SELECT FROM network_group_member m WHERE m.group_id = o.network_group AND m.party = $3))
    AND ($4::text IS NULL OR o.state = $4)
    AND ($7::text IS NULL OR o.body ->> 'document' = $7)
    AND ($8::text IS NULL OR o.id IN (
        SELECT v.offer_id FROM offer_version v
        WHERE v.terms::jsonb @> jsonb_build_object('evse_groups', jsonb_build_array($8::text))))
ORDER BY o.id LIMIT $6

-- name: subscription_counts
SELECT offer_id, state, count(*) AS count FROM subscription WHERE offer_id = ANY($1::text[]) GROUP BY offer_id, state

-- name: ours
-- Which offers ($1) are of CPOs of this gateway.
SELECT o.id FROM offer o
WHERE o.id = ANY($1::text[]) AND EXISTS (
    SELECT FROM party p WHERE (p.body -> 'roles')::jsonb ? 'CPO' AND (p.id = o.cpo OR EXISTS (
        SELECT FROM network_group_member m WHERE m.group_id = o.network_group AND m.party = p.id)))

-- name: set_hub_ids
UPDATE offer SET hub_ids = $2 WHERE id = $1

-- name: history
SELECT at, who, action, subject, detail FROM audit
WHERE subject = 'offer/' || $1
    OR subject IN (SELECT 'subscription/' || s.id FROM subscription s WHERE s.offer_id = $1)
ORDER BY id
