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

-- name: messages
SELECT d.no, c.name AS connection, h.name AS webhook, d.operation, d.kind, d.lane, d.key, d.party, s.state, d.attempts,
    d.doubtful, d.since, CASE WHEN d.state = 'pending' THEN d.due_at END AS due_at, d.until, d.settled_at, d.code, d.error,
    d.issues, d.body
FROM delivery d
LEFT JOIN connection c ON c.id = d.connection_id
LEFT JOIN hook h ON h.id = d.hook_id
CROSS JOIN LATERAL (SELECT CASE
    WHEN d.state = 'pending' AND d.leased_until > now() THEN 'in_flight'
    ELSE d.state END AS state) s
WHERE ($1::text IS NULL OR c.name = $1) AND ($2::text IS NULL OR h.name = $2) AND ($3::text IS NULL OR s.state = $3)
    AND ($4::text IS NULL OR d.key = $4) AND d.no < $5
ORDER BY d.no DESC LIMIT $6

-- name: dead_letters
SELECT l.id, c.name AS connection, h.name AS webhook, l.delivery_no AS message, l.operation, l.key, l.code, l.reason,
    l.field, l.attempts, l.at, l.body
FROM dead_letter l
LEFT JOIN delivery d ON d.no = l.delivery_no
LEFT JOIN connection c ON c.id = coalesce(l.connection_id, d.connection_id)
LEFT JOIN hook h ON h.id = d.hook_id
WHERE ($1::text IS NULL OR c.name = $1) AND l.id > $2
ORDER BY l.id LIMIT $3

-- name: replay
-- A message takes its old place in its lane. It is due a moment later, so that whoever leases what comes after it has seen
-- it, or is seen by whoever leases it.
WITH chosen AS (
    SELECT l.id
    FROM dead_letter l
    LEFT JOIN delivery d ON d.no = l.delivery_no
    LEFT JOIN connection c ON c.id = coalesce(l.connection_id, d.connection_id)
    LEFT JOIN hook h ON h.id = d.hook_id
    WHERE l.id = ANY($1::bigint[]) OR ($1 = '{}' AND (c.name = $2 OR h.name = $3))
), letters AS (
    DELETE FROM dead_letter l USING chosen WHERE l.id = chosen.id
    RETURNING l.connection_id, l.key, l.operation, l.delivery_no
), messages AS (
    UPDATE delivery d SET
        state = 'pending', attempts = 0, due_at = now() + interval '1 second', since = now(),
        until = now() + (d.until - d.since), settled_at = NULL, code = NULL, error = NULL, body = NULL, issues = NULL
    FROM letters l
    WHERE d.no = l.delivery_no AND d.state = 'refused'
    RETURNING 1
), projections AS (
    UPDATE projection p SET
        refused = false, pending = true, attempts = 0, wanted = p.wanted + 1, due_at = now(), since = now(), error = NULL
    FROM letters l
    WHERE (p.connection_id, p.key, p.operation) = (l.connection_id, l.key, l.operation) AND NOT p.held
    RETURNING 1
)
SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM projections)

-- name: discard
WITH gone AS (
    DELETE FROM dead_letter WHERE id = ANY($1::bigint[]) RETURNING id, operation, key, delivery_no
), messages AS (
    UPDATE delivery d SET state = 'discarded', settled_at = now() FROM gone WHERE d.no = gone.delivery_no
)
SELECT id, operation, key FROM gone ORDER BY id

-- name: webhook_exists
SELECT EXISTS (SELECT FROM hook WHERE name = $1 AND kind = 'webhook')

-- name: connection_exists
SELECT EXISTS (SELECT FROM connection WHERE name = $1)
