-- name: unplaced
SELECT EXISTS (SELECT FROM event WHERE position IS NULL) AS unplaced, (SELECT max(position) FROM event) AS last

-- name: place
-- Gives committed events their positions, tells the replicas, and makes of each what every webhook that wants it is to be
-- told.
WITH new AS (
    SELECT o.no, nextval('event_position') AS position
    FROM (SELECT no FROM event WHERE position IS NULL ORDER BY no LIMIT $1) o
), placed AS (
    UPDATE event e SET position = n.position FROM new n WHERE e.no = n.no
    RETURNING e.*
), told AS (
    INSERT INTO delivery (hook_id, operation, kind, lane, key, party, payload)
    SELECT h.id, 'events', p.type, p.subject, p.id::text, p.party, json_build_object(
        'specversion', '1.0', 'id', p.id, 'source', '/v1/parties/' || p.party, 'type', 'roamgate.' || p.type,
        'subject', p.subject, 'time', to_char(p.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'datacontenttype', 'application/json', 'party', p.party, 'data', p.data)
    FROM placed p JOIN hook h ON h.kind = 'webhook' AND h.active
        AND (h.types = '{}' OR p.type = ANY(h.types)) AND (h.parties = '{}' OR p.party = ANY(h.parties))
    ORDER BY p.position
    RETURNING 1
)
SELECT count(*) AS placed, (SELECT count(*) FROM told) AS told, CASE WHEN count(*) > 0 THEN pg_notify($2, '') END FROM placed

-- name: read
-- `last` is of the same moment: whoever read up to it has overlooked nothing.
WITH found AS (
    SELECT * FROM event
    WHERE position > $1 AND ($2::text[] IS NULL OR party = ANY($2)) AND ($3::text IS NULL OR type = $3)
    ORDER BY position LIMIT $4
)
SELECT l.last, l.forgotten, f.position, json_build_object(
    'specversion', '1.0', 'id', f.id, 'source', '/v1/parties/' || f.party, 'type', 'roamgate.' || f.type,
    'subject', f.subject, 'time', to_char(f.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'datacontenttype', 'application/json', 'party', f.party, 'data', f.data) AS event
FROM (SELECT (SELECT max(position) FROM event) AS last, (SELECT position FROM event_forgotten) AS forgotten) l
LEFT JOIN found f ON true
ORDER BY f.position

-- name: last
SELECT greatest((SELECT max(position) FROM event), (SELECT position FROM event_forgotten))

-- name: forget
WITH gone AS (
    DELETE FROM event WHERE no IN (
        SELECT no FROM event WHERE position IS NOT NULL AND at < now() - $1::interval ORDER BY at LIMIT $2)
    RETURNING position
), noted AS (
    UPDATE event_forgotten SET position = greatest(position, (SELECT max(position) FROM gone))
    WHERE EXISTS (SELECT FROM gone)
)
SELECT count(*) FROM gone
