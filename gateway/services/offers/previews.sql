-- name: our_emsps
SELECT id FROM party WHERE (body -> 'roles')::jsonb ? 'EMSP' ORDER BY id LIMIT $1

-- name: their_emsps
-- Whom a hub ($1) has told of, or whose drivers have been here.
SELECT party AS id FROM client_info WHERE connection_id = $1 AND role = 'EMSP'
UNION SELECT emsp FROM emsp_seen WHERE connection_id = $1
ORDER BY id LIMIT $2

-- name: names
SELECT id, body -> 'business' ->> 'name' AS name FROM party WHERE id = ANY($1::text[])

-- name: own_scope
-- Own EVSEs of some CPOs ($1), of some groups ($2) or all, as far as a connection carries them ($3 locations, $4 EVSEs).
SELECT count(DISTINCT e.location_no) AS locations, count(*) AS evses
FROM evse e JOIN location l ON l.no = e.location_no
WHERE l.party = ANY($1::text[]) AND l.withdrawn_at IS NULL AND NOT e.removed
    AND ($2::text[] IS NULL OR e.evse_key IN (SELECT evse_key FROM evse_group_member WHERE group_id = ANY($2)))
    AND ($3::text[] IS NULL OR l.party || '/' || l.location_id = ANY($3))
    AND ($4::text[] IS NULL OR e.evse_key = ANY($4))

-- name: their_scope
-- Partners' EVSEs as a connection ($3) tells them.
SELECT count(DISTINCT e.location_no) AS locations, count(*) AS evses
FROM catalogue_evse e JOIN catalogue_location l ON l.no = e.location_no
WHERE l.connection_id = $3 AND l.party = ANY($1::text[]) AND l.withdrawn_at IS NULL AND NOT e.removed
    AND ($2::text[] IS NULL OR e.evse_key IN (SELECT evse_key FROM evse_group_member WHERE group_id = ANY($2)))

-- name: sample_evses
-- One EVSE of each group.
SELECT DISTINCT ON (group_id) evse_key FROM evse_group_member WHERE group_id = ANY($1::text[]) ORDER BY group_id, evse_key

-- name: zone
SELECT body ->> 'time_zone' FROM location WHERE party = ANY($1::text[]) AND withdrawn_at IS NULL ORDER BY no LIMIT 1

-- name: evse_tariffs
-- The tariffs that most connectors name, at some locations.
SELECT t.id, count(*) AS count
FROM (SELECT body FROM location WHERE party = ANY($1::text[]) AND withdrawn_at IS NULL ORDER BY no LIMIT $2) l
CROSS JOIN json_array_elements(l.body -> 'evses') e
CROSS JOIN json_array_elements(e -> 'connectors') c
CROSS JOIN json_array_elements_text(c -> 'tariff_ids') AS t(id)
GROUP BY t.id ORDER BY count DESC, t.id LIMIT $3

-- name: overlapping
-- Published offers of the same networks ($2) by the same way, at a moment ($3) or later, with what they say then.
SELECT o.no, o.id, o.title, o.body, v.number, v.terms
FROM offer o
JOIN LATERAL (
    SELECT number, terms FROM offer_version
    WHERE offer_id = o.id ORDER BY starts_at > $3, CASE WHEN starts_at <= $3 THEN starts_at END DESC, starts_at LIMIT 1
) v ON true
WHERE o.connection_id = $1 AND o.state IN ('PUBLISHED', 'CANCELLED') AND o.id <> $4
    AND (o.ends_at IS NULL OR o.ends_at > $3) AND ($5::timestamptz IS NULL OR o.starts_at < $5)
    AND (o.cpo = ANY($2::text[]) OR EXISTS (
        SELECT FROM network_group_member m
        WHERE m.group_id = o.network_group AND m.party = ANY($2) AND (m.until IS NULL OR m.until > $3)))
ORDER BY o.no LIMIT $6
