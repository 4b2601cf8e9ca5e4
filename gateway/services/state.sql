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

-- name: messages
-- What is settled is not looked at: there may be millions.
WITH pending AS (
    SELECT destination, operation, count(*) AS pending, min(since) AS since
    FROM delivery WHERE state = 'pending' GROUP BY destination, operation
), refused AS (
    SELECT d.destination, d.operation, count(*) AS dead_letters
    FROM dead_letter l JOIN delivery d ON d.no = l.delivery_no GROUP BY d.destination, d.operation
)
SELECT coalesce(c.hub, h.kind) AS hub, coalesce(c.name, h.name) AS connection, operation,
    coalesce(p.pending, 0) AS pending,
    coalesce(extract(epoch FROM clock_timestamp() - p.since), 0)::float8 AS oldest,
    coalesce(r.dead_letters, 0) AS dead_letters
FROM pending p FULL JOIN refused r USING (destination, operation)
LEFT JOIN connection c ON c.id = destination
LEFT JOIN hook h ON h.id = -destination
ORDER BY destination, operation

-- name: connections
SELECT hub, name, mode, state FROM connection ORDER BY id

-- name: evses
SELECT status, count(*) AS count FROM evse GROUP BY status

-- name: charges
SELECT
    (SELECT count(*) FROM session WHERE ended_at IS NULL AND cdr_no IS NULL AND status = 'ACTIVE') AS running,
    (SELECT count(*) FROM session WHERE review IS NOT NULL) AS sessions_in_review,
    (SELECT count(*) FROM session
        WHERE ended_at < now() - $1::interval AND cdr_no IS NULL AND cdr_waived IS NULL AND status = 'COMPLETED')
        AS without_cdr,
    (SELECT count(*) FROM cdr WHERE review IS NOT NULL) AS cdrs_in_review

-- name: unconfirmed
-- CDRs that the hub which authorised them has not confirmed.
SELECT c.hub, c.name AS connection, count(*) AS pending,
    count(*) FILTER (WHERE d.accepted_at < now() - $1::interval) AS late,
    extract(epoch FROM clock_timestamp() - min(d.accepted_at))::float8 AS oldest
FROM delivery v
JOIN cdr d ON d.no = v.cdr_no AND d.connection_id = v.connection_id
JOIN connection c ON c.id = v.connection_id
WHERE v.state = 'pending' AND v.cdr_no IS NOT NULL AND NOT v.shadow
GROUP BY c.id ORDER BY c.id
