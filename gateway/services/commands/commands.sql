-- name: evses_by_id
-- Of several EVSEs with one id the one that the connection shows first, then the newest. With each, the open reservation of a
-- driver ($4, $5) over the connection.
SELECT e.party, e.uid, l.body, r.no AS reserved_no, r.id AS reserved
FROM evse e JOIN location l ON l.no = e.location_no LEFT JOIN LATERAL (
    SELECT a.no, a.id FROM authorisation a LEFT JOIN session s ON s.no = a.session_no
    WHERE a.party = e.party AND a.location_id = e.location_id AND a.evse_uid = e.uid AND a.connection_id = $3
        AND (a.identity = $4 OR a.contract_key = $5)
        AND a.origin = 'reserve' AND a.allowed AND a.expires_at > $6
        AND (a.session_no IS NULL OR s.status = 'RESERVATION')
    ORDER BY a.no DESC LIMIT 1) r ON true
WHERE e.evse_key = $1 AND NOT e.removed AND l.withdrawn_at IS NULL
    AND ($2::text[] IS NULL OR e.party = ANY($2))
ORDER BY $3 = ANY(e.claims) DESC, e.status_at DESC, e.location_id LIMIT 10

-- name: evses_by_location
-- Of a location without a named EVSE a free one first. Reservations as above.
SELECT e.party, e.uid, l.body, r.no AS reserved_no, r.id AS reserved
FROM evse e JOIN location l ON l.no = e.location_no LEFT JOIN LATERAL (
    SELECT a.no, a.id FROM authorisation a LEFT JOIN session s ON s.no = a.session_no
    WHERE a.party = e.party AND a.location_id = e.location_id AND a.evse_uid = e.uid AND a.connection_id = $3
        AND (a.identity = $4 OR a.contract_key = $5)
        AND a.origin = 'reserve' AND a.allowed AND a.expires_at > $6
        AND (a.session_no IS NULL OR s.status = 'RESERVATION')
    ORDER BY a.no DESC LIMIT 1) r ON true
WHERE e.location_id = $1 AND ($7::text IS NULL OR e.uid = $7) AND NOT e.removed AND l.withdrawn_at IS NULL
    AND ($2::text[] IS NULL OR e.party = ANY($2))
ORDER BY $3 = ANY(e.claims) DESC, e.status = 'AVAILABLE' DESC, e.uid LIMIT 10

-- name: insert
-- A command, the EMSP's name of the reservation that it makes, and the event: in one statement, since a driver waits.
WITH made AS (
    INSERT INTO command (id, connection_id, kind, party, body, dedup, session_no, authorisation_no, follows, reply_to, result,
        answer, at, deadline, answered_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text, $12, $13::timestamptz, $14,
        CASE WHEN $11::text IS NOT NULL THEN $13::timestamptz END)
    ON CONFLICT (connection_id, dedup) DO NOTHING
    RETURNING id, connection_id, party, authorisation_no
), reserved AS (
    INSERT INTO session_ref (connection_id, kind, value, authorisation_no)
    SELECT connection_id, 'reservation', $15, authorisation_no FROM made WHERE $15::text IS NOT NULL
    ON CONFLICT (connection_id, kind, value) DO UPDATE SET authorisation_no = excluded.authorisation_no
), noted AS (
    INSERT INTO event (type, party, subject, data) SELECT $16, party, 'commands/' || id, $17 FROM made
)
SELECT id FROM made

-- name: settle
-- What is said first counts; of a reservation that was accepted, also that it was cancelled. $5: also where it is to be told to
-- somebody. $6: why not, where it was not accepted; then nothing begins under what a start or reservation admitted, but after a
-- timeout what the backend names it with. $7: a reservation was given up. What was given up, used up or replaced expires; what
-- began under it goes on.
WITH settled AS (
    UPDATE command SET result = $2::text, answer = $3, answered_at = $4
    WHERE id = $1 AND ($5 OR reply_to IS NULL)
        AND (result IS NULL OR kind = 'RESERVE_NOW' AND result = 'ACCEPTED' AND $2::text = 'CANCELED_RESERVATION')
    RETURNING id, connection_id, kind, party, reply_to, authorisation_no, follows
), denied AS (
    UPDATE authorisation a SET allowed = false, reason = $6::text FROM settled t
    WHERE a.no = t.authorisation_no AND t.kind = ANY('{START_SESSION,RESERVE_NOW}') AND $6::text IS NOT NULL
        AND a.session_no IS NULL
), expired AS (
    UPDATE authorisation a SET expires_at = least(a.expires_at, $4) FROM settled t
    WHERE a.no = CASE WHEN t.kind = 'CANCEL_RESERVATION' AND $7 THEN t.authorisation_no
        WHEN t.kind <> 'CANCEL_RESERVATION' AND $6::text IS NULL THEN t.follows END
), repeatable AS (
    UPDATE command m SET dedup = NULL FROM settled t
    WHERE m.authorisation_no = CASE WHEN t.kind = 'CANCEL_RESERVATION' AND $7 THEN t.authorisation_no END
        AND m.kind = 'RESERVE_NOW' AND m.result IS NOT NULL
), noted AS (
    INSERT INTO event (type, party, subject, data)
    SELECT 'command.answered', t.party, 'commands/' || t.id, json_strip_nulls(json_build_object(
        'id', t.id, 'kind', t.kind, 'connection', c.name, 'reference', a.id, 'result', $2::text, 'text', $8::text,
        'session_id', $9::text))
    FROM settled t JOIN connection c ON c.id = t.connection_id LEFT JOIN authorisation a ON a.no = t.authorisation_no
)
SELECT * FROM settled

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

-- name: reservations
-- Everything over a connection that an EMSP, whichever, has reserved by an id: behind the EMSP in a reservation's name.
SELECT a.no, a.id, a.origin, a.party, a.location_id, a.evse_uid, a.connector_id, a.leg, a.allowed, a.at, a.expires_at,
    s.no AS session_no, s.session_id, s.status, s.ended_at
FROM session_ref r JOIN authorisation a ON a.no = r.authorisation_no LEFT JOIN session s ON s.no = a.session_no
WHERE r.connection_id = $1 AND r.kind = 'reservation' AND substr(r.value, strpos(r.value, '/') + 1) = $2
ORDER BY a.no DESC

-- name: plugged_in
-- What began at an EVSE, or may have begun untold, the latest first: what was let begin since $4, and, whenever that was, what
-- runs, or was told of over a connection ($5) since $6. The EVSE has no index: these are few.
SELECT a.no, a.id, a.origin, a.party, a.location_id, a.evse_uid, a.connector_id, a.leg, a.allowed, a.at, a.expires_at,
    a.connection_id, s.no AS session_no, s.session_id, s.status, s.ended_at
FROM authorisation a LEFT JOIN session s ON s.no = a.session_no
WHERE a.no IN (
    SELECT b.no FROM session r JOIN authorisation b ON b.no = r.authorisation_no
    WHERE r.ended_at IS NULL AND b.party = $1 AND b.location_id = $2 AND b.evse_uid = $3
    UNION ALL
    SELECT b.no FROM session r JOIN authorisation b ON b.no = r.authorisation_no
    WHERE r.connection_id = $5 AND r.last_updated > $6 AND b.party = $1 AND b.location_id = $2 AND b.evse_uid = $3
    UNION ALL
    SELECT no FROM authorisation WHERE party = $1 AND location_id = $2 AND evse_uid = $3 AND at > $4
        AND (allowed OR session_no IS NOT NULL)
)
ORDER BY a.no DESC

-- name: earlier
SELECT id, result, answer, answered_at, deadline, reply_to FROM command WHERE connection_id = $1 AND dedup = $2

-- name: done_with
-- The same command may be carried out anew.
UPDATE command SET dedup = NULL WHERE id = $1 AND result IS NOT NULL

-- name: reply_elsewhere
UPDATE command SET reply_to = $2 WHERE id = $1 AND result IS NULL

-- name: answer_of
SELECT result, answer FROM command WHERE id = $1

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
    AND ($4::timestamptz IS NULL OR (m.at, m.id) < ($4, $5))
ORDER BY m.at DESC, m.id DESC LIMIT $6

-- name: one
SELECT m.id, m.kind, m.party, m.body, m.at, m.deadline, m.result, m.answer, m.answered_at, c.name AS connection,
    a.id AS reference, s.session_id
FROM command m JOIN connection c ON c.id = m.connection_id
    LEFT JOIN authorisation a ON a.no = m.authorisation_no
    LEFT JOIN session s ON s.no = coalesce(m.session_no, a.session_no)
WHERE ($1::text[] IS NULL OR m.party = ANY($1)) AND m.id = $2

-- name: party_of
SELECT party FROM command WHERE id = $1
