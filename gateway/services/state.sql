-- name: lanes
-- The operations in $1 and $2 are told of also where there is nothing yet: a series that is absent can raise no alarm.
WITH there AS (
    SELECT connection_id, operation, count(*) FILTER (WHERE pending) AS pending,
        min(since) FILTER (WHERE pending) AS since, count(*) FILTER (WHERE held) AS held
    FROM projection GROUP BY connection_id, operation
)
SELECT c.hub, c.name AS connection, x.operation,
    coalesce(x.pending, 0) AS pending,
    coalesce(extract(epoch FROM clock_timestamp() - x.since), 0)::float8 AS oldest,
    coalesce(x.held, 0) AS held,
    (SELECT count(*) FROM dead_letter d WHERE d.connection_id = c.id AND d.operation = x.operation) AS dead_letters,
    (SELECT count(*) FROM lane l WHERE l.connection_id = c.id AND l.operation = x.operation AND l.expires_at > now())
        AS leased,
    (SELECT count(*) FROM lane l WHERE l.connection_id = c.id AND l.operation = x.operation AND l.retry_at > now())
        AS resting
FROM (there FULL JOIN unnest($1::bigint[], $2::text[]) AS k(connection_id, operation)
    USING (connection_id, operation)) AS x
JOIN connection c ON c.id = x.connection_id
ORDER BY c.id, x.operation

-- name: messages
-- What is settled is not looked at: there may be millions. Those in $1 and $2 are told of also where nothing waits.
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
FULL JOIN unnest($1::bigint[], $2::text[]) AS k(destination, operation) USING (destination, operation)
LEFT JOIN connection c ON c.id = destination
LEFT JOIN hook h ON h.id = -destination
WHERE coalesce(c.name, h.name) IS NOT NULL
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
    (SELECT count(*) FROM cdr WHERE review IS NOT NULL) AS cdrs_in_review,
    (SELECT count(*) FROM repricing WHERE state = 'open') AS repricings_open,
    coalesce((SELECT extract(epoch FROM now() - at) FROM repricing_queue ORDER BY no LIMIT 1), 0)::float8
        AS repricings_oldest

-- name: abroad
SELECT
    (SELECT count(*) FROM received_session WHERE ended_at IS NULL AND cdr_no IS NULL AND status = 'ACTIVE') AS running,
    (SELECT count(*) FROM received_session WHERE reviews <> '{}') AS sessions_in_review,
    (SELECT count(*) FROM received_session
        WHERE ended_at < now() - $1::interval AND cdr_no IS NULL AND cdr_waived IS NULL AND status = 'COMPLETED')
        AS without_cdr,
    (SELECT count(*) FROM received_cdr WHERE reviews <> '{}' AND decision IS NULL) AS cdrs_in_review,
    (SELECT count(*) FROM sent_command WHERE result IS NULL) AS commands_open

-- name: unconfirmed
-- CDRs that the hub which authorised them has not confirmed.
SELECT c.hub, c.name AS connection, count(d.no) AS pending,
    count(d.no) FILTER (WHERE d.accepted_at < now() - $1::interval) AS late,
    coalesce(extract(epoch FROM clock_timestamp() - min(d.accepted_at)), 0)::float8 AS oldest
FROM connection c
LEFT JOIN (delivery v JOIN cdr d ON d.no = v.cdr_no AND d.connection_id = v.connection_id)
    ON v.connection_id = c.id AND v.state = 'pending' AND v.cdr_no IS NOT NULL AND NOT v.shadow
GROUP BY c.id ORDER BY c.id

-- name: offers
SELECT c.hub, c.name AS connection, o.state, count(*) AS count
FROM offer o JOIN connection c ON c.id = o.connection_id GROUP BY c.id, o.state ORDER BY c.id, o.state

-- name: subscriptions
SELECT c.hub, c.name AS connection, s.state, count(*) AS count
FROM subscription s JOIN offer o ON o.id = s.offer_id JOIN connection c ON c.id = o.connection_id
GROUP BY c.id, s.state ORDER BY c.id, s.state
