-- name: note
-- Notes disagreements, each of them seen some times ($7) since; gives those that are new.
INSERT INTO offer_drift AS d (connection_id, kind, subject, field, ours, theirs, times)
SELECT i.connection_id, i.kind, i.subject, i.field, i.ours, i.theirs, i.times
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::json[], $6::json[], $7::int[])
    AS i(connection_id, kind, subject, field, ours, theirs, times)
JOIN connection c ON c.id = i.connection_id -- or it was removed a moment ago
ORDER BY i.connection_id, i.kind, i.subject, i.field
ON CONFLICT (connection_id, kind, subject, field) DO UPDATE SET
    ours = excluded.ours, theirs = excluded.theirs, last_seen_at = now(), times = d.times + excluded.times
RETURNING d.connection_id, d.kind, d.subject, d.field, d.ours, d.theirs, d.xmax = 0 AS new

-- name: agree
-- Takes away what a subject ($2) disagreed in before ($3: kinds), and does not any more ($4: fields that still do).
DELETE FROM offer_drift
WHERE connection_id = $1 AND subject = $2 AND kind = ANY($3::text[]) AND field <> ALL($4::text[])

-- name: parties
-- Which of some parties are ours.
SELECT id FROM party WHERE id = ANY($1::text[])

-- name: list
SELECT d.no, c.name AS connection, d.kind, d.subject, d.field, d.ours, d.theirs, d.first_seen_at, d.last_seen_at, d.times
FROM offer_drift d JOIN connection c ON c.id = d.connection_id
WHERE ($1::text IS NULL OR c.name = $1) AND d.no < $2
ORDER BY d.no DESC LIMIT $3

-- name: settle
DELETE FROM offer_drift d USING connection c
WHERE c.id = d.connection_id AND c.name = $1 AND d.kind = $2 AND d.subject = $3 AND d.field = $4
RETURNING true

-- name: connection_exists
SELECT EXISTS (SELECT FROM connection WHERE name = $1)
