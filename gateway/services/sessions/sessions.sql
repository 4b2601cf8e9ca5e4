-- name: lock
SELECT s.no, s.body, s.place, s.digest, s.review, s.assigned, s.last_updated, s.cdr_no, s.cdr_waived, s.ended_at, s.status, s.updated_at,
    s.connection_id, s.authorisation_no, a.id AS authorisation, a.evse_uid AS admitted_at, a.leg,
    a.connection_id AS roams_over
FROM session s LEFT JOIN authorisation a ON a.no = s.authorisation_no
WHERE s.party = $1 AND s.session_id = $2
FOR UPDATE OF s

-- name: bill
-- The CDR of a session.
SELECT body FROM cdr WHERE no = $1

-- name: insert
INSERT INTO session (party, session_id, body, place, digest, status, authorisation_no, connection_id, review, ended_at, last_updated)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (party, session_id) DO NOTHING
RETURNING no

-- name: update
-- What its CDR ended stays ended, whatever a report says that came late.
UPDATE session SET
    body = $2, place = $3, digest = $4, status = $5, authorisation_no = $6, connection_id = $7, review = $8,
    ended_at = coalesce($9, ended_at), last_updated = $10, updated_at = now()
WHERE no = $1

-- name: assign
UPDATE session SET authorisation_no = $2, connection_id = $3, review = NULL, assigned = true, updated_at = now()
WHERE no = $1

-- name: named
-- The authorisations that a reference leads to: our id, or what a hub wants to see again. `silent`: of a command that timed
-- out, unlike a tap that no hub answered: that one the backend was told is denied.
SELECT a.no, a.id, a.location_id, a.evse_uid, a.identity, a.contract_key, a.connection_id, a.allowed, a.leg, a.at,
    a.expires_at, a.session_no, a.origin,
    NOT a.allowed AND a.reason = 'NO_ANSWER' AND a.origin = ANY('{start,reserve}') AS silent
FROM authorisation a
WHERE a.party = $1 AND a.no IN (
    SELECT no FROM authorisation WHERE id = $2
    UNION ALL
    SELECT authorisation_no FROM session_ref WHERE kind = 'reference' AND value = $2)
ORDER BY a.no

-- name: nearby
-- Those that may still begin a session at an EVSE; the newest of very many.
SELECT a.no, a.id, a.location_id, a.evse_uid, a.identity, a.contract_key, a.connection_id, a.allowed, a.leg, a.at,
    a.expires_at, a.session_no, a.origin, false AS silent
FROM authorisation a
WHERE a.party = $1 AND a.evse_uid = $2 AND a.location_id = $3 AND a.allowed AND a.session_no IS NULL AND a.at <= $4
    AND (a.at >= $5 OR a.expires_at >= $6)
ORDER BY a.at DESC LIMIT 100

-- name: is_foreign
-- Whether a token is one that an EMSP pushed, so that somebody else than the operator's own customer holds it.
SELECT EXISTS (SELECT FROM token WHERE listed AND uid_key = $1 UNION ALL SELECT FROM token WHERE listed AND contract_key = $2)

-- name: claim
-- An authorisation serves one session, unless it was denied meanwhile. One of a command that timed out was given all the same.
UPDATE authorisation SET session_no = $2, allowed = true, reason = NULL
WHERE no = $1 AND (allowed OR reason = 'NO_ANSWER' AND origin = ANY('{start,reserve}'))
    AND (session_no IS NULL OR session_no = $2)
RETURNING no

-- name: add_own_id
-- By it a hub may name the session that it was told. Of parties that give out the same ids, the newer session has it.
INSERT INTO session_ref (connection_id, kind, value, authorisation_no) VALUES ($1, 'own', $2, $3)
ON CONFLICT (connection_id, kind, value) DO UPDATE SET authorisation_no = excluded.authorisation_no

-- name: told
SELECT connection_id, told FROM session_told WHERE session_no = $1

-- name: tell
INSERT INTO session_told (session_no, connection_id, told)
SELECT $1, i.connection_id, i.told FROM unnest($2::int[], $3::json[]) AS i(connection_id, told)
ON CONFLICT (session_no, connection_id) DO UPDATE SET told = excluded.told

-- name: audit
INSERT INTO audit (who, action, subject, detail) VALUES ($1, $2, $3, $4)

-- name: waive
UPDATE session SET cdr_waived = $2, updated_at = now() WHERE no = $1

-- name: one
SELECT s.no, s.body, s.review, s.ended_at, s.cdr_waived, s.updated_at, a.id AS authorisation, c.name AS connection,
    d.cdr_id AS cdr, s.authorisation_no
FROM session s
LEFT JOIN authorisation a ON a.no = s.authorisation_no
LEFT JOIN connection c ON c.id = s.connection_id
LEFT JOIN cdr d ON d.no = s.cdr_no
WHERE s.party = $1 AND s.session_id = $2

-- name: list
SELECT s.no, s.body, s.review, s.ended_at, s.cdr_waived, s.updated_at, a.id AS authorisation, c.name AS connection,
    d.cdr_id AS cdr
FROM session s
LEFT JOIN authorisation a ON a.no = s.authorisation_no
LEFT JOIN connection c ON c.id = s.connection_id
LEFT JOIN cdr d ON d.no = s.cdr_no
WHERE s.no < $1
    AND ($2::text[] IS NULL OR s.party = ANY($2))
    AND ($3::text IS NULL OR s.status = $3)
    AND ($4::boolean IS NULL OR (s.review IS NOT NULL) = $4)
    AND ($5::text IS NULL OR c.name = $5)
    AND ($8::text IS NULL OR s.body ->> 'location_id' = $8)
    AND ($9::text IS NULL OR s.body ->> 'evse_uid' = $9)
    AND ($10::text IS NULL OR s.body ->> 'reference' = $10 OR s.authorisation_no IN (
        SELECT no FROM authorisation WHERE id = $10
        UNION ALL
        SELECT authorisation_no FROM session_ref WHERE kind = 'reference' AND value = $10))
    AND ($6::interval IS NULL OR s.ended_at < now() - $6::interval AND s.cdr_no IS NULL AND s.cdr_waived IS NULL
        AND s.status = 'COMPLETED')
ORDER BY s.no DESC LIMIT $7

-- name: refs
SELECT c.name AS connection, r.kind, r.value
FROM session_ref r JOIN connection c ON c.id = r.connection_id
WHERE r.authorisation_no = $1 ORDER BY c.name, r.kind, r.value

-- name: how_far
SELECT c.name AS connection, t.told::text AS told,
    count(*) FILTER (WHERE d.state = 'pending') AS pending,
    count(*) FILTER (WHERE d.state = 'delivered') AS delivered,
    count(*) FILTER (WHERE d.state = 'refused') AS refused,
    (array_agg(d.error ORDER BY d.no DESC) FILTER (WHERE d.error IS NOT NULL AND d.state IN ('pending', 'refused')))[1] AS error
FROM session_told t
JOIN connection c ON c.id = t.connection_id
LEFT JOIN delivery d ON d.session_no = t.session_no AND d.connection_id = t.connection_id
WHERE t.session_no = $1
GROUP BY c.name, t.told::text ORDER BY c.name

-- name: awaiting_cdr
-- Sessions that ended longer ago than $1 and of whose missing CDR nobody was told; each replica takes others.
UPDATE session SET alarmed_at = now()
WHERE no IN (
    SELECT no FROM session
    WHERE ended_at < now() - $1::interval AND cdr_no IS NULL AND cdr_waived IS NULL AND status = 'COMPLETED'
        AND alarmed_at IS NULL
    ORDER BY ended_at LIMIT $2
    FOR UPDATE SKIP LOCKED)
RETURNING party, session_id, ended_at
