-- name: evse_at
-- The EVSE by its key at the CPO, as its connection tells it.
SELECT e.evse_key, e.party, e.power
FROM catalogue_location l JOIN catalogue_evse e ON e.location_no = l.no
WHERE l.connection_id = $1 AND l.party = $2 AND lower(l.location_id) = lower($3) AND lower(e.uid) = lower($4)

-- name: evse_called
-- The EVSE by its public id, as its connection tells it, else whichever other one does.
SELECT evse_key, party, power FROM (
    SELECT * FROM catalogue_evse WHERE preferred AND evse_key = $2
    UNION ALL
    SELECT * FROM catalogue_evse WHERE NOT preferred AND evse_key = $2
) e
ORDER BY connection_id = $1 DESC, preferred DESC, no LIMIT 1

-- name: driver_tokens
SELECT no, party, body, withdrawn_at IS NOT NULL AS withdrawn FROM driver_token
WHERE uid_key = ANY($1::text[]) OR contract_key = ANY($1::text[]) ORDER BY withdrawn_at IS NULL DESC, no LIMIT 50

-- name: begun_under
-- Under which agreement a charge was let begin, and what that version says: by its permit, else, where its CPO is on this
-- gateway, by its authorisation. No row where neither is known.
SELECT w.agreement, v.terms
FROM (
    SELECT agreement, 1 AS place FROM permit WHERE no = $1 AND allowed
    UNION ALL
    SELECT a.agreement, 2 FROM session s JOIN authorisation a ON a.no = s.authorisation_no
    WHERE s.party = $2 AND s.session_id = ANY($3::text[]) AND a.connection_id = $4 AND a.allowed
) w
LEFT JOIN offer_version v ON v.offer_id = w.agreement ->> 'offer' AND v.number = (w.agreement ->> 'version')::int
ORDER BY w.agreement IS NULL, w.place LIMIT 1

-- name: permit
SELECT id, party FROM permit WHERE no = $1

-- name: permit_named
SELECT no, party FROM permit WHERE id = $1 AND ($2::text IS NULL OR party = $2)

-- name: lock_permit
SELECT received_session_no FROM permit WHERE no = $1 FOR UPDATE

-- name: lock_session
SELECT * FROM received_session WHERE connection_id = $1 AND cpo = $2 AND session_key = $3 FOR UPDATE

-- name: expect_session
SELECT pg_advisory_xact_lock(hashtextextended('received session ' || $1, 0))

-- name: lock_session_no
SELECT * FROM received_session WHERE no = $1 FOR UPDATE

-- name: session_called
-- The session that a CDR bills by its id: the CPO's, else whosever it is.
SELECT no FROM received_session WHERE connection_id = $1 AND session_key = ANY($2::text[]) ORDER BY cpo = $3 DESC, no LIMIT 1

-- name: sessions_nearby
-- Sessions without CDR of a driver ($3) at an EVSE that a CDR's times ($4 to $5) overlap.
SELECT no FROM received_session
WHERE connection_id = $1 AND evse_key = $2 AND driver_keys && $3::text[] AND cdr_no IS NULL
    AND started_at <= $5 AND coalesce(ended_at, last_updated) >= $4
ORDER BY no LIMIT 2

-- name: insert_session
INSERT INTO received_session (connection_id, cpo, session_id, session_key, party, body, news, evse_key, driver_keys, permit_no,
    status, started_at, ended_at, energy, reviews, doubts, last_updated)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (connection_id, cpo, session_key) DO NOTHING
RETURNING no

-- name: update_session
UPDATE received_session SET party = $2, body = $3, news = $4, evse_key = $5, driver_keys = $6, permit_no = $7, status = $8,
    started_at = $9, 
    ended_at = coalesce($10, CASE WHEN cdr_no IS NOT NULL OR cdr_waived IS NOT NULL THEN ended_at END), energy = $11, reviews = $12, doubts = $13, last_updated = $14, updated_at = now()
WHERE no = $1

-- name: waiting_cdrs
-- CDRs that came before their session: by its id, or by its permit.
SELECT no, credit, decision, reviews, doubts FROM received_cdr
WHERE received_session_no IS NULL AND cpo = $2
    AND (connection_id = $1 AND session_keys && $3::text[] OR permit_no = $4)
ORDER BY no FOR UPDATE

-- name: give_session
UPDATE received_cdr SET received_session_no = $2 WHERE no = ANY($1::bigint[])

-- name: give_permit
UPDATE received_cdr d SET permit_no = $2, party = p.party, reviews = $3, doubts = $4 FROM permit p
WHERE d.no = $1 AND p.no = $2

-- name: bill
-- The CDR of a session ($2; null for none any more). One that stands ends a session of which nobody told the end.
UPDATE received_session s SET cdr_no = $2, updated_at = now(), ended_at = CASE
    WHEN status IN ('COMPLETED', 'INVALID') THEN ended_at
    ELSE (SELECT d.ended_at FROM received_cdr d
        WHERE d.no = $2 AND (d.reviews = '{}' OR d.decision = 'accepted')) END
WHERE s.no = $1

-- name: cdr_body
SELECT body, evse_key, driver_keys FROM received_cdr WHERE no = $1

-- name: versions
SELECT no, version, digest, body, permit_no, received_session_no FROM received_cdr
WHERE connection_id = $1 AND cpo = $2 AND cdr_key = $3 ORDER BY version

-- name: insert_cdr
INSERT INTO received_cdr (connection_id, cpo, cdr_id, cdr_key, version, party, body, leg, digest, session_keys, evse_key,
    driver_keys, permit_no, received_session_no, energy, started_at, ended_at, credit, reviews, doubts, agreement)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
ON CONFLICT (connection_id, cpo, cdr_key, version) DO NOTHING
RETURNING no

-- name: other_cdrs
-- Other CDRs of the same session or permit that stand, or came before.
SELECT no, cdr_id FROM received_cdr
WHERE (received_session_no = $1 OR permit_no = $2) AND NOT credit AND credited_by IS NULL
    AND decision IS DISTINCT FROM 'rejected' AND NOT (connection_id = $3 AND cpo = $4 AND cdr_key = $5)
    AND (no < $6 OR reviews = '{}' OR decision = 'accepted')
ORDER BY no LIMIT 1

-- name: expect_charge
SELECT pg_advisory_xact_lock(hashtextextended('received charge ' || $1, 0))

-- name: overlapping_cdrs
-- The same charge under another id, over whichever connection.
SELECT no, cdr_id FROM received_cdr
WHERE evse_key = $1 AND started_at < $3 AND started_at > $2::timestamptz - interval '7 days' AND ended_at > $2
    AND driver_keys && $4::text[] AND NOT credit AND credited_by IS NULL AND decision IS DISTINCT FROM 'rejected'
    AND NOT (connection_id IS NOT DISTINCT FROM $5 AND cpo = $6 AND cdr_key = $7)
    AND (no < $8 OR reviews = '{}' OR decision = 'accepted')
ORDER BY no LIMIT 1

-- name: credited
-- The CDR that a credit takes back; of two credits that come at once the second sees the first.
SELECT no, received_session_no, permit_no, credited_by FROM received_cdr
WHERE connection_id = $1 AND cpo = $2 AND cdr_key = $3 AND NOT credit AND decision IS DISTINCT FROM 'rejected'
ORDER BY version DESC LIMIT 1
FOR UPDATE

-- name: take_back
WITH taken AS (
    UPDATE received_cdr SET credited_by = $2 WHERE no = $1 RETURNING received_session_no
)
UPDATE received_session s SET cdr_no = NULL, cdr_waived = $3, updated_at = now() FROM taken t
WHERE s.no = t.received_session_no AND s.cdr_no = $1

-- name: told_of_session
SELECT s.status, s.permit_no, s.ended_at, s.party, json_strip_nulls(json_build_object('id', s.no, 'session_id', s.session_id,
    'cpo', s.cpo, 'party', s.party, 'connection', c.name, 'status', s.status, 'permit', p.id, 'evse', s.evse_key,
    'energy', s.energy, 'review', CASE WHEN s.reviews <> '{}' THEN to_json(s.reviews) END)) AS data
FROM received_session s LEFT JOIN connection c ON c.id = s.connection_id LEFT JOIN permit p ON p.no = s.permit_no
WHERE s.no = $1

-- name: told_of_cdr
SELECT d.party, d.body, json_strip_nulls(json_build_object('id', d.no, 'cdr_id', d.cdr_id, 'version', d.version, 'cpo', d.cpo,
    'party', d.party, 'connection', c.name, 'session', d.received_session_no, 'permit', p.id, 'evse', d.evse_key,
    'energy', d.energy, 'credit', CASE WHEN d.credit THEN true END, 'decision', d.decision,
    'review', CASE WHEN d.reviews <> '{}' THEN to_json(d.reviews) END)) AS data
FROM received_cdr d LEFT JOIN connection c ON c.id = d.connection_id LEFT JOIN permit p ON p.no = d.permit_no
WHERE d.no = $1

-- name: body
SELECT body FROM received_session WHERE connection_id = $1 AND cpo = $2 AND session_key = $3

-- name: cdr_bodies
SELECT body FROM received_cdr WHERE connection_id = $1 AND cpo = $2 AND cdr_key = $3 ORDER BY version LIMIT 1

-- name: awaiting_cdr
-- Sessions that ended longer ago than $1 and of whose missing CDR nobody was told; each replica takes others.
UPDATE received_session SET alarmed_at = now()
WHERE no = ANY(ARRAY(
    SELECT no FROM received_session
    WHERE ended_at < now() - $1::interval AND cdr_no IS NULL AND cdr_waived IS NULL AND status = 'COMPLETED'
        AND alarmed_at IS NULL
    ORDER BY ended_at LIMIT $2
    FOR UPDATE SKIP LOCKED))
RETURNING no, party, cpo, session_id, ended_at

-- name: audit
INSERT INTO audit (who, action, subject, detail) VALUES ($1, $2, $3, $4)

-- name: sessions
SELECT s.*, c.name AS connection, p.id AS permit
FROM received_session s LEFT JOIN connection c ON c.id = s.connection_id LEFT JOIN permit p ON p.no = s.permit_no
WHERE s.no < $1 AND ($2::text[] IS NULL OR s.party = ANY($2)) AND ($3::text IS NULL OR s.cpo = $3)
    AND ($4::text IS NULL OR c.name = $4) AND ($5::boolean IS NULL OR (s.reviews <> '{}') = $5)
    AND ($6::text IS NULL OR s.reviews <> '{}' AND $6 = ANY(s.reviews)) AND ($7::timestamptz IS NULL OR s.started_at >= $7)
    AND ($8::timestamptz IS NULL OR s.started_at < $8)
    AND ($9::text IS NULL OR s.permit_no = (SELECT no FROM permit WHERE id = $9))
    AND ($10::text IS NULL OR s.status = $10)
    AND ($11::boolean IS NULL
        OR (s.status = 'COMPLETED' AND s.ended_at IS NOT NULL AND s.cdr_no IS NULL AND s.cdr_waived IS NULL) = $11)
ORDER BY s.no DESC LIMIT $12

-- name: one_session
SELECT s.*, c.name AS connection, p.id AS permit
FROM received_session s LEFT JOIN connection c ON c.id = s.connection_id LEFT JOIN permit p ON p.no = s.permit_no
WHERE s.no = $1 AND ($2::text[] IS NULL OR s.party = ANY($2))

-- name: cdrs
SELECT d.*, c.name AS connection, p.id AS permit
FROM received_cdr d LEFT JOIN connection c ON c.id = d.connection_id LEFT JOIN permit p ON p.no = d.permit_no
WHERE d.no < $1 AND ($2::text[] IS NULL OR d.party = ANY($2)) AND ($3::text IS NULL OR d.cpo = $3)
    AND ($4::text IS NULL OR c.name = $4)
    AND ($5::boolean IS NULL OR (d.reviews <> '{}' AND d.decision IS NULL) = $5)
    AND ($6::text IS NULL OR d.reviews <> '{}' AND $6 = ANY(d.reviews)) AND ($7::timestamptz IS NULL OR d.started_at >= $7)
    AND ($8::timestamptz IS NULL OR d.started_at < $8)
    AND ($9::text IS NULL OR d.permit_no = (SELECT no FROM permit WHERE id = $9))
    AND ($10::bigint IS NULL OR d.received_session_no = $10)
    AND ($11::text IS NULL OR $11 = CASE WHEN d.decision = 'rejected' THEN 'rejected'
        WHEN d.reviews <> '{}' AND d.decision IS NULL THEN 'review'
        WHEN d.credited_by IS NOT NULL THEN 'credited' ELSE 'accepted' END)
    -- The same once more, as the indexes have it.
    AND ($11::text IS DISTINCT FROM 'rejected' OR d.decision = 'rejected')
    AND ($11::text IS DISTINCT FROM 'review' OR (d.reviews <> '{}' AND d.decision IS NULL))
ORDER BY d.no DESC LIMIT $12

-- name: one_cdr
SELECT d.*, c.name AS connection, c.hub, p.id AS permit
FROM received_cdr d LEFT JOIN connection c ON c.id = d.connection_id LEFT JOIN permit p ON p.no = d.permit_no
WHERE d.no = $1 AND ($2::text[] IS NULL OR d.party = ANY($2))

-- name: accept_session
UPDATE received_session SET reviews = '{}', decided = $2, permit_no = coalesce($3, permit_no), party = coalesce(party, $4),
    updated_at = now()
WHERE no = $1

-- name: waive
UPDATE received_session SET cdr_waived = $2, updated_at = now() WHERE no = $1

-- name: lock_cdr
SELECT * FROM received_cdr WHERE no = $1 FOR UPDATE

-- name: decide
UPDATE received_cdr SET decision = $2, decided = $3 WHERE no = $1

-- name: other_versions
-- What was told under the same id, and stands.
SELECT o.no FROM received_cdr d
JOIN received_cdr o ON o.connection_id IS NOT DISTINCT FROM d.connection_id AND o.cpo = d.cpo AND o.cdr_key = d.cdr_key
WHERE d.no = $1 AND o.no <> d.no AND o.decision IS DISTINCT FROM 'rejected'
ORDER BY o.no FOR UPDATE OF o

-- name: next_bill
-- The CDR that stands for a session: one that passed before one that waits.
SELECT no FROM received_cdr
WHERE received_session_no = $1 AND NOT credit AND credited_by IS NULL AND decision IS DISTINCT FROM 'rejected'
ORDER BY reviews = '{}' OR decision IS NOT NULL DESC, no LIMIT 1

-- name: unlocked_cdr
SELECT * FROM received_cdr WHERE no = $1

-- name: judged
UPDATE received_cdr SET party = $2, evse_key = $3, driver_keys = $4, permit_no = $5, received_session_no = $6, reviews = $7,
    doubts = $8, agreement = $9
WHERE no = $1

-- name: sessions_to_check
-- Those that came within $2 and wait only for reasons of which each may end by itself ($1); each replica takes others.
UPDATE received_session SET checked_at = now()
WHERE no = ANY(ARRAY(
    SELECT no FROM received_session
    WHERE reviews <> '{}' AND reviews <@ $1::text[] AND created_at > now() - $2::interval
        AND checked_at < now() - $3::interval AND connection_id IS NOT NULL
    ORDER BY no LIMIT $4
    FOR UPDATE SKIP LOCKED))
RETURNING no

-- name: cdrs_to_check
-- As of sessions.
UPDATE received_cdr SET checked_at = now()
WHERE no = ANY(ARRAY(
    SELECT no FROM received_cdr
    WHERE reviews <> '{}' AND decision IS NULL AND reviews <@ $1::text[] AND received_at > now() - $2::interval
        AND checked_at < now() - $3::interval AND connection_id IS NOT NULL
    ORDER BY no LIMIT $4
    FOR UPDATE SKIP LOCKED))
RETURNING no
