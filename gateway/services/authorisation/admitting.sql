-- name: record
-- Authorisations, every id in their legs, and events of them, in one statement, since drivers wait. One whose id is there
-- already is not written, nor given back.
-- An id that a hub gives out a second time leads to the newer charge, unless a session holds on to the older one.
WITH made AS (
    INSERT INTO authorisation (id, origin, party, location_id, evse_uid, connector_id, identity, contract_key,
        connection_id, agreement, allowed, reason, auth_method, leg, detail, at, expires_at)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::int[], $10::json[], $11::bool[], $12::text[], $13::text[], $14::json[], $15::json[], $16::timestamptz[],
        $17::timestamptz[])
    ON CONFLICT (id) DO NOTHING
    RETURNING no, id, party
), refs AS (
    INSERT INTO session_ref AS r (connection_id, kind, value, authorisation_no)
    SELECT DISTINCT ON (i.connection_id, i.kind, i.value) i.connection_id, i.kind, i.value, m.no
    FROM unnest($18::text[], $19::int[], $20::text[], $21::text[]) AS i(id, connection_id, kind, value)
    JOIN made m USING (id)
    ORDER BY i.connection_id, i.kind, i.value, m.no DESC
    ON CONFLICT (connection_id, kind, value) DO UPDATE SET authorisation_no = excluded.authorisation_no
    WHERE NOT EXISTS (SELECT FROM authorisation a WHERE a.no = r.authorisation_no AND a.session_no IS NOT NULL)
), noted AS (
    INSERT INTO event (type, party, subject, data)
    SELECT i.type, m.party, 'authorisations/' || m.id, i.data
    FROM unnest($22::text[], $23::text[], $24::json[]) AS i(id, type, data) JOIN made m USING (id) ORDER BY m.no
)
SELECT no, id FROM made
