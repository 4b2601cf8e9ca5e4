-- name: list
SELECT h.*,
    (SELECT count(*) FROM delivery d WHERE d.destination = -h.id AND d.state = 'pending') AS waiting,
    (SELECT count(*) FROM dead_letter l JOIN delivery d ON d.no = l.delivery_no WHERE d.destination = -h.id) AS refused
FROM hook h WHERE h.kind = $1 AND ($2::text IS NULL OR h.name = $2) ORDER BY h.name

-- name: create
INSERT INTO hook (name, kind, url, secret, types, parties, silence) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (name) DO NOTHING RETURNING id

-- name: change
UPDATE hook SET
    url = coalesce($3, url),
    types = coalesce($4, types),
    parties = coalesce($5, parties),
    active = coalesce($6, active),
    why = CASE WHEN $6 IS NULL THEN why END,
    silence = coalesce($7, silence)
WHERE kind = $1 AND name = $2 RETURNING id

-- name: rotate
UPDATE hook SET secret = $3, old_secret = secret, old_until = $4 WHERE kind = $1 AND name = $2 RETURNING id

-- name: remove
DELETE FROM hook WHERE kind = $1 AND name = $2 RETURNING id
