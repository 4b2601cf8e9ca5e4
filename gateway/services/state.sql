-- name: lanes
SELECT c.hub, c.name AS connection, p.operation,
    count(*) FILTER (WHERE p.pending) AS pending,
    coalesce(extract(epoch FROM clock_timestamp() - min(p.since) FILTER (WHERE p.pending)), 0)::float8 AS oldest,
    count(*) FILTER (WHERE p.held) AS held,
    (SELECT count(*) FROM dead_letter d WHERE d.connection_id = c.id AND d.operation = p.operation) AS dead_letters,
    (SELECT count(*) FROM lane l WHERE l.connection_id = c.id AND l.operation = p.operation AND l.expires_at > now())
        AS leased,
    (SELECT count(*) FROM lane l WHERE l.connection_id = c.id AND l.operation = p.operation AND l.retry_at > now())
        AS resting
FROM projection p JOIN connection c ON c.id = p.connection_id
GROUP BY c.id, p.operation ORDER BY c.id, p.operation

-- name: connections
SELECT hub, name, mode, state FROM connection ORDER BY id

-- name: evses
SELECT status, count(*) AS count FROM evse GROUP BY status
