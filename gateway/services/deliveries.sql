-- name: list
SELECT c.name AS connection, p.operation, p.key, p.wanted, p.acked, p.attempts,
    CASE WHEN p.wanted > p.acked THEN p.since ELSE p.acked_at END AS since,
    CASE WHEN p.pending THEN p.due_at END AS due_at,
    coalesce(d.reason, p.error) AS error, s.state
FROM projection p
JOIN connection c ON c.id = p.connection_id
LEFT JOIN dead_letter d ON (d.connection_id, d.operation, d.key) = (p.connection_id, p.operation, p.key)
LEFT JOIN lane l ON (l.connection_id, l.operation, l.lane) = (p.connection_id, p.operation, p.lane)
    AND l.expires_at > now()
CROSS JOIN LATERAL (SELECT CASE
    WHEN p.refused THEN 'refused'
    WHEN p.held THEN 'held'
    WHEN p.pending AND l.lane IS NOT NULL THEN 'in_flight'
    WHEN p.pending OR p.shadowed THEN 'pending'
    ELSE 'delivered' END AS state) s
WHERE ($1::text IS NULL OR c.name = $1) AND ($2::text IS NULL OR s.state = $2)
    AND (c.name, p.key, p.operation) > ($3, $4, $5)
ORDER BY c.name, p.key, p.operation LIMIT $6

-- name: dead_letters
SELECT d.id, c.name AS connection, d.operation, d.key, d.code, d.reason, d.field, d.attempts, d.at, d.body
FROM dead_letter d JOIN connection c ON c.id = d.connection_id
WHERE ($1::text IS NULL OR c.name = $1) AND d.id > $2
ORDER BY d.id LIMIT $3

-- name: replay
WITH letters AS (
    DELETE FROM dead_letter d USING connection c
    WHERE c.id = d.connection_id AND (d.id = ANY($1::bigint[]) OR ($1 = '{}' AND c.name = $2))
    RETURNING d.connection_id, d.key, d.operation
)
UPDATE projection p SET
    refused = false, pending = true, attempts = 0, wanted = p.wanted + 1, due_at = now(), since = now(), error = NULL
FROM letters l
WHERE (p.connection_id, p.key, p.operation) = (l.connection_id, l.key, l.operation) AND NOT p.held

-- name: discard
DELETE FROM dead_letter WHERE id = ANY($1::bigint[]) RETURNING id, operation, key

-- name: connection_exists
SELECT EXISTS (SELECT FROM connection WHERE name = $1)
