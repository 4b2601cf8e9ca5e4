-- name: claim
-- Finds due projections of an operation, the oldest first, and leases their lanes. What is to be told in them is read
-- after this (`claimed`): while this statement waited for a lane, somebody else may have told it. What was written at one
-- moment is taken lane by lane, so that a location and its EVSEs, written together, are told together.
WITH due AS MATERIALIZED (
    SELECT p.key, p.lane, p.due_at
    FROM projection p
    WHERE p.connection_id = $1 AND p.operation = $2 AND p.pending AND p.due_at <= clock_timestamp()
        AND NOT EXISTS (
            SELECT FROM lane l
            WHERE l.connection_id = p.connection_id AND l.operation = p.operation AND l.lane = p.lane
                AND (l.expires_at > now() OR l.retry_at > now()))
    ORDER BY p.due_at, p.lane
    LIMIT $3
), lanes AS (
    SELECT lane FROM due GROUP BY lane ORDER BY min(due_at), lane LIMIT $4
), leased AS (
    INSERT INTO lane AS l (connection_id, operation, lane, holder, fence, expires_at)
    SELECT $1, $2, lane, $5, nextval('fence'), clock_timestamp() + $6 FROM lanes ORDER BY lane
    ON CONFLICT (connection_id, operation, lane) DO UPDATE SET
        holder = excluded.holder, fence = excluded.fence, expires_at = excluded.expires_at, broken = l.holder <> ''
    WHERE l.expires_at <= now() AND l.retry_at <= now()
    RETURNING lane, fence, attempts, broken
)
SELECT leased.lane, leased.fence, leased.attempts, leased.broken, array_agg(due.key) AS keys
FROM due JOIN leased USING (lane)
GROUP BY leased.lane, leased.fence, leased.attempts, leased.broken
ORDER BY min(due.due_at)

-- name: doubt
-- The last holder of these lanes may have told anything that was pending: what the hub has is not known any more.
UPDATE projection SET fingerprint = NULL, attempts = attempts + 1
WHERE connection_id = $1 AND operation = $2 AND lane = ANY($3::text[]) AND pending

-- name: claimed
-- What is to be told of some keys in leased lanes.
SELECT p.key, p.lane, p.location_no, p.evse_no, p.tariff_no, p.driver_token_no, p.evse_uid, p.follows_status, p.wanted,
    p.acked, p.gone, p.attempts, p.since, p.sent_as, p.fingerprint, p.attempt, e.status
FROM projection p LEFT JOIN evse e ON e.no = p.evse_no
WHERE p.connection_id = $1 AND p.operation = $2 AND p.key = ANY($3::text[]) AND p.pending
ORDER BY p.due_at

-- name: lease
-- Leases one lane, for a full synchronisation.
INSERT INTO lane AS l (connection_id, operation, lane, holder, fence, expires_at)
VALUES ($1, $2, $3, $4, nextval('fence'), clock_timestamp() + $5)
ON CONFLICT (connection_id, operation, lane) DO UPDATE SET
    holder = excluded.holder, fence = excluded.fence, expires_at = excluded.expires_at, broken = l.holder <> ''
WHERE l.expires_at <= now() AND l.retry_at <= now()
RETURNING fence, attempts, broken

-- name: everything
-- What a hub should have of an operation, and what it should lose, for a full synchronisation; at most $3 rows.
SELECT p.key, p.lane, p.location_no, p.evse_no, p.tariff_no, p.driver_token_no, p.evse_uid, p.follows_status, p.wanted,
    p.acked, p.gone, p.attempts, p.since, p.sent_as, p.fingerprint, NULL::json AS attempt, e.status
FROM projection p LEFT JOIN evse e ON e.no = p.evse_no
WHERE p.connection_id = $1 AND p.operation = $2 AND NOT p.held AND NOT p.refused
LIMIT $3

-- name: count
SELECT count(*) FROM projection WHERE connection_id = $1 AND operation = $2 AND NOT held AND NOT refused

-- name: known
-- All that a hub has or should have of an operation, a page after the last key; what was refused is wanted no more, but
-- an earlier state of it may be there.
SELECT p.key, p.lane, p.location_no, p.evse_no, p.tariff_no, p.driver_token_no, p.evse_uid, p.follows_status, p.wanted,
    p.acked, p.gone, p.attempts, p.since, p.sent_as, p.fingerprint, NULL::json AS attempt, e.status, p.refused
FROM projection p LEFT JOIN evse e ON e.no = p.evse_no
WHERE p.connection_id = $1 AND p.operation = $2 AND NOT (p.held AND p.sent_as IS NULL) AND p.key > $3
ORDER BY p.key LIMIT $4

-- name: replaced
-- The hub has nothing but what it was given whole ($3): what else it had is gone there, and would be sent anew. What
-- follows it ($4) waits until it is there again; whether the hub still has that is not known.
WITH lost AS (
    UPDATE projection SET sent_as = NULL, fingerprint = NULL
    WHERE connection_id = $1 AND operation = $2 AND sent_as IS NOT NULL AND key <> ALL($3::text[])
    RETURNING key
)
UPDATE projection f SET held = true, pending = false, fingerprint = NULL
FROM lost WHERE f.connection_id = $1 AND f.operation = ANY($4::text[]) AND f.key = lost.key AND NOT f.gone

-- name: extend
-- Only leases that this process works under: one whose work broke off runs out, and somebody does the work again.
UPDATE lane SET expires_at = clock_timestamp() + $2
WHERE holder = $1 AND fence = ANY($3::bigint[]) AND expires_at > clock_timestamp()

-- name: ours
-- Which of some lanes are still ours, locked until the transaction ends, in the order that every settlement takes.
SELECT lane, fence FROM lane
WHERE connection_id = $1 AND operation = $2
    AND (lane, fence) IN (SELECT * FROM unnest($3::text[], $4::bigint[]))
ORDER BY lane FOR UPDATE

-- name: lock
-- The projections that are about to be settled, and their followers ($4), locked in the order of everybody who locks
-- projections. What is written after this is decided on what they are now.
SELECT FROM projection
WHERE connection_id = $1 AND key = ANY($3::text[]) AND (operation = $2 OR operation = ANY($4::text[]))
ORDER BY evse_no NULLS FIRST, connection_id, key, operation
FOR UPDATE

-- name: accept
-- The hub has these as they were at revision `wanted`; what changed since stays pending, unless it has to wait for what
-- it follows since then. A null `sent_as` was deleted.
WITH input AS (
    SELECT * FROM unnest($3::text[], $4::bigint[], $5::bytea[], $6::text[]) AS i(key, wanted, fingerprint, sent_as)
), deleted AS (
    DELETE FROM projection p USING input i
    WHERE p.connection_id = $1 AND p.operation = $2 AND p.key = i.key
        AND i.sent_as IS NULL AND p.gone AND p.wanted = i.wanted
), letters AS (
    DELETE FROM dead_letter d USING input i WHERE d.connection_id = $1 AND d.operation = $2 AND d.key = i.key
), followers AS (
    UPDATE projection f SET held = false, pending = true, due_at = clock_timestamp(), since = clock_timestamp()
    FROM input i
    WHERE f.connection_id = $1 AND f.operation = ANY($7::text[]) AND f.key = i.key AND f.held AND i.sent_as IS NOT NULL
)
UPDATE projection p SET
    acked = i.wanted,
    acked_at = clock_timestamp(),
    fingerprint = CASE WHEN i.sent_as IS NULL THEN NULL ELSE i.fingerprint END,
    sent_as = i.sent_as,
    pending = p.wanted > i.wanted AND (p.gone OR NOT p.held),
    refused = false,
    shadowed = false,
    attempts = 0,
    attempt = NULL,
    error = NULL
FROM input i
WHERE p.connection_id = $1 AND p.operation = $2 AND p.key = i.key AND p.acked <= i.wanted
    AND NOT (i.sent_as IS NULL AND p.gone AND p.wanted = i.wanted)

-- name: is_shadow
-- Whether the connection is still in shadow mode; it stays so until the transaction ends.
SELECT mode = 'shadow' FROM connection WHERE id = $1 FOR SHARE

-- name: shadow
-- These were rendered and would have been sent.
WITH input AS (
    SELECT * FROM unnest($3::text[], $4::bigint[]) AS i(key, wanted)
), followers AS (
    UPDATE projection f SET held = false, pending = true, due_at = clock_timestamp(), since = clock_timestamp()
    FROM input i
    WHERE f.connection_id = $1 AND f.operation = ANY($5::text[]) AND f.key = i.key AND f.held
)
UPDATE projection p SET pending = p.wanted > i.wanted, shadowed = true
FROM input i
WHERE p.connection_id = $1 AND p.operation = $2 AND p.key = i.key

-- name: refuse
-- These leave the lane: what they say will not be taken. A change since then is another content, and tried. The hub said
-- what it thinks of them, so that it is in doubt no more whether it acted upon an earlier attempt.
WITH input AS (
    SELECT * FROM unnest($3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::json[])
        AS i(key, wanted, code, reason, field, body)
), parked AS (
    UPDATE projection p SET
        refused = p.wanted = i.wanted, pending = p.wanted > i.wanted AND (p.gone OR NOT p.held),
        attempts = 0, attempt = NULL, error = i.reason
    FROM input i
    WHERE p.connection_id = $1 AND p.operation = $2 AND p.key = i.key
)
INSERT INTO dead_letter (connection_id, operation, key, wanted, code, reason, field, attempts, body)
SELECT $1, $2, i.key, i.wanted, i.code, i.reason, i.field, p.attempts + 1, i.body
FROM input i JOIN projection p ON p.connection_id = $1 AND p.operation = $2 AND p.key = i.key
ORDER BY i.key
ON CONFLICT (connection_id, operation, key) DO UPDATE SET
    wanted = excluded.wanted, code = excluded.code, reason = excluded.reason, field = excluded.field,
    attempts = excluded.attempts, body = excluded.body, at = now()

-- name: forget
-- The hub does not know some objects any more: whatever it accepted of them is told anew, whole. Tells the lanes in which
-- there was something to forget.
WITH forgotten AS (
    UPDATE projection SET
        sent_as = NULL, fingerprint = NULL, attempt = NULL, refused = false, wanted = wanted + 1, pending = NOT held,
        due_at = clock_timestamp(), since = CASE WHEN pending THEN since ELSE clock_timestamp() END
    WHERE connection_id = $1 AND operation = $2 AND lane = ANY($3::text[]) AND sent_as IS NOT NULL
    RETURNING lane
)
SELECT DISTINCT lane FROM forgotten

-- name: postpone
-- These are tried again at a time; an attempt that must go out first is kept with its item. Of what was told without an
-- answer it is not known any more what the hub has.
UPDATE projection p SET
    due_at = i.due_at, attempts = p.attempts + i.tried, error = coalesce(i.error, p.error),
    attempt = coalesce(i.attempt, p.attempt), fingerprint = CASE WHEN NOT i.doubtful THEN p.fingerprint END
FROM unnest($3::text[], $4::timestamptz[], $5::int[], $6::text[], $7::json[], $8::boolean[])
    AS i(key, due_at, tried, error, attempt, doubtful)
WHERE p.connection_id = $1 AND p.operation = $2 AND p.key = i.key AND p.pending

-- name: rest
-- A lane that failed rests; nobody leases it before its time.
UPDATE lane l SET
    holder = '', broken = false, expires_at = '-infinity', retry_at = i.retry_at, attempts = l.attempts + 1, error = i.error
FROM unnest($3::text[], $4::timestamptz[], $5::text[]) AS i(lane, retry_at, error)
WHERE l.connection_id = $1 AND l.operation = $2 AND l.lane = i.lane

-- name: release
DELETE FROM lane WHERE connection_id = $1 AND operation = $2 AND lane = ANY($3::text[])

-- name: write_issues
WITH input AS (
    SELECT * FROM unnest($3::text[], $4::json[]) AS i(key, issues)
), none AS (
    DELETE FROM issue s USING input i
    WHERE s.connection_id = $1 AND s.operation = $2 AND s.key = i.key AND i.issues IS NULL
)
INSERT INTO issue (connection_id, operation, key, issues)
SELECT $1, $2, key, issues FROM input WHERE issues IS NOT NULL ORDER BY key
ON CONFLICT (connection_id, key, operation) DO UPDATE SET issues = excluded.issues

-- name: blocked
SELECT key FROM projection WHERE connection_id = $1 AND operation = $2 AND pending

-- name: there
-- What a hub has of an operation, or would have, were it sent what is shown in shadow mode.
SELECT key FROM projection
WHERE connection_id = $1 AND operation = $2 AND NOT gone AND (sent_as IS NOT NULL OR shadowed)

-- name: look_again
-- Operations that refer to things of another one ($2) of which the hub has others now: what they say may be another, also
-- where it was refused, since the hub may have refused it for a thing that it had not. What the hub accepted stays known,
-- so that nothing is sent for what says the same.
WITH locked AS MATERIALIZED (
    SELECT key, operation FROM projection
    WHERE connection_id = $1 AND operation = ANY($2::text[]) AND NOT (gone OR held)
    ORDER BY evse_no NULLS FIRST, connection_id, key, operation
    FOR UPDATE
)
UPDATE projection p SET
    wanted = p.wanted + 1, pending = true, refused = false,
    due_at = CASE WHEN p.pending THEN p.due_at ELSE now() END, since = CASE WHEN p.pending THEN p.since ELSE now() END
FROM locked l WHERE p.connection_id = $1 AND p.key = l.key AND p.operation = l.operation

-- name: in_and_out_of_force
-- What speaks of a tariff that began or ended since it was last to be told: what a hub is told may hang on the time. Not
-- since the hub acknowledged it, which may be long after it was planned. Some seconds later, so that it has begun by
-- everybody's clock.
WITH locked AS MATERIALIZED (
    SELECT p.connection_id, p.key, p.operation
    FROM projection p JOIN tariff t ON t.no = p.tariff_no
    WHERE NOT (p.pending OR p.held OR p.refused OR p.gone) AND EXISTS (
        SELECT FROM (VALUES (t.body ->> 'start'), (t.body ->> 'end')) AS moment (at)
        WHERE at::timestamptz + interval '5 seconds' BETWEEN p.since AND now())
    ORDER BY p.evse_no NULLS FIRST, p.connection_id, p.key, p.operation
    FOR UPDATE OF p
)
UPDATE projection p SET wanted = p.wanted + 1, pending = true, due_at = now(), since = now()
FROM locked l WHERE p.connection_id = l.connection_id AND p.key = l.key AND p.operation = l.operation

-- name: pace
-- Reserves the next moment at which a paced operation may be called, and tells how long to wait for it.
INSERT INTO pace AS p (connection_id, operation, next_at) VALUES ($1, $2, clock_timestamp() + $3)
ON CONFLICT (connection_id, operation) DO UPDATE SET next_at = greatest(p.next_at, clock_timestamp()) + $3
RETURNING greatest(extract(epoch FROM next_at - $3 - clock_timestamp()), 0)::float8

-- name: turn
-- Takes the turn of an operation that is paced slowly, if it is there; tells how long it is until then, 0 once it is taken.
-- Nothing is reserved ahead, so that whoever ends while it waits has taken nothing.
WITH taken AS (
    INSERT INTO pace AS p (connection_id, operation, next_at) VALUES ($1, $2, clock_timestamp() + $3)
    ON CONFLICT (connection_id, operation) DO UPDATE SET next_at = excluded.next_at
    WHERE p.next_at <= clock_timestamp()
    RETURNING next_at
)
SELECT CASE WHEN EXISTS (SELECT FROM taken) THEN 0 ELSE coalesce((
    SELECT greatest(extract(epoch FROM next_at - clock_timestamp()), 0.01) FROM pace
    WHERE connection_id = $1 AND operation = $2), 0.01) END::float8

-- name: turn_in
-- How long it is until the turn of a slowly paced operation.
SELECT coalesce((
    SELECT greatest(extract(epoch FROM next_at - clock_timestamp()), 0) FROM pace
    WHERE connection_id = $1 AND operation = $2), 0)::float8

-- name: full_sync_due
-- Not before that of the operation that this one follows ($3), nor while that one has something to tell: the hub would
-- refuse the whole for one record of which it does not have what comes first.
SELECT EXISTS (SELECT FROM full_sync WHERE connection_id = $1 AND operation = $2 AND due_at <= now())
    AND NOT EXISTS (SELECT FROM full_sync WHERE connection_id = $1 AND operation = $3 AND due_at <= now())
    AND NOT EXISTS (SELECT FROM projection WHERE connection_id = $1 AND operation = $3 AND pending)

-- name: full_sync_done
INSERT INTO full_sync (connection_id, operation, due_at) VALUES ($1, $2, now() + $3)
ON CONFLICT (connection_id, operation) DO UPDATE SET due_at = excluded.due_at

-- name: ask_again
UPDATE projection SET fingerprint = NULL, wanted = wanted + 1, pending = NOT held AND NOT refused,
    due_at = CASE WHEN pending THEN due_at ELSE now() END, since = CASE WHEN pending THEN since ELSE now() END
WHERE connection_id = $1 AND operation = $2 AND NOT gone

-- name: alone
-- Whoever changes a connection has the registry first, as `Links.changing`; the other way round two of them could deadlock.
SELECT FROM registry FOR UPDATE

-- name: pause
-- Only as the caller knew it: what failed before somebody made it ready again says nothing of it.
UPDATE connection SET state = 'paused', why = $2, faulty = true
WHERE id = $1 AND state = 'ready' AND xmin::text::bigint = $3 RETURNING name

-- name: audit_pause
WITH raised AS (UPDATE registry SET revision = revision + 1, alone = alone + 1)
INSERT INTO audit (who, action, subject, detail) VALUES ('gateway', 'paused', $1, $2)

-- name: quiet
-- Whether nothing is left to do anywhere: nothing pending, no lane held, no full synchronisation due that could be made.
SELECT NOT EXISTS (SELECT FROM projection WHERE pending)
    AND NOT EXISTS (SELECT FROM delivery WHERE state = 'pending')
    AND NOT EXISTS (SELECT FROM lane WHERE expires_at > clock_timestamp())
    AND NOT EXISTS (
        SELECT FROM full_sync s JOIN connection c ON c.id = s.connection_id
        WHERE s.due_at <= clock_timestamp() AND c.mode = 'live' AND c.state = 'ready')
