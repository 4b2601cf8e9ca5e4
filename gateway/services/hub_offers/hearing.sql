-- name: find
-- What a hub's offer ($2) of a CPO ($3) is here: by its id, or the id of the version before or after it ($4), or where we
-- keep it ($6) by its title ($5). The first is the nearest.
SELECT o.*, (o.external = $2 OR o.hub_ids ->> 'offer' = $2) IS TRUE AS by_id
FROM offer o
WHERE o.connection_id = $1 AND o.state <> 'DRAFT' AND (
    o.external = $2 OR o.hub_ids ->> 'offer' = $2 OR o.hub_ids ->> 'offer' = ANY($4::text[])
    OR $6 AND o.cpo = $3 AND o.title = $5 AND o.external IS NULL AND o.state <> 'ENDED')
ORDER BY by_id DESC, o.hub_ids ->> 'offer' = ANY($4::text[]) DESC NULLS LAST, o.no LIMIT 1

-- name: subscriptions
SELECT * FROM subscription WHERE offer_id = $1 ORDER BY no

-- name: title_taken
SELECT EXISTS (SELECT FROM offer WHERE connection_id = $1 AND cpo = $2 AND title = $3 AND state <> 'ENDED')

-- name: seen
UPDATE offer SET seen_at = $2, hub_ids = coalesce($3, hub_ids), told = greatest(told, $4),
    unanswered = CASE WHEN $3::json IS NULL THEN unanswered END
WHERE id = $1

-- name: busy
-- Whether a hub is being told of an offer ($1: the key of its messages), or was since a moment.
SELECT EXISTS (
    SELECT FROM delivery d
    WHERE d.key = $1 AND starts_with(d.key, 'offers/') AND d.destination = $2
        AND (d.state = 'pending' OR d.settled_at >= $3))

-- name: write_group
INSERT INTO evse_group AS g (id, party, name, description) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, updated_at = now() WHERE g.name <> excluded.name

-- name: write_tariffs
-- Prices of an offer, which no feed of tariffs takes away.
INSERT INTO catalogue_tariff AS t (connection_id, party, tariff_id, target, body, digest, last_updated, pushed_at)
SELECT $1, i.party, i.tariff_id, '', i.body, i.digest, i.at, 'infinity'
FROM unnest($2::text[], $3::text[], $4::json[], $5::bytea[], $6::timestamptz[]) AS i(party, tariff_id, body, digest, at)
ORDER BY i.party, lower(i.tariff_id)
ON CONFLICT (connection_id, party, lower(tariff_id), target) DO UPDATE SET
    body = excluded.body, digest = excluded.digest, last_updated = excluded.last_updated, withdrawn_at = NULL
WHERE (t.digest, t.withdrawn_at IS NULL) IS DISTINCT FROM (excluded.digest, true)

-- name: add_audience
UPDATE offer SET body = $2 WHERE id = $1

-- name: held
-- What was read at a connection, or told there, before a moment ($2), and is not over.
SELECT o.no, o.id, o.cpo, o.external IS NOT NULL AS theirs, o.state FROM offer o
WHERE o.connection_id = $1 AND o.state IN ('PUBLISHED', 'CANCELLED') AND o.created_at < $2
    AND (o.external IS NOT NULL OR o.hub_ids ->> 'offer' IS NOT NULL)

-- name: held_subscriptions
SELECT s.* FROM subscription s JOIN offer o ON o.id = s.offer_id
WHERE o.connection_id = $1 AND s.source = 'hub' AND s.state NOT IN ('ENDED', 'REFUSED') AND s.created_at < $2

-- name: forget_drift
-- What was only there, and was not seen there since a moment.
DELETE FROM offer_drift WHERE connection_id = $1 AND kind = 'ONLY_THERE' AND last_seen_at < $2

-- name: numbers
SELECT s.no, s.external FROM subscription s WHERE s.offer_id = $1

-- name: members
-- Which EVSEs ($2) are in their groups ($1) already, and which groups are not known.
SELECT i.n, m.no, EXISTS (SELECT FROM evse_group g WHERE g.id = i.group_id) AS known
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS i(group_id, evse_key, n)
LEFT JOIN evse_group_member m ON m.group_id = i.group_id AND m.evse_key = i.evse_key

-- name: add_members
INSERT INTO evse_group_member (group_id, evse_key, evse_id)
SELECT i.group_id, i.evse_key, i.evse_id FROM unnest($1::text[], $2::text[], $3::text[]) AS i(group_id, evse_key, evse_id)
JOIN evse_group g ON g.id = i.group_id
ON CONFLICT DO NOTHING RETURNING no, group_id

-- name: all_members
SELECT m.no FROM evse_group_member m JOIN evse_group g ON g.id = m.group_id WHERE starts_with(g.id, $1)

-- name: remove_members
DELETE FROM evse_group_member WHERE no = ANY($1::bigint[]) RETURNING group_id

-- name: count_members
UPDATE evse_group g SET revision = revision + 1, updated_at = now(),
    evses = (SELECT count(*) FROM evse_group_member m WHERE m.group_id = g.id)
WHERE id = ANY($1::text[])
