-- name: claim
-- Some of what is to be priced, in order; each replica takes others. What was asked for several times is one. Numbered here,
-- and not when it was queued: who has a later number read the CDR later, and whoever changed it since has queued it again.
WITH due AS (
    SELECT no FROM repricing_queue ORDER BY no LIMIT $1 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM repricing_queue q USING due WHERE q.no = due.no RETURNING q.no, q.subject
)
SELECT subject, nextval(pg_get_serial_sequence('repricing_queue', 'no')) AS queue_no
FROM (SELECT DISTINCT subject FROM gone) g

-- name: claim_new
-- A CDR that is priced at once.
SELECT $1::bigint AS subject, nextval(pg_get_serial_sequence('repricing_queue', 'no')) AS queue_no

-- name: ask_lacking
-- What came within $1, lacked knowledge that may have come since, and was priced longer ago than $2. Nothing while anything
-- has waited for $4, or the same would be asked again and again; that something waits is no more than that CDRs come.
INSERT INTO repricing_queue (subject)
SELECT subject FROM repricing
WHERE why IN ('no_tariff', 'no_zone') AND changed_at > now() - $1::interval AND computed_at < now() - $2::interval
    AND NOT EXISTS (SELECT FROM (SELECT at FROM repricing_queue ORDER BY no LIMIT 1) q WHERE q.at < now() - $4::interval)
ORDER BY computed_at LIMIT $3

-- name: own_cdrs
-- Nobody has to decide about what is not in effect, since it waits for a person or was taken back, nor about a credit, which
-- is what it takes back.
SELECT d.no AS subject, d.cdr_id, d.body, d.party, d.party AS cpo, d.connection_id, c.hub, c.name AS connection,
    d.leg ->> 'emsp' AS emsp, (d.review IS NOT NULL OR d.taken_back OR d.credit) AS void, a.agreement
FROM cdr d LEFT JOIN connection c ON c.id = d.connection_id
    LEFT JOIN session s ON s.no = d.session_no LEFT JOIN authorisation a ON a.no = s.authorisation_no
WHERE d.no = ANY($1::bigint[])

-- name: received_cdrs
-- Nobody has to decide about what is not in effect, since a person rejected it or its CPO took it back, nor about a credit
-- of the very amount that it takes back.
SELECT -d.no AS subject, d.cdr_id, d.body, d.party, d.cpo, d.connection_id, c.hub, c.name AS connection, d.party AS emsp,
    d.evse_key, (d.decision IS NOT DISTINCT FROM 'rejected' OR d.credited_by IS NOT NULL OR d.credit AND EXISTS (
        SELECT FROM received_cdr o
        WHERE o.connection_id = d.connection_id AND o.cpo = d.cpo AND o.cdr_key = upper(d.body ->> 'credited_cdr')
            AND (o.body #>> '{total_cost,net}')::numeric = -(d.body #>> '{total_cost,net}')::numeric)) AS void,
    coalesce(p.agreement, d.agreement) AS agreement
FROM received_cdr d LEFT JOIN connection c ON c.id = d.connection_id
    LEFT JOIN received_session s ON s.no = d.received_session_no
    LEFT JOIN permit p ON p.no = coalesce(d.permit_no, s.permit_no)
WHERE d.no = ANY($1::bigint[])

-- name: own_places
SELECT i.n, l.no, l.body
FROM unnest($1::int[], $2::text[], $3::text[]) AS i(n, party, location_id)
JOIN location l ON l.party = i.party AND l.location_id = i.location_id

-- name: partners_places
-- EVSEs by their keys as a connection tells them: its own way to the EVSE, whoever speaks for it; one that is gone only where
-- no other is left.
SELECT i.n, e.uid, e.prices, e.priced_by, l.no, l.body
FROM unnest($1::int[], $2::int[], $3::text[]) AS i(n, connection_id, evse_key)
CROSS JOIN LATERAL (
    SELECT * FROM catalogue_evse e WHERE e.preferred AND e.evse_key = i.evse_key AND e.connection_id = i.connection_id
    UNION ALL
    (SELECT * FROM catalogue_evse e WHERE NOT e.preferred AND e.evse_key = i.evse_key AND e.connection_id = i.connection_id
    ORDER BY e.removed, e.no DESC)
    LIMIT 1
) e
JOIN catalogue_location l ON l.no = e.location_no

-- name: agreed
-- What the versions of offers say under which charges began, and the groups that their EVSEs are in.
SELECT i.n, v.terms, ARRAY(SELECT m.group_id FROM evse_group_member m WHERE m.evse_key = i.evse_key) AS groups
FROM unnest($1::int[], $2::text[], $3::int[], $4::text[]) AS i(n, offer_id, number, evse_key)
JOIN offer_version v ON v.offer_id = i.offer_id AND v.number = i.number

-- name: lock_before
-- What stands so far in the place of what is to be written: held, so that a person's decision meanwhile is not missed.
SELECT subject, state FROM repricing WHERE subject = ANY($1::bigint[]) ORDER BY abs(subject), subject FOR UPDATE

-- name: write
-- Repricings, each in the place of an older one. What comes out otherwise than before is kept in the history, and takes a
-- person's decision along; what comes out alike leaves both as they are, also after a while in which nobody had to decide.
WITH fresh AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::timestamptz[], $8::text[],
        $9::text[], $10::text[], $11::numeric[], $12::numeric[], $13::numeric[], $14::numeric[], $15::numeric[], $16::numeric[],
        $17::text[], $18::text[], $19::bigint[], $20::json[], $21::text[], $22::bigint[], $23::json[])
    AS f(subject, party, cpo, emsp, cdr_id, connection_id, started_at, currency, outcome, why, told_net, told_gross, net, gross,
        difference_net, difference_gross, tariff_id, source, version_no, result, state, queue_no, agreement)
), kept AS (
    INSERT INTO repricing_history (repricing_no, body)
    SELECT r.no, json_build_object('outcome', r.outcome, 'why', r.why, 'told_net', r.told_net, 'net', r.net,
        'difference_net', r.difference_net, 'tariff', r.tariff_id, 'version', r.version_no, 'state', r.state,
        'decided', r.decided, 'computed', r.computed_at)
    FROM repricing r JOIN fresh f USING (subject)
    WHERE r.queue_no < f.queue_no
        AND (r.outcome, r.why, r.told_net, r.told_gross, r.net, r.gross)
            IS DISTINCT FROM (f.outcome, f.why, f.told_net, f.told_gross, f.net, f.gross)
)
INSERT INTO repricing AS r (subject, party, cpo, emsp, cdr_id, connection_id, started_at, currency, outcome, why, told_net,
    told_gross, net, gross, difference_net, difference_gross, tariff_id, source, version_no, result, state, queue_no, agreement)
SELECT * FROM fresh ORDER BY abs(subject), subject
ON CONFLICT (subject) DO UPDATE SET party = excluded.party, emsp = excluded.emsp, connection_id = excluded.connection_id,
    started_at = excluded.started_at, currency = excluded.currency, outcome = excluded.outcome, why = excluded.why,
    told_net = excluded.told_net, told_gross = excluded.told_gross, net = excluded.net, gross = excluded.gross,
    difference_net = excluded.difference_net, difference_gross = excluded.difference_gross, tariff_id = excluded.tariff_id,
    source = excluded.source, version_no = excluded.version_no, result = excluded.result, queue_no = excluded.queue_no,
    agreement = excluded.agreement, computed_at = now(),
    state = CASE
        WHEN excluded.state <> 'clear'
            AND (r.outcome, r.why, r.told_net, r.told_gross, r.net, r.gross)
                IS NOT DISTINCT FROM (excluded.outcome, excluded.why, excluded.told_net, excluded.told_gross, excluded.net,
                    excluded.gross)
        THEN coalesce(r.decided ->> 'state', excluded.state) ELSE excluded.state END,
    decided = CASE
        WHEN (r.outcome, r.why, r.told_net, r.told_gross, r.net, r.gross)
            IS NOT DISTINCT FROM (excluded.outcome, excluded.why, excluded.told_net, excluded.told_gross, excluded.net,
                excluded.gross)
        THEN r.decided END,
    changed_at = CASE
        WHEN (r.outcome, r.why, r.told_net, r.told_gross, r.net, r.gross)
            IS NOT DISTINCT FROM (excluded.outcome, excluded.why, excluded.told_net, excluded.told_gross, excluded.net,
                excluded.gross)
        THEN r.changed_at ELSE now() END
WHERE r.queue_no < excluded.queue_no
RETURNING no, subject, outcome, why, told_net, net, difference_net, state, changed_at = now() AS changed

-- name: list
SELECT r.no, r.subject, r.cpo, r.cdr_id, r.party, r.emsp, c.name AS connection, r.started_at, r.currency, r.outcome, r.why,
    r.told_net, r.told_gross, r.net, r.gross, r.difference_net, r.difference_gross, r.tariff_id, r.source, r.version_no, r.state,
    r.decided, r.computed_at, r.agreement
FROM repricing r LEFT JOIN connection c ON c.id = r.connection_id
WHERE r.no < $1 AND ($2::text[] IS NULL OR r.party = ANY($2))
    AND ($3::boolean IS NULL OR (r.subject > 0) = $3)
    AND ($4::text IS NULL OR r.outcome = $4) AND ($5::text IS NULL OR r.state = $5) AND ($6::text IS NULL OR c.name = $6)
    AND ($7::text IS NULL OR r.cpo = $7) AND ($8::text IS NULL OR r.emsp = $8)
    AND ($9::timestamptz IS NULL OR r.started_at >= $9) AND ($10::timestamptz IS NULL OR r.started_at < $10)
    AND ($11::text IS NULL OR upper(r.cdr_id) = upper($11))
    -- The same once more, as the indexes have it.
    AND ($4::text IS DISTINCT FROM 'differs' OR r.outcome = 'differs')
    AND ($5::text IS DISTINCT FROM 'open' OR r.state = 'open')
    AND ($5::text IS DISTINCT FROM 'disputed' OR r.state = 'disputed')
ORDER BY r.no DESC LIMIT $12

-- name: one
SELECT r.*, c.name AS connection
FROM repricing r LEFT JOIN connection c ON c.id = r.connection_id
WHERE r.no = $1 AND ($2::text[] IS NULL OR r.party = ANY($2))

-- name: history
SELECT body, at FROM repricing_history WHERE repricing_no = $1 ORDER BY no DESC

-- name: lock
SELECT * FROM repricing WHERE no = $1 FOR UPDATE

-- name: decide
WITH kept AS (
    INSERT INTO repricing_history (repricing_no, body)
    SELECT no, json_build_object('outcome', outcome, 'why', why, 'told_net', told_net, 'net', net,
        'difference_net', difference_net, 'tariff', tariff_id, 'version', version_no, 'state', state, 'decided', decided,
        'computed', computed_at)
    FROM repricing WHERE no = $1
)
UPDATE repricing SET state = $2, decided = $3 WHERE no = $1

-- name: ask_since
-- Every CDR of a charge that began then or later, of the parties given.
WITH asked AS (
    INSERT INTO repricing_queue (subject)
    SELECT d.no FROM cdr d
    WHERE (d.body ->> 'start')::timestamptz >= $1 AND d.accepted_at >= $1 AND ($2::text[] IS NULL OR d.party = ANY($2))
    UNION ALL
    SELECT -d.no FROM received_cdr d
    WHERE d.started_at >= $1 AND ($2::text[] IS NULL OR d.party = ANY($2))
    RETURNING no
)
SELECT count(*) FROM asked

-- name: audit
INSERT INTO audit (who, action, subject, detail) VALUES ($1, $2, $3, $4)
