-- name: clock
-- What time it is, and up to when all that came into effect can be seen. What is written carries the moment when its transaction
-- began, so nothing of before the oldest one under way is still to come. Others than ours count once they have written: a backup
-- takes hours, and writes nothing.
SELECT now() AS now, least(now(), (
    SELECT min(xact_start) - interval '1 microsecond' FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'
        AND (backend_xid IS NOT NULL OR application_name = 'roamgate'))) AS settled

-- name: known
SELECT EXISTS (SELECT FROM party WHERE id = $1) OR EXISTS (SELECT FROM settlement_entry WHERE subject > 0 AND cpo = $1)

-- name: connection_known
SELECT EXISTS (SELECT FROM connection WHERE name = $1) OR EXISTS (SELECT FROM settlement_entry WHERE connection = $1)

-- name: out
-- What became of a CPO's own CDRs of charges that ended from $2 on and before $3, by $4; of earlier ones, after $5. Some of it,
-- after an end ($8) and number ($9).
SELECT e.no, e.sign, e.at, e.ended_at, e.cpo, e.connection, e.country, e.agreed, d.cdr_id, d.body, d.leg ->> 'emsp' AS emsp,
    d.credit, a.agreement, v.terms, r.outcome, r.why, r.state, r.difference_net, r.decided,
    NOT d.taken_back AND coalesce((
        SELECT m.state IN ('refused', 'discarded') AND NOT m.shadow FROM delivery m
        WHERE m.cdr_no = d.no AND m.connection_id = d.connection_id ORDER BY m.no DESC LIMIT 1), false) AS refused
FROM settlement_entry e
JOIN cdr d ON d.no = e.subject
LEFT JOIN session s ON s.no = d.session_no
LEFT JOIN authorisation a ON a.no = s.authorisation_no
LEFT JOIN offer_version v ON v.offer_id = a.agreement ->> 'offer' AND v.number = (a.agreement ->> 'version')::int
LEFT JOIN repricing r ON r.subject = e.subject
WHERE e.subject > 0 AND e.cpo = $1 AND e.ended_at < $3 AND e.at <= $4 AND (e.ended_at >= $2 OR e.at > $5)
    AND ($6::text IS NULL OR e.connection = $6)
    AND ($7::text IS NULL OR coalesce(d.leg ->> 'emsp', d.body #>> '{identification,party}') IS NULL
        OR coalesce(d.leg ->> 'emsp', d.body #>> '{identification,party}') = $7)
    AND (e.ended_at, e.no) > ($8, $9)
ORDER BY e.ended_at, e.no LIMIT $10

-- name: in
-- The same of an EMSP's drivers.
SELECT e.no, e.sign, e.at, e.ended_at, e.cpo, e.connection, e.country, e.agreed, d.cdr_id, d.body, d.party AS emsp,
    d.credit, coalesce(p.agreement, d.agreement) AS agreement, v.terms, r.outcome, r.why, r.state, r.difference_net, r.decided,
    false AS refused
FROM settlement_entry e
JOIN received_cdr d ON d.no = -e.subject
LEFT JOIN permit p ON p.no = d.permit_no
LEFT JOIN offer_version v ON v.offer_id = coalesce(p.agreement, d.agreement) ->> 'offer'
    AND v.number = (coalesce(p.agreement, d.agreement) ->> 'version')::int
LEFT JOIN repricing r ON r.subject = e.subject
WHERE e.subject < 0 AND d.party = $1 AND e.ended_at < $3 AND e.at <= $4 AND (e.ended_at >= $2 OR e.at > $5)
    AND ($6::text IS NULL OR e.connection = $6) AND ($7::text IS NULL OR e.cpo = $7)
    AND (e.ended_at, e.no) > ($8, $9)
ORDER BY e.ended_at, e.no LIMIT $10

-- name: without_cdr_out
SELECT s.session_id AS session, NULL AS cdr, s.party AS cpo, a.leg ->> 'emsp' AS emsp, c.name AS connection, s.ended_at AS ended,
    count(*) OVER () AS count
FROM session s
JOIN authorisation a ON a.no = s.authorisation_no AND a.leg IS NOT NULL
LEFT JOIN connection c ON c.id = s.connection_id
WHERE s.party = $1 AND s.ended_at >= $2 AND s.ended_at < $3 AND s.cdr_waived IS NULL
    AND NOT EXISTS (SELECT FROM cdr d WHERE d.session_no = s.no AND d.accepted_at <= $4)
    AND ($5::text IS NULL OR c.name = $5) AND ($6::text IS NULL OR a.leg ->> 'emsp' = $6)
ORDER BY s.ended_at, s.no LIMIT $7

-- name: without_cdr_in
SELECT s.session_id AS session, NULL AS cdr, s.cpo, s.party AS emsp, c.name AS connection, s.ended_at AS ended,
    count(*) OVER () AS count
FROM received_session s
LEFT JOIN connection c ON c.id = s.connection_id
WHERE s.party = $1 AND s.status = 'COMPLETED' AND s.ended_at >= $2 AND s.ended_at < $3 AND s.cdr_waived IS NULL
    AND NOT EXISTS (SELECT FROM received_cdr d
        WHERE d.received_session_no = s.no AND d.received_at <= $4 AND d.decision IS DISTINCT FROM 'rejected')
    AND ($5::text IS NULL OR c.name = $5) AND ($6::text IS NULL OR s.cpo = $6)
ORDER BY s.ended_at, s.no LIMIT $7

-- name: in_review_out
SELECT d.body ->> 'session_id' AS session, d.cdr_id AS cdr, d.party AS cpo, d.leg ->> 'emsp' AS emsp, c.name AS connection,
    (d.body ->> 'end')::timestamptz AS ended, count(*) OVER () AS count
FROM cdr d LEFT JOIN connection c ON c.id = d.connection_id
WHERE d.review IS NOT NULL AND d.party = $1 AND (d.body ->> 'end')::timestamptz >= $2 AND (d.body ->> 'end')::timestamptz < $3
    AND d.accepted_at <= $4 AND ($5::text IS NULL OR c.name = $5) AND ($6::text IS NULL OR d.leg ->> 'emsp' = $6)
ORDER BY d.no LIMIT $7

-- name: in_review_in
SELECT d.body ->> 'session_id' AS session, d.cdr_id AS cdr, d.cpo, d.party AS emsp, c.name AS connection, d.ended_at AS ended,
    count(*) OVER () AS count
FROM received_cdr d LEFT JOIN connection c ON c.id = d.connection_id
WHERE d.reviews <> '{}' AND d.decision IS NULL AND d.party = $1 AND d.ended_at >= $2 AND d.ended_at < $3
    AND d.received_at <= $4 AND ($5::text IS NULL OR c.name = $5) AND ($6::text IS NULL OR d.cpo = $6)
ORDER BY d.no LIMIT $7

-- name: without_emsp_in
-- Of CDRs that came home how many are nobody's whom we know: they are in no EMSP's settlement.
SELECT count(*) FROM received_cdr d LEFT JOIN connection c ON c.id = d.connection_id
WHERE d.party IS NULL AND d.decision IS DISTINCT FROM 'rejected' AND d.ended_at >= $1 AND d.ended_at < $2
    AND d.received_at <= $3 AND ($4::text IS NULL OR c.name = $4) AND ($5::text IS NULL OR d.cpo = $5)

-- name: billed_by
-- How parties were billed at a moment.
SELECT DISTINCT ON (party) body FROM billing_party_version WHERE since <= $1 ORDER BY party, no DESC

-- name: billing_parties
SELECT party, body FROM billing_party
WHERE party > $1 AND ($2::text[] IS NULL OR party = ANY($2)) ORDER BY party LIMIT $3

-- name: billing_party
SELECT body FROM billing_party WHERE party = $1

-- name: write_billing_party
INSERT INTO billing_party (party, body) VALUES ($1, $2)
ON CONFLICT (party) DO UPDATE SET body = excluded.body, updated_at = now()
RETURNING xmax = 0

-- name: audit
INSERT INTO audit (who, action, subject, detail) VALUES ($1, $2, $3, $4)
