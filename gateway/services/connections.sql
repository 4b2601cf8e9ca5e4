-- name: all
-- Every connection with the revision at which they were read; one row of nulls if there is none.
SELECT r.revision, r.revision - r.alone AS agreed, c.id, c.name, c.hub, c.mode, c.state, c.scope, c.settings, c.secrets, c.why,
    c.xmin::text::bigint AS version
FROM registry r LEFT JOIN connection c ON true ORDER BY c.id

-- name: revision
SELECT revision FROM registry

-- name: raise_revision
-- $1: connections changed alone, and no agreement.
UPDATE registry SET revision = revision + 1, alone = alone + $1::bool::int

-- name: by_token_hash
SELECT c.id, c.token_hash, r.revision FROM connection c, registry r WHERE c.token_hash = $1

-- name: insert
INSERT INTO connection (name, hub, mode, state, scope, settings, why, rank) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (name) DO NOTHING RETURNING id

-- name: of_hub
SELECT name FROM connection WHERE hub = $1

-- name: set_mode
UPDATE connection SET mode = $2 WHERE id = $1

-- name: set_scope
UPDATE connection SET scope = $2 WHERE id = $1

-- name: set_state
UPDATE connection SET state = $2, why = $3, faulty = false WHERE id = $1

-- name: set_settings
UPDATE connection SET settings = $2 WHERE id = $1

-- name: render_again
-- Everything is rendered anew; what a hub has as it would be sent now is not sent. Not before every replica has noticed
-- the change ($2), or one would render by the settings that were.
UPDATE projection SET
    wanted = wanted + 1,
    refused = false,
    shadowed = false,
    pending = NOT held,
    due_at = now() + $2,
    since = CASE WHEN pending THEN since ELSE now() END
WHERE connection_id = $1

-- name: unbilled
-- What nobody would be paid for if a connection were gone; no row where there is nothing.
SELECT * FROM (SELECT
    (SELECT count(*) FROM delivery WHERE connection_id = $1 AND cdr_no IS NOT NULL AND NOT shadow
        AND state IN ('pending', 'refused')) AS cdrs,
    (SELECT count(*) FROM session WHERE connection_id = $1 AND cdr_no IS NULL AND cdr_waived IS NULL
        AND status <> 'INVALID') AS sessions) open
WHERE cdrs > 0 OR sessions > 0

-- name: remove
-- Sessions and CDRs stay, as what roamed over a connection that is gone.
WITH claims AS (UPDATE evse SET claims = array_remove(claims, $1) WHERE $1 = ANY(claims))
DELETE FROM connection WHERE id = $1

-- name: set_token
UPDATE connection SET token_hash = $2 WHERE id = $1

-- name: set_credentials
-- A pause by a person stays, whatever the hub does; one by the gateway itself, for credentials that failed, ends.
UPDATE connection SET
    secrets = $2,
    token_hash = $3,
    state = CASE WHEN state = 'paused' AND NOT faulty THEN state ELSE $4 END,
    why = CASE WHEN state = 'paused' AND NOT faulty THEN why ELSE $5 END,
    faulty = false
WHERE id = $1

-- name: audit
INSERT INTO audit (who, action, subject, detail) VALUES ($1, $2, $3, $4)

-- name: show_shadowed
-- What was only shown while the connection was in shadow mode is sent once it is live; where an operation ($2) follows
-- another ($3) that has not accepted the key, after that.
WITH unmet AS (
    SELECT s.key, s.operation
    FROM projection s JOIN unnest($2::text[], $3::text[]) AS f(operation, after) USING (operation)
    WHERE s.connection_id = $1 AND s.shadowed AND NOT s.gone AND NOT EXISTS (
        SELECT FROM projection d
        WHERE d.connection_id = $1 AND d.key = s.key AND d.operation = f.after AND d.sent_as IS NOT NULL)
)
UPDATE projection p SET
    held = p.held OR u.key IS NOT NULL,
    pending = NOT (p.held OR u.key IS NOT NULL) AND NOT p.refused,
    shadowed = false, due_at = now(), since = now()
FROM projection s LEFT JOIN unmet u USING (key, operation)
WHERE s.connection_id = $1 AND s.shadowed
    AND p.connection_id = $1 AND p.key = s.key AND p.operation = s.operation

-- name: ask_again
-- Everything is to be told again, whatever the hub has accepted; operations that follow another ($3) once that one has
-- accepted the key anew, since the hub may have lost both. Operations that replace everything at once ($2) wait for
-- their full synchronisation, except for what was refused or follows.
UPDATE projection SET
    fingerprint = CASE WHEN operation = ANY($2::text[]) THEN fingerprint END,
    wanted = wanted + 1,
    refused = false,
    shadowed = false,
    held = held OR (operation = ANY($3::text[]) AND NOT gone),
    pending = NOT (held OR (operation = ANY($3::text[]) AND NOT gone)),
    due_at = CASE WHEN pending THEN due_at ELSE now() END,
    since = CASE WHEN pending THEN since ELSE now() END
WHERE connection_id = $1
    AND (refused OR NOT operation = ANY($2::text[]) OR operation = ANY($3::text[]) AND NOT gone)

-- name: count
SELECT count(*) FROM projection WHERE connection_id = $1 AND NOT gone

-- name: schedule_full_sync
INSERT INTO full_sync (connection_id, operation, due_at) VALUES ($1, $2, $3)
ON CONFLICT (connection_id, operation) DO UPDATE SET due_at = excluded.due_at

-- name: plan_full_sync
INSERT INTO full_sync (connection_id, operation, due_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- name: forget_operations
-- What other operations than these ($2) were to tell is told by nobody any more.
WITH letters AS (DELETE FROM dead_letter WHERE connection_id = $1 AND operation <> ALL($2::text[])),
    issues AS (DELETE FROM issue WHERE connection_id = $1 AND operation <> ALL($2::text[])),
    synced AS (DELETE FROM full_sync WHERE connection_id = $1 AND operation <> ALL($2::text[]))
DELETE FROM projection WHERE connection_id = $1 AND operation <> ALL($2::text[])

-- name: counts
SELECT connection_id, operation,
    count(*) FILTER (WHERE NOT gone) AS wanted,
    count(*) FILTER (WHERE acked = wanted AND NOT gone) AS acked,
    count(*) FILTER (WHERE pending) AS pending,
    count(*) FILTER (WHERE refused) AS refused,
    count(*) FILTER (WHERE held) AS held,
    count(*) FILTER (WHERE shadowed) AS shadowed
FROM projection WHERE $1::int IS NULL OR connection_id = $1
GROUP BY connection_id, operation ORDER BY connection_id, operation

-- name: difference
SELECT p.operation, p.key, p.gone, p.wanted, p.acked, p.sent_as, p.since, coalesce(d.reason, p.error) AS error,
    CASE WHEN p.refused THEN 'refused' WHEN p.held THEN 'held' WHEN p.shadowed THEN 'shadowed' ELSE 'pending' END AS state
FROM projection p
LEFT JOIN dead_letter d USING (connection_id, operation, key)
WHERE p.connection_id = $1 AND (p.wanted > p.acked) AND ($2::text IS NULL OR p.operation = $2)
    AND (p.key, p.operation) > ($3, $4)
ORDER BY p.key, p.operation LIMIT $5
