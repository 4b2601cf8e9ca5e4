-- name: ways_by_id
-- The ways to an EVSE by its public id, the preferred one first.
SELECT e.connection_id, l.party, l.location_id, e.uid, e.evse_key, l.body
FROM (
    SELECT * FROM catalogue_evse WHERE preferred AND evse_key = $1
    UNION ALL
    SELECT * FROM catalogue_evse WHERE NOT preferred AND evse_key = $1
) e
JOIN catalogue_location l ON l.no = e.location_no JOIN connection c ON c.id = e.connection_id
WHERE NOT e.removed AND l.withdrawn_at IS NULL
ORDER BY e.preferred DESC, c.rank, e.no

-- name: ways_by_location
SELECT e.connection_id, l.party, l.location_id, e.uid, e.evse_key, l.body
FROM catalogue_location l JOIN catalogue_evse e ON e.location_no = l.no
WHERE l.connection_id = $1 AND lower(l.location_id) = lower($2) AND ($3::text IS NULL OR l.party = $3)
    AND lower(e.uid) = lower($4)
    AND NOT e.removed AND l.withdrawn_at IS NULL
ORDER BY e.no

-- name: token
SELECT no, body FROM driver_token WHERE party = $1 AND type = $2 AND uid_key = $3 AND withdrawn_at IS NULL

-- name: tokens_by_uid
SELECT no, body FROM driver_token
WHERE party = $1 AND uid_key = $2 AND ($3::text IS NULL OR contract_key = $3) AND withdrawn_at IS NULL
ORDER BY no LIMIT 50

-- name: tokens_by_contract
SELECT no, body FROM driver_token WHERE party = $1 AND contract_key = $2 AND withdrawn_at IS NULL ORDER BY no LIMIT 50

-- name: charge_of_permit
SELECT p.no AS permit_no, p.id AS permit, p.party, p.origin, coalesce(s.cpo, p.cpo) AS cpo, p.leg, p.connection_id,
    coalesce(s.evse_key, p.evse_key) AS evse_key, s.no AS session_no, s.session_id, s.ended_at
FROM permit p LEFT JOIN received_session s ON s.no = p.received_session_no
WHERE p.id = $1 AND p.party = $2

-- name: charge_of_session
SELECT p.no AS permit_no, p.id AS permit, s.party, p.origin, s.cpo, p.leg, s.connection_id, s.evse_key, s.no AS session_no,
    s.session_id, s.ended_at
FROM received_session s LEFT JOIN permit p ON p.no = s.permit_no
WHERE s.no = $1 AND s.party = $2

-- name: plugged_in
-- Whether a charge of an EMSP's driver holds a plug at an EVSE: it runs, ended since $4, or is
-- untold and may run ($5 now, $6 for how long after a permit without an end).
SELECT EXISTS (
    SELECT FROM received_session
    WHERE connection_id = $1 AND evse_key = $2 AND party = $3 AND (ended_at IS NULL OR ended_at > $4)
) OR EXISTS (
    SELECT FROM permit
    WHERE connection_id = $1 AND evse_key = $2 AND party = $3 AND allowed AND received_session_no IS NULL
        AND origin <> 'reserve' AND coalesce(expires_at, at + $6) > $5
)

-- name: insert
INSERT INTO sent_command (id, connection_id, kind, party, cpo, request_id, evse_key, body, wish, permit_no, at, deadline)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (party, request_id) DO NOTHING
RETURNING id

-- name: requested
SELECT id, wish FROM sent_command WHERE party = $1 AND request_id = $2

-- name: lock
SELECT m.id, m.connection_id, m.kind, m.party, m.cpo, m.permit_no, m.result, m.answer, m.late, p.leg, p.agreement
FROM sent_command m LEFT JOIN permit p ON p.no = m.permit_no
WHERE m.id = $1 FOR UPDATE OF m

-- name: settle
UPDATE sent_command SET result = $2, answer = $3, answered_at = $4 WHERE id = $1

-- name: late
UPDATE sent_command SET late = $2 WHERE id = $1

-- name: hasten
UPDATE sent_command SET deadline = least(deadline, $2) WHERE id = $1 AND result IS NULL

-- name: expire_permit
UPDATE permit SET expires_at = least(expires_at, $2) WHERE no = $1

-- name: answer_of
SELECT answer FROM sent_command WHERE id = $1 AND result IS NOT NULL

-- name: overdue
SELECT id FROM sent_command WHERE result IS NULL AND deadline < $1 ORDER BY deadline LIMIT 100

-- name: told
SELECT m.party, json_strip_nulls(json_build_object('id', m.id, 'request_id', m.request_id, 'kind', m.kind,
    'connection', c.name, 'cpo', m.cpo, 'evse', m.evse_key, 'permit', p.id, 'result', m.result,
    'text', m.answer ->> 'text', 'session_id', m.answer ->> 'session_id', 'late', m.late)) AS data
FROM sent_command m LEFT JOIN connection c ON c.id = m.connection_id LEFT JOIN permit p ON p.no = m.permit_no
WHERE m.id = $1

-- name: list
SELECT m.id, m.request_id, c.name AS connection, m.kind, m.party, m.cpo, m.evse_key, m.body, p.id AS permit, m.at, m.deadline,
    m.result, m.answer, m.late, m.answered_at
FROM sent_command m LEFT JOIN connection c ON c.id = m.connection_id LEFT JOIN permit p ON p.no = m.permit_no
WHERE ($1::text[] IS NULL OR m.party = ANY($1)) AND ($2::text IS NULL OR m.cpo = $2) AND ($3::text IS NULL OR c.name = $3)
    AND ($4::text IS NULL OR m.kind = $4) AND ($5::boolean IS NULL OR (m.result IS NULL) = $5)
    AND ($6::timestamptz IS NULL OR m.at >= $6) AND ($7::timestamptz IS NULL OR m.at < $7)
    AND ($8::timestamptz IS NULL OR (m.at, m.id) < ($8, $9))
ORDER BY m.at DESC, m.id DESC LIMIT $10

-- name: one
SELECT m.id, m.request_id, c.name AS connection, m.kind, m.party, m.cpo, m.evse_key, m.body, p.id AS permit, m.at, m.deadline,
    m.result, m.answer, m.late, m.answered_at
FROM sent_command m LEFT JOIN connection c ON c.id = m.connection_id LEFT JOIN permit p ON p.no = m.permit_no
WHERE ($1::text[] IS NULL OR m.party = ANY($1)) AND m.id = $2
