-- name: networks
SELECT id, name FROM network_group WHERE id > $1 ORDER BY id LIMIT $2

-- name: network
SELECT id, name FROM network_group WHERE id = $1

-- name: network_members
SELECT group_id, party, since, until FROM network_group_member WHERE group_id = ANY($1::text[])
ORDER BY group_id, since, party

-- name: write_network
INSERT INTO network_group (id, name) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, updated_at = now()
RETURNING xmax = 0

-- name: drop_members
DELETE FROM network_group_member m WHERE group_id = $1 AND NOT EXISTS (
    SELECT FROM unnest($2::text[], $3::timestamptz[]) AS k(party, since) WHERE k.party = m.party AND k.since = m.since)

-- name: write_members
-- Of a member whose end is the same, what is due stays as it is: it was told, or is to be.
INSERT INTO network_group_member (group_id, party, since, until, due_at)
SELECT $1, * FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
ON CONFLICT (group_id, party, since) DO UPDATE SET until = excluded.until, due_at = excluded.due_at
WHERE network_group_member.until IS DISTINCT FROM excluded.until

-- name: offers_of_network
SELECT id, connection_id, state FROM offer WHERE network_group = $1 ORDER BY no

-- name: remove_network
DELETE FROM network_group WHERE id = $1

-- name: groups
SELECT id, party, name, description, evses FROM evse_group
WHERE id > $2 AND ($1::text[] IS NULL OR party = ANY($1)) ORDER BY id LIMIT $3

-- name: group
SELECT id, party, name, description, evses FROM evse_group WHERE id = $1

-- name: lock_group
SELECT id, party, name, description, evses FROM evse_group WHERE id = $1 FOR UPDATE

-- name: write_group
INSERT INTO evse_group (id, party, name, description) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, updated_at = now()

-- name: members
SELECT evse_key, evse_id FROM evse_group_member WHERE group_id = $1 AND evse_key > $2 ORDER BY evse_key LIMIT $3

-- name: add_evses
INSERT INTO evse_group_member (group_id, evse_key, evse_id)
SELECT $1, * FROM unnest($2::text[], $3::text[]) ON CONFLICT (group_id, evse_key) DO NOTHING

-- name: keep_evses
-- All others leave.
DELETE FROM evse_group_member m WHERE group_id = $1
    AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS k(evse_key) WHERE k.evse_key = m.evse_key)

-- name: remove_evses
DELETE FROM evse_group_member WHERE group_id = $1 AND evse_key = ANY($2::text[])

-- name: members_changed
UPDATE evse_group SET revision = revision + 1, updated_at = now(),
    evses = (SELECT count(*) FROM evse_group_member WHERE group_id = $1)
WHERE id = $1

-- name: remove_group
DELETE FROM evse_group WHERE id = $1

-- name: foreign_evses
-- Which EvseIDs ($2) a party ($1) has no EVSE of.
SELECT k.evse_key FROM unnest($2::text[]) AS k(evse_key)
WHERE NOT EXISTS (SELECT FROM evse e WHERE e.evse_key = k.evse_key AND e.party = $1 AND NOT e.removed) LIMIT 1

-- name: offers_of_group
-- Where an EVSE group is spoken of by a version that is in force or to come ($2: now).
SELECT DISTINCT o.no, o.id, o.connection_id, o.cpo, o.network_group, o.state
FROM offer o JOIN offer_version v ON v.offer_id = o.id
WHERE o.state <> 'ENDED' AND (o.ends_at IS NULL OR o.ends_at > $2)
    AND (v.terms::jsonb @> jsonb_build_object('evse_groups', jsonb_build_array($1::text))
        OR v.terms::jsonb @> jsonb_build_object('prices', jsonb_build_array(jsonb_build_object('evse_group', $1::text))))
    AND NOT EXISTS (
        SELECT FROM offer_version l
        WHERE l.offer_id = o.id AND l.starts_at > v.starts_at AND l.starts_at <= $2 AND o.state <> 'DRAFT')
ORDER BY o.no

-- name: doubled_evse
-- An EVSE of a group ($1) that is in another group of one of some offers ($2).
SELECT m.evse_id, n.group_id AS other
FROM evse_group_member m JOIN evse_group_member n ON n.evse_key = m.evse_key AND n.group_id <> m.group_id
WHERE m.group_id = $1 AND n.group_id IN (
    SELECT jsonb_array_elements_text(v.terms::jsonb -> 'evse_groups') FROM offer_version v WHERE v.offer_id = ANY($2::text[])
    UNION
    SELECT p ->> 'evse_group'
    FROM offer_version v CROSS JOIN jsonb_array_elements(coalesce(v.terms::jsonb -> 'prices', '[]')) p
    WHERE v.offer_id = ANY($2::text[]))
LIMIT 1
