-- name: evses_by_id
-- Of several EVSEs with one id the one that the connection shows first, then the newest.
SELECT e.party, e.uid, l.body FROM evse e JOIN location l ON l.no = e.location_no
WHERE e.evse_key = $1 AND NOT e.removed AND l.withdrawn_at IS NULL
    AND ($2::text[] IS NULL OR e.party = ANY($2))
ORDER BY $3 = ANY(e.claims) DESC, e.status_at DESC, e.location_id LIMIT 10

-- name: evses_by_location
-- Of a location without a named EVSE a free one first.
SELECT e.party, e.uid, l.body FROM evse e JOIN location l ON l.no = e.location_no
WHERE e.location_id = $1 AND ($4::text IS NULL OR e.uid = $4) AND NOT e.removed AND l.withdrawn_at IS NULL
    AND ($2::text[] IS NULL OR e.party = ANY($2))
ORDER BY $3 = ANY(e.claims) DESC, e.status = 'AVAILABLE' DESC, e.uid LIMIT 10

-- name: charges
-- Everything over a connection that has an id, whoever gave it.
SELECT a.no, a.id, a.origin, a.party, a.location_id, a.evse_uid, a.connector_id, a.leg, a.allowed, a.at, a.expires_at,
    s.no AS session_no, s.session_id, s.status, s.ended_at
FROM authorisation a LEFT JOIN session s ON s.no = a.session_no
WHERE a.connection_id = $1 AND a.no IN (
    SELECT authorisation_no FROM session_ref
    WHERE connection_id = $1 AND value = $2 AND kind = ANY('{own,hub,emsp,reference}')
    UNION ALL
    SELECT authorisation_no FROM session_ref WHERE connection_id = $1 AND value = $3 AND kind = 'reservation'
    UNION ALL
    SELECT authorisation_no FROM session WHERE connection_id = $1 AND session_id = $2
)
ORDER BY a.no DESC

-- name: reservation
-- A driver's open reservation of an EVSE over a connection.
SELECT a.no, a.id FROM authorisation a LEFT JOIN session s ON s.no = a.session_no
WHERE a.party = $1 AND a.location_id = $2 AND a.evse_uid = $3 AND a.connection_id = $4
    AND (a.identity = $5 OR a.contract_key = $6)
    AND a.origin = 'reserve' AND a.allowed AND a.expires_at > $7
    AND (a.session_no IS NULL OR s.status = 'RESERVATION') AND a.id <> $8
ORDER BY a.no DESC LIMIT 1

-- name: insert
INSERT INTO command (id, connection_id, kind, party, body, dedup, session_no, authorisation_no, reply_to, result, answer,
    at, deadline, answered_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text, $11, $12::timestamptz, $13,
    CASE WHEN $10::text IS NOT NULL THEN $12::timestamptz END)
ON CONFLICT (connection_id, dedup) DO NOTHING
RETURNING id

-- name: admitted
UPDATE command SET authorisation_no = $2, follows = $3 WHERE id = $1

-- name: reserved
INSERT INTO session_ref (connection_id, kind, value, authorisation_no) VALUES ($1, 'reservation', $2, $3)
ON CONFLICT (connection_id, kind, value) DO UPDATE SET authorisation_no = excluded.authorisation_no

-- name: earlier
SELECT id, result, answer, answered_at, deadline, reply_to FROM command WHERE connection_id = $1 AND dedup = $2

-- name: done_with
-- The same command may be carried out anew.
UPDATE command SET dedup = NULL WHERE id = $1 AND result IS NOT NULL

-- name: reply_elsewhere
UPDATE command SET reply_to = $2 WHERE id = $1 AND result IS NULL

-- name: settle
-- What is said first counts; of a reservation that was accepted, also that it was cancelled.
UPDATE command SET result = $2::text, answer = $3, answered_at = $4
WHERE id = $1 AND (result IS NULL OR kind = 'RESERVE_NOW' AND result = 'ACCEPTED' AND $2::text = 'CANCELED_RESERVATION')
RETURNING id, connection_id, kind, party, reply_to, authorisation_no, follows,
    (SELECT a.id FROM authorisation a WHERE a.no = authorisation_no) AS reference

-- name: answer_of
SELECT result, answer FROM command WHERE id = $1

-- name: denied
UPDATE authorisation SET allowed = false, reason = $2 WHERE no = $1 AND session_no IS NULL

-- name: used_up
-- Nothing begins under it any more; what began goes on.
UPDATE authorisation SET expires_at = least(expires_at, $2) WHERE no = $1

-- name: reservable
UPDATE command SET dedup = NULL WHERE authorisation_no = $1 AND kind = 'RESERVE_NOW' AND result IS NOT NULL

-- name: overdue
SELECT id FROM command WHERE result IS NULL AND deadline < $1 ORDER BY deadline LIMIT 100

-- name: list
SELECT m.id, m.kind, m.party, m.body, m.at, m.deadline, m.result, m.answer, m.answered_at, c.name AS connection,
    a.id AS reference, s.session_id
FROM command m JOIN connection c ON c.id = m.connection_id
    LEFT JOIN authorisation a ON a.no = m.authorisation_no
    LEFT JOIN session s ON s.no = coalesce(m.session_no, a.session_no)
WHERE ($1::text[] IS NULL OR m.party = ANY($1)) AND ($2::text IS NULL OR c.name = $2)
    AND ($3::boolean IS NULL OR (m.result IS NULL) = $3)
    AND ($4::text IS NULL OR m.id = $4)
    AND ($5::timestamptz IS NULL OR (m.at, m.id) < ($5, $6))
ORDER BY m.at DESC, m.id DESC LIMIT $7

-- name: party_of
SELECT party FROM command WHERE id = $1
