-- name: roles
SELECT id, ARRAY(SELECT json_array_elements_text(body -> 'roles')) AS roles FROM party WHERE id = ANY($1::text[])

-- name: network_group
-- With those who are members at a moment ($2) or will be.
SELECT g.id, ARRAY(
    SELECT DISTINCT m.party FROM network_group_member m
    WHERE m.group_id = g.id AND (m.until IS NULL OR m.until > $2) ORDER BY m.party
) AS members FROM network_group g WHERE g.id = $1

-- name: document
SELECT party FROM document WHERE id = $1

-- name: evse_groups
SELECT id, party FROM evse_group WHERE id = ANY($1::text[])

-- name: tariffs
-- Every variant of some parties' tariffs; their ids have no case.
SELECT party, lower(tariff_id) AS id, target, body ->> 'type' AS type FROM tariff
WHERE party = ANY($1::text[]) AND lower(tariff_id) = ANY($2::text[]) AND withdrawn_at IS NULL

-- name: shared_evses
-- An EVSE that is in two of some groups.
SELECT evse_key, min(group_id) AS one, max(group_id) AS other FROM evse_group_member
WHERE group_id = ANY($1::text[]) GROUP BY evse_key HAVING count(*) > 1 LIMIT 1
