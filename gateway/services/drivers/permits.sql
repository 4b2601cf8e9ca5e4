-- name: write
-- Permits, every id by which they are found, and events of them, in one statement, since drivers wait. One whose id is
-- there already is not written, nor given back; nor is one that allows by a token that was blocked meanwhile: whoever
-- blocks it waits for us, or we see it.
-- An id that a hub gives out a second time leads to the newer permit, unless a session holds on to the older one.
WITH input AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::bigint[], $10::bool[], $11::text[], $12::json[], $13::json[], $14::timestamptz[], $15::timestamptz[],
        $23::json[])
        AS i(id, connection_id, origin, party, cpo, evse_key, identity, contract_key, driver_token_no, allowed, reason, leg,
            detail, at, expires_at, agreement)
), valid AS MATERIALIZED (
    SELECT t.no FROM driver_token t
    WHERE t.no = ANY(ARRAY(SELECT driver_token_no FROM input WHERE allowed)) AND t.valid AND t.withdrawn_at IS NULL
    ORDER BY t.party, t.type, t.uid_key
    FOR SHARE OF t
), made AS (
    INSERT INTO permit (id, connection_id, origin, party, cpo, evse_key, identity, contract_key, driver_token_no, allowed,
        reason, leg, detail, at, expires_at, agreement)
    SELECT * FROM input i
    WHERE NOT i.allowed OR i.driver_token_no IS NULL OR i.driver_token_no IN (SELECT no FROM valid)
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

-- name: prepare
-- Everything that an authorisation has to know, in one way to the database: the tokens with the driver's uid ($1), or, without
-- one, contract ($2), or the uid in reverse ($3); the permit of this id ($5), if the question was answered before; the EVSE
-- ($7, $8, of party $6) by its key in the catalogue.
SELECT t.nos, t.drivers, t.turned, t.tokens,
    g.id AS given, g.party AS given_party, g.contract_key AS given_contract, g.allowed, g.reason, g.leg::text AS leg, g.detail::text AS detail,
    (SELECT d.body::text FROM driver_token d WHERE d.no = g.driver_token_no) AS given_token,
    (SELECT e.evse_key FROM catalogue_location l JOIN catalogue_evse e ON e.location_no = l.no
        WHERE l.connection_id = $4 AND l.party = $6 AND lower(l.location_id) = lower($7) AND lower(e.uid) = lower($8)
        LIMIT 1) AS evse_key
FROM (
    SELECT array_agg(no) AS nos, array_agg(driver) AS drivers, array_agg(turned) AS turned, array_agg(body::text) AS tokens
    FROM (
        SELECT no, driver, false AS turned, body FROM driver_token WHERE uid_key = $1 AND withdrawn_at IS NULL
        UNION ALL
        SELECT no, driver, false, body FROM driver_token
        WHERE $1::text IS NULL AND contract_key = $2 AND withdrawn_at IS NULL
        UNION ALL
        SELECT no, driver, true, body FROM driver_token WHERE uid_key = $3 AND withdrawn_at IS NULL
        LIMIT 50
    ) known
) t LEFT JOIN permit g ON g.id = $5

-- name: to_stop
-- The permits that some ids lead to, whether their session is over, the token of each; and the tokens of who wants to stop.
SELECT p.no, p.id, p.party, p.allowed, p.leg, s.ended_at IS NOT NULL AS ended, d.body AS token, d.driver
FROM unnest($2::text[], $3::text[]) AS i(kind, value)
JOIN permit_ref r ON r.connection_id = $1 AND r.kind = i.kind AND r.value = i.value
JOIN permit p ON p.no = r.permit_no
LEFT JOIN received_session s ON s.no = p.received_session_no
LEFT JOIN driver_token d ON d.no = p.driver_token_no

-- name: held_up
SELECT no, driver, body AS token FROM driver_token
WHERE (uid_key = $1 OR ($1::text IS NULL AND contract_key = $2)) AND withdrawn_at IS NULL LIMIT 50

-- name: emsps
-- Our EMSPs: by their profiles, and whoever has tokens, from one party to the next by the index.
WITH RECURSIVE held AS (
    SELECT min(party) AS party FROM driver_token
    UNION ALL
    SELECT (SELECT min(t.party) FROM driver_token t WHERE t.party > h.party) FROM held h WHERE h.party IS NOT NULL
)
SELECT id AS party FROM party WHERE (body::jsonb -> 'roles') ? 'EMSP'
UNION
SELECT party FROM held WHERE party IS NOT NULL

-- name: one
SELECT p.no, p.id, p.origin, p.party, p.cpo, p.evse_key, p.allowed, p.reason, p.leg, p.detail, p.at, p.expires_at,
    p.agreement, c.name AS connection, d.driver, s.cpo AS session_cpo, s.session_id
FROM permit p
LEFT JOIN connection c ON c.id = p.connection_id
LEFT JOIN driver_token d ON d.no = p.driver_token_no
LEFT JOIN received_session s ON s.no = p.received_session_no
WHERE p.id = $1

-- name: page
-- The newest first.
SELECT p.no, p.id, p.origin, p.party, p.cpo, p.evse_key, p.allowed, p.reason, p.leg, p.detail, p.at, p.expires_at,
    p.agreement, c.name AS connection, d.driver, s.cpo AS session_cpo, s.session_id
FROM permit p
LEFT JOIN connection c ON c.id = p.connection_id
LEFT JOIN driver_token d ON d.no = p.driver_token_no
LEFT JOIN received_session s ON s.no = p.received_session_no
WHERE ($1::text[] IS NULL OR p.party = ANY($1)) AND ($2::boolean IS NULL OR p.allowed = $2)
    AND ($3::timestamptz IS NULL OR p.at >= $3) AND ($4::timestamptz IS NULL OR p.at < $4)
    AND ($5::text IS NULL OR c.name = $5) AND p.no < $7
    AND ($6::text IS NULL OR p.driver_token_no = ANY(ARRAY(SELECT no FROM driver_token WHERE driver = $6)))
ORDER BY p.no DESC LIMIT $8
