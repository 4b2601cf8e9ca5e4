-- name: lock_sessions
-- The sessions of CDRs, with who admitted them, locked in one order; each row with the CDR that it has.
SELECT s.no, s.party, s.session_id, s.body, s.place, s.review, s.cdr_no, d.cdr_id, s.connection_id, a.id AS authorisation,
    a.leg
FROM session s
LEFT JOIN authorisation a ON a.no = s.authorisation_no
LEFT JOIN cdr d ON d.no = s.cdr_no
WHERE (s.party, s.session_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY s.no
FOR UPDATE OF s

-- name: sessions_of_references
-- The sessions that references lead to: our id of the authorisation, the hub's reference, or what a session that waits for
-- review carries. None for an authorisation that no session was told of yet.
SELECT i.party, i.reference, s.session_id
FROM unnest($1::text[], $2::text[]) AS i(party, reference)
CROSS JOIN LATERAL (
    SELECT no FROM authorisation WHERE id = i.reference
    UNION ALL
    SELECT authorisation_no FROM session_ref WHERE kind = 'reference' AND value = i.reference) found
JOIN authorisation a ON a.no = found.no AND a.party = i.party
    AND (a.allowed OR a.reason = 'NO_ANSWER' AND a.origin = ANY('{start,reserve}'))
LEFT JOIN session s ON s.no = a.session_no
UNION
SELECT i.party, i.reference, s.session_id
FROM unnest($1::text[], $2::text[]) AS i(party, reference)
JOIN session s ON s.review IS NOT NULL AND s.party = i.party AND s.body ->> 'reference' = i.reference

-- name: stored
SELECT d.party, d.cdr_id, d.digest, d.body, d.review, d.issues, c.name AS connection
FROM cdr d LEFT JOIN connection c ON c.id = d.connection_id
WHERE (d.party, d.cdr_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))

-- name: insert
INSERT INTO cdr (party, cdr_id, body, digest, session_no, connection_id, leg, review, energy, credit, issues, last_updated)
SELECT * FROM unnest($1::text[], $2::text[], $3::json[], $4::bytea[], $5::bigint[], $6::int[], $7::json[], $8::text[],
    $9::numeric[], $10::boolean[], $11::json[], $12::timestamptz[])
ON CONFLICT (party, cdr_id) DO NOTHING
RETURNING no, party, cdr_id

-- name: bill
-- A session whose end was not told is over when its CDR says so.
UPDATE session s SET cdr_no = i.cdr_no, ended_at = coalesce(s.ended_at, i.ended_at)
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[]) AS i(no, cdr_no, ended_at)
WHERE s.no = i.no

-- name: lock
SELECT d.no, d.body, d.session_no, d.review, d.credit, d.taken_back, d.connection_id, d.leg, d.correction::text AS correction
FROM cdr d WHERE d.party = $1 AND d.cdr_id = $2
FOR UPDATE

-- name: numbers
SELECT no, session_no FROM cdr WHERE party = $1 AND cdr_id = $2

-- name: lock_session
SELECT FROM session WHERE no = $1 FOR UPDATE

-- name: assign
UPDATE cdr SET body = $2, connection_id = $3, leg = $4, session_no = $5, review = NULL, issues = $6 WHERE no = $1

-- name: audit
INSERT INTO audit (who, action, subject, detail) VALUES ($1, $2, $3, $4)

-- name: how_far
-- How the delivery to the hub that authorised stands, which says what can be corrected.
SELECT state, shadow FROM delivery WHERE cdr_no = $1 AND connection_id = $2 FOR UPDATE

-- name: family
-- How many CDRs a charge has had, by which the ids of corrections differ.
SELECT count(*) FROM cdr WHERE session_no = $1

-- name: take_back
UPDATE cdr SET taken_back = true WHERE no = $1

-- name: replace
UPDATE cdr SET replaced_by = $2, correction = $3 WHERE no = $1

-- name: stand_in
-- What came of a correction: the CDR that stands in a place, and the credit, where there was one.
SELECT r.cdr_id AS cdr,
    (SELECT c.cdr_id FROM cdr c
     WHERE c.session_no = d.session_no AND c.credit AND c.body ->> 'credited_cdr' = d.cdr_id) AS credit
FROM cdr d JOIN cdr r ON r.no = d.replaced_by
WHERE d.no = $1

-- name: last_dispute
SELECT id, reason, agreed::text AS agreed FROM dispute WHERE cdr_no = $1 ORDER BY id DESC LIMIT 1

-- name: give_up
-- What a hub refused, and stands replaced, is never to be sent again.
WITH gone AS (
    DELETE FROM dead_letter WHERE delivery_no IN (SELECT no FROM delivery WHERE cdr_no = $1 AND state = 'refused')
)
UPDATE delivery SET state = 'discarded' WHERE cdr_no = $1 AND state = 'refused'

-- name: dispute
INSERT INTO dispute (cdr_no, reason, agreed, who) VALUES ($1, $2, $3, $4) RETURNING id

-- name: disputes
SELECT id, reason, agreed::text AS agreed, who, at FROM dispute WHERE cdr_no = $1 ORDER BY id

-- name: list
SELECT * FROM (
    SELECT d.no, d.body::text AS body, d.review, d.issues::text AS issues, d.accepted_at, c.name AS connection,
        r.cdr_id AS replaced_by, o.cdr_id AS replaces, o.correction::text AS correction, coalesce(v.attempts, 0) AS attempts, v.code, v.error, v.settled_at,
        CASE
            WHEN d.review IS NOT NULL THEN 'review'
            WHEN d.taken_back THEN 'taken_back'
            WHEN d.leg IS NOT NULL AND d.connection_id IS NULL THEN 'connection_removed'
            WHEN d.leg IS NULL OR v.state IS NULL THEN 'not_roaming'
            WHEN v.shadow THEN 'shown'
            WHEN v.state = 'discarded' THEN 'refused'
            ELSE v.state
        END AS state
    FROM cdr d
    LEFT JOIN connection c ON c.id = d.connection_id
    LEFT JOIN cdr r ON r.no = d.replaced_by
    LEFT JOIN cdr o ON o.replaced_by = d.no
    LEFT JOIN LATERAL (
        SELECT state, shadow, attempts, code, error, settled_at FROM delivery v
        WHERE v.cdr_no = d.no AND v.connection_id = d.connection_id
        ORDER BY v.no DESC LIMIT 1) v ON true
    WHERE d.no < $1
        AND ($2::text[] IS NULL OR d.party = ANY($2))
        AND ($3::text IS NULL OR c.name = $3)
        AND ($4::timestamptz IS NULL OR d.accepted_at >= $4)
        AND ($5::interval IS NULL OR d.accepted_at < now() - $5::interval AND v.state = 'pending')
        AND ($9::text IS NULL OR d.session_no IN (SELECT no FROM session WHERE session_id = $9))
        AND (NOT $6::boolean OR EXISTS (SELECT FROM dispute i WHERE i.cdr_no = d.no))
) d
WHERE $7::text IS NULL OR d.state = $7
ORDER BY d.no DESC LIMIT $8
