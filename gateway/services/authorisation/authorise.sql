-- name: prepare
-- Everything that an authorisation has to know, in one way to the database: the EVSE of a party ($1) by its key ($2, $3) or
-- by its EvseID's normal form ($4, of several the newest that is not REMOVED); the tokens with the driver's uid ($5), or,
-- without one, contract ($6); over which connections the EMSP ($7) answered before; whether the id ($8) is there already.
SELECT p.body, p.uid, t.connections, t.listed, t.tokens,
    ARRAY(SELECT connection_id FROM emsp_seen WHERE emsp = $7) AS learned,
    EXISTS (SELECT FROM authorisation WHERE id = $8) AS again
FROM (
    SELECT array_agg(connection_id) AS connections, array_agg(listed) AS listed, array_agg(body::text) AS tokens FROM (
        SELECT connection_id, listed, body FROM token WHERE uid_key = $5
        UNION ALL
        SELECT connection_id, listed, body FROM token WHERE contract_key = $6 AND $5::text IS NULL
        LIMIT 50
    ) known
) t LEFT JOIN (
    SELECT l.body, e.uid FROM (
        SELECT location_no, uid, status_at, location_id FROM evse
        WHERE party = $1 AND location_id = $2 AND uid = $3 AND $4::text IS NULL AND NOT removed
        UNION ALL
        SELECT location_no, uid, status_at, location_id FROM evse WHERE evse_key = $4 AND party = $1 AND NOT removed
        ORDER BY status_at DESC, location_id, uid LIMIT 1
    ) e JOIN location l ON l.no = e.location_no
) p ON true

-- name: learn
INSERT INTO emsp_seen (emsp, connection_id) SELECT * FROM unnest($1::text[], $2::int[])
ON CONFLICT DO NOTHING

-- name: detail
SELECT detail FROM authorisation WHERE id = $1 FOR UPDATE

-- name: settle
UPDATE authorisation SET detail = $2 WHERE id = $1

-- name: one
SELECT a.no, a.id, a.identity, a.origin, a.party, a.location_id, a.evse_uid, a.connector_id, a.allowed, a.reason, a.auth_method, a.leg,
    a.detail, a.at, a.expires_at, a.agreement, c.name AS connection, s.session_id
FROM authorisation a
LEFT JOIN connection c ON c.id = a.connection_id
LEFT JOIN session s ON s.no = a.session_no
WHERE a.id = $1

-- name: page
-- The newest first.
SELECT a.no, a.id, a.identity, a.origin, a.party, a.location_id, a.evse_uid, a.connector_id, a.allowed, a.reason, a.auth_method, a.leg,
    a.detail, a.at, a.expires_at, a.agreement, c.name AS connection, s.session_id
FROM authorisation a
LEFT JOIN connection c ON c.id = a.connection_id
LEFT JOIN session s ON s.no = a.session_no
WHERE ($1::text[] IS NULL OR a.party = ANY($1)) AND ($2::boolean IS NULL OR a.allowed = $2) AND a.no < $3
    AND ($5::text IS NULL OR a.location_id = $5) AND ($6::text IS NULL OR a.evse_uid = $6)
    AND ($7::timestamptz IS NULL OR a.at >= $7)
    AND ($8::text IS NULL OR c.name = $8 OR EXISTS (
        SELECT FROM json_array_elements(a.detail -> 'asked') asked WHERE asked ->> 'connection' = $8))
ORDER BY a.no DESC LIMIT $4

-- name: to_stop
-- What a stop is judged by: who started it, whether it goes on, and the groups of the token that is held up now ($2 uid,
-- or $3 contract) by the connections that told of it.
SELECT a.id, a.party, a.allowed, a.identity, a.contract_key, a.connection_id, a.leg, a.detail, a.location_id, a.evse_uid,
    a.connector_id, s.ended_at IS NOT NULL AS ended, s.place::text AS place, l.body,
    ARRAY(SELECT body::text FROM token t WHERE t.uid_key = $2 OR (t.contract_key = $3 AND $2::text IS NULL)) AS tokens
FROM authorisation a
LEFT JOIN session s ON s.no = a.session_no
LEFT JOIN location l ON l.party = a.party AND l.location_id = a.location_id
WHERE a.id = $1
