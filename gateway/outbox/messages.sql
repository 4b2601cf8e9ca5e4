-- name: append
-- What happens while a connection is in shadow mode is only ever shown: whatever tells the hub then would tell it twice.
-- What a hub waits for ($11: it let the charge begin, or asked itself) is told all the same, once the connection is live.
INSERT INTO delivery (connection_id, operation, kind, lane, key, party, payload, until, cdr_no, session_no, shadow)
SELECT $1, i.operation, i.kind, i.lane, i.key, i.party, i.payload, now() + i.lasts, i.cdr_no, i.session_no,
    NOT i.awaited AND (SELECT mode = 'shadow' FROM connection WHERE id = $1)
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::json[], $8::interval[], $9::bigint[],
    $10::bigint[], $11::boolean[])
    WITH ORDINALITY AS i(operation, kind, lane, key, party, payload, lasts, cdr_no, session_no, awaited, n)
ORDER BY i.n

-- name: claim
-- Leases what is due of an operation, the oldest first, of each lane only what comes first in it, and nothing of a lane in
-- which something is at work: a dead letter that is replayed comes before what is under way. What was taken from a holder
-- that never said what came of it may have been told. Where the connection is not live ($6) nothing is sent, so that order is
-- nobody's concern: whatever was not shown yet is taken.
-- The subqueries give a value instead of being joined, so that they are looked up for the few rows that are tried.
WITH due AS MATERIALIZED (
    SELECT d.no
    FROM delivery d
    WHERE d.destination = $1 AND d.operation = $2 AND d.state = 'pending' AND d.due_at <= now()
        AND d.leased_until <= now() AND ($6 OR d.shadow OR d.body IS NULL)
        AND (NOT $6 OR d.no = (
            SELECT o.no FROM delivery o
            WHERE o.destination = $1 AND o.lane = d.lane AND o.state = 'pending' AND o.shadow = d.shadow
            ORDER BY o.no LIMIT 1))
        AND (
            SELECT o.no FROM delivery o
            WHERE o.destination = $1 AND o.lane = d.lane AND o.state = 'pending' AND o.shadow = d.shadow
                AND o.no > d.no AND o.leased_until > now()
            LIMIT 1) IS NULL
    ORDER BY d.due_at, d.no LIMIT $3
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery d SET
    holder = $4, fence = nextval('fence'), leased_until = clock_timestamp() + $5,
    doubtful = d.doubtful OR d.holder IS NOT NULL, attempts = d.attempts + (d.holder IS NOT NULL)::int
FROM due WHERE d.no = due.no
RETURNING d.no, d.operation, d.kind, d.lane, d.key, d.party, d.payload, d.session_no, d.cdr_no, d.shadow, d.attempts,
    d.doubtful, d.since, d.until, d.fence

-- name: extend
-- Only leases that this process works under: one whose work broke off runs out, and somebody does the work again.
UPDATE delivery SET leased_until = clock_timestamp() + $2
WHERE no = ANY($3::bigint[]) AND fence = ANY($4::bigint[]) AND holder = $1 AND leased_until > clock_timestamp()

-- name: settle
-- Writes what came of deliveries whose lease did not pass to somebody else, and gives their leases up. Tells which those
-- are, and of which operation it is what comes next in their lane, if anything does.
UPDATE delivery d SET
    state = i.state,
    attempts = d.attempts + i.tried::int,
    doubtful = d.doubtful OR i.doubtful,
    due_at = coalesce(i.due_at, d.due_at),
    code = i.code,
    error = coalesce(i.error, CASE WHEN i.state = 'pending' THEN d.error END),
    body = coalesce(i.body, CASE WHEN i.state = 'pending' THEN d.body END),
    issues = coalesce(i.issues, CASE WHEN i.state = 'pending' THEN d.issues END),
    holder = NULL,
    leased_until = '-infinity',
    settled_at = CASE WHEN i.state <> 'pending' THEN clock_timestamp() END
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::boolean[], $5::boolean[], $6::timestamptz[], $7::text[],
    $8::text[], $9::json[], $10::json[])
    AS i(no, fence, state, tried, doubtful, due_at, code, error, body, issues)
WHERE d.no = i.no AND d.fence = i.fence AND d.state = 'pending'
RETURNING d.no, CASE WHEN i.state <> 'pending' THEN (
    SELECT o.operation FROM delivery o
    WHERE o.destination = d.destination AND o.lane = d.lane AND o.state = 'pending' AND o.no > d.no
    ORDER BY o.no LIMIT 1) END AS next

-- name: refuse
INSERT INTO dead_letter (delivery_no, operation, key, wanted, code, reason, field, attempts, body)
SELECT d.no, d.operation, d.key, 0, d.code, d.error, i.field, d.attempts, d.body
FROM unnest($1::bigint[], $2::text[]) AS i(no, field) JOIN delivery d USING (no)
ORDER BY d.no

-- name: clean
-- What was settled a while ago, some at a time. A CDR's delivery stays, since the CDR's state is read from it, and so does
-- what a person has to see to.
DELETE FROM delivery WHERE no IN (
    SELECT no FROM delivery
    WHERE settled_at IS NOT NULL AND state <> 'refused' AND cdr_no IS NULL AND settled_at < now() - $1::interval
    ORDER BY settled_at LIMIT $2
    FOR UPDATE SKIP LOCKED)
