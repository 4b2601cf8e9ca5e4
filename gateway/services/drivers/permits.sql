-- name: write
-- Permits, every id by which they are found, and events of them, in one statement, since drivers wait. One whose id is
-- there already is not written, nor given back.
-- An id that a hub gives out a second time leads to the newer permit, unless a session holds on to the older one.
WITH made AS (
    INSERT INTO permit (id, connection_id, origin, party, cpo, evse_key, identity, contract_key, driver_token_no, allowed,
        reason, leg, detail, at, expires_at)
    SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::bigint[], $10::bool[], $11::text[], $12::json[], $13::json[], $14::timestamptz[], $15::timestamptz[])
    ON CONFLICT (id) DO NOTHING
    RETURNING no, id, party
), refs AS (
    INSERT INTO permit_ref AS r (connection_id, kind, value, permit_no)
    SELECT DISTINCT ON (i.connection_id, i.kind, i.value) i.connection_id, i.kind, i.value, m.no
    FROM unnest($16::text[], $17::int[], $18::text[], $19::text[]) AS i(id, connection_id, kind, value)
    JOIN made m USING (id)
    ORDER BY i.connection_id, i.kind, i.value, m.no DESC
    ON CONFLICT (connection_id, kind, value) DO UPDATE SET permit_no = excluded.permit_no
    WHERE NOT EXISTS (SELECT FROM permit p WHERE p.no = r.permit_no AND p.received_session_no IS NOT NULL)
), noted AS (
    INSERT INTO event (type, party, subject, data)
    SELECT i.type, m.party, 'permits/' || m.id, i.data
    FROM unnest($20::text[], $21::text[], $22::json[]) AS i(id, type, data) JOIN made m USING (id) ORDER BY m.no
)
SELECT no, id FROM made

-- name: named
SELECT DISTINCT ON (p.no) p.no, p.id, p.origin, p.party, p.cpo, p.evse_key, p.identity, p.contract_key,
    p.driver_token_no, p.allowed, p.leg, p.at, p.expires_at, p.received_session_no
FROM unnest($2::text[], $3::text[]) AS i(kind, value)
JOIN permit_ref r ON r.connection_id = $1 AND r.kind = i.kind AND r.value = i.value
JOIN permit p ON p.no = r.permit_no
ORDER BY p.no

-- name: nearby
-- Those under which a driver ($3: uid and contract) may begin a session at an EVSE ($2), or where nobody told the EVSE.
SELECT no, id, origin, party, cpo, evse_key, identity, contract_key, driver_token_no, allowed, leg, at, expires_at,
    received_session_no
FROM permit
WHERE connection_id = $1 AND (evse_key = $2 OR evse_key IS NULL) AND allowed AND received_session_no IS NULL
    AND at <= $4 AND (at >= $5 OR expires_at >= $6)
    AND (identity = ANY($3::text[]) OR contract_key = ANY($3::text[]))
ORDER BY at DESC LIMIT 100

-- name: tie
UPDATE permit SET received_session_no = $2
WHERE no = $1 AND (received_session_no IS NULL OR received_session_no = $2)
RETURNING no

-- name: name
WITH kept AS (
    UPDATE permit SET leg = $3 WHERE no = $1
)
INSERT INTO permit_ref AS r (connection_id, kind, value, permit_no)
SELECT $2, i.kind, i.value, $1 FROM unnest($4::text[], $5::text[]) AS i(kind, value) ORDER BY i.kind, i.value
ON CONFLICT (connection_id, kind, value) DO UPDATE SET permit_no = excluded.permit_no
WHERE NOT EXISTS (SELECT FROM permit p WHERE p.no = r.permit_no AND p.received_session_no IS NOT NULL)

-- name: deny
UPDATE permit SET allowed = false, reason = $2 WHERE no = $1 AND received_session_no IS NULL
