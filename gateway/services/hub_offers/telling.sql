-- name: lock
-- An offer with how far its connection goes.
SELECT o.*, c.mode FROM offer o JOIN connection c ON c.id = o.connection_id WHERE o.id = $1 FOR UPDATE OF o

-- name: outstanding
-- What hubs are to be told of some offers ($1: keys), or refused, the oldest first.
SELECT d.no, d.key, d.state, d.payload -> 'offer' ->> 'step' AS step,
    (d.payload -> 'offer' -> 'version' ->> 'number')::int AS version, d.code, d.error,
    d.holder IS NULL AND d.attempts = 0 AND NOT d.doubtful AS untried
FROM delivery d
WHERE d.key = ANY($1::text[]) AND starts_with(d.key, 'offers/') AND d.state = 'pending' AND NOT d.shadow
    AND d.destination > 0
UNION ALL
SELECT d.no, d.key, d.state, d.payload -> 'offer' ->> 'step', (d.payload -> 'offer' -> 'version' ->> 'number')::int,
    d.code, d.error, false
FROM dead_letter l JOIN delivery d ON d.no = l.delivery_no
WHERE l.key = ANY($1::text[]) AND d.state = 'refused' AND d.destination > 0
ORDER BY no

-- name: set_ids
UPDATE offer SET hub_ids = $2, told = $3, unanswered = $4 WHERE id = $1

-- name: note_told
-- Of an offer, and of those that share its network.
INSERT INTO offer_told_evse (offer_id, group_id, evse_key)
SELECT s.id, i.group_id, i.evse_key
FROM unnest($2::text[], $3::text[]) AS i(group_id, evse_key), offer o
JOIN offer s ON s.connection_id = o.connection_id AND (s.id = o.id OR s.hub_ids ->> 'network' = o.hub_ids ->> 'network')
WHERE o.id = $1
ON CONFLICT DO NOTHING

-- name: siblings
-- The other published offers of the same network by the same way, the oldest first.
SELECT s.id, s.hub_ids, s.unanswered, s.state, s.external, s.no < o.no AS older FROM offer o
JOIN offer s ON s.connection_id = o.connection_id AND s.id <> o.id AND s.state IN ('PUBLISHED', 'CANCELLED')
    AND (s.cpo, s.network_group) IS NOT DISTINCT FROM (o.cpo, o.network_group)
WHERE o.id = $1 ORDER BY s.no

-- name: lock_all
-- Some offers, and those of the same network by the same way: always in one order.
SELECT FROM offer s
WHERE s.id = ANY($1::text[]) OR s.state IN ('PUBLISHED', 'CANCELLED') AND EXISTS (
    SELECT FROM offer o WHERE o.id = ANY($1::text[]) AND o.connection_id = s.connection_id
        AND (s.cpo, s.network_group) IS NOT DISTINCT FROM (o.cpo, o.network_group))
ORDER BY s.no FOR UPDATE

-- name: rename
UPDATE offer SET hub_ids = $2 WHERE id = $1

-- name: share_told
INSERT INTO offer_told_evse (offer_id, group_id, evse_key)
SELECT $1, group_id, evse_key FROM offer_told_evse WHERE offer_id = $2 ON CONFLICT DO NOTHING

-- name: discard
WITH gone AS (DELETE FROM dead_letter WHERE delivery_no = ANY($1::bigint[]))
UPDATE delivery SET state = 'discarded', settled_at = now() WHERE no = ANY($1::bigint[]) AND state = 'refused'

-- name: take_back
-- What nobody has tried to tell yet.
DELETE FROM delivery
WHERE no = ANY($1::bigint[]) AND state = 'pending' AND holder IS NULL AND attempts = 0 AND NOT doubtful RETURNING no

-- name: members_of
SELECT party FROM network_group_member
WHERE group_id = $1 AND since <= $2 AND (until IS NULL OR until > $2) ORDER BY party

-- name: groups
SELECT id, party, name, description FROM evse_group WHERE id = ANY($1::text[])

-- name: in_groups
-- The EVSEs of some groups that a hub was not told of by an offer ($1), or all where that is none; within a scope ($3).
SELECT m.group_id, m.evse_id FROM evse_group_member m
WHERE m.group_id = ANY($2::text[]) AND ($3::text[] IS NULL OR m.evse_key = ANY($3))
    AND NOT EXISTS (
        SELECT FROM offer_told_evse t WHERE t.offer_id = $1 AND t.group_id = m.group_id AND t.evse_key = m.evse_key)
ORDER BY m.group_id, m.evse_key

-- name: some_in_no_group
-- Whether some CPOs ($2) have EVSEs in none of some groups ($3) of which a hub was not told; scope as below.
SELECT EXISTS (
    SELECT FROM evse e
    WHERE e.party = ANY($2::text[]) AND NOT e.removed AND e.evse_key IS NOT NULL
        AND ($4::text[] IS NULL OR e.party || '/' || e.location_id = ANY($4))
        AND ($5::text[] IS NULL OR e.evse_key = ANY($5))
        AND NOT EXISTS (SELECT FROM evse_group_member m WHERE m.group_id = ANY($3::text[]) AND m.evse_key = e.evse_key)
        AND NOT EXISTS (
            SELECT FROM offer_told_evse t WHERE t.offer_id = $1 AND t.group_id = 'all' AND t.evse_key = e.evse_key))

-- name: in_no_group
-- These EVSEs, as they are written; $4 are locations, $5 EVSEs of the connection's scope, or null for all.
SELECT DISTINCT ON (e.evse_key) s.value ->> 'evse_id' AS evse_id
FROM location l
CROSS JOIN LATERAL json_array_elements(l.body -> 'evses') s
JOIN evse e ON e.location_no = l.no AND e.uid = s.value ->> 'uid'
WHERE l.party = ANY($2::text[]) AND l.withdrawn_at IS NULL AND NOT e.removed AND e.evse_key IS NOT NULL
    AND ($4::text[] IS NULL OR l.party || '/' || l.location_id = ANY($4))
    AND ($5::text[] IS NULL OR e.evse_key = ANY($5))
    AND NOT EXISTS (SELECT FROM evse_group_member m WHERE m.group_id = ANY($3::text[]) AND m.evse_key = e.evse_key)
    AND NOT EXISTS (
        SELECT FROM offer_told_evse t WHERE t.offer_id = $1 AND t.group_id = 'all' AND t.evse_key = e.evse_key)
ORDER BY e.evse_key

-- name: tariffs_of_group
-- The ids of the tariffs that the EVSEs of a group ($2) name; where it is null, of those in none of some groups ($3).
SELECT DISTINCT t.id
FROM location l
CROSS JOIN LATERAL json_array_elements(l.body -> 'evses') s
JOIN evse e ON e.location_no = l.no AND e.uid = s.value ->> 'uid'
CROSS JOIN LATERAL json_array_elements(s.value -> 'connectors') c
CROSS JOIN LATERAL json_array_elements_text(c.value -> 'tariff_ids') AS t(id)
WHERE l.party = ANY($1::text[]) AND l.withdrawn_at IS NULL AND NOT e.removed AND e.evse_key IS NOT NULL
    AND CASE WHEN $2::text IS NULL
        THEN NOT EXISTS (SELECT FROM evse_group_member m WHERE m.group_id = ANY($3::text[]) AND m.evse_key = e.evse_key)
        ELSE EXISTS (SELECT FROM evse_group_member m WHERE m.group_id = $2 AND m.evse_key = e.evse_key) END
ORDER BY t.id

-- name: tariffs
-- CPOs' tariffs, the variant for a target ($3) before the one for all.
SELECT DISTINCT ON (party, tariff_id) tariff_id, body FROM tariff
WHERE party = ANY($1::text[]) AND tariff_id = ANY($2::text[]) AND target IN ($3, '') AND withdrawn_at IS NULL
ORDER BY party, tariff_id, target DESC

-- name: document
SELECT name, media_type, content FROM document WHERE id = $1

-- name: told
-- Offers that hubs ($1) are told of.
SELECT o.id FROM offer o JOIN connection c ON c.id = o.connection_id
WHERE o.connection_id = ANY($1::int[]) AND o.state = 'PUBLISHED' AND o.external IS NULL AND c.mode = 'live' ORDER BY o.no

-- name: sides
SELECT id, connection_id, hub_ids, unanswered, seen_at FROM offer WHERE id = ANY($1::text[])
