-- name: ways
-- Every way to an EVSE, the own network's first, then the preferred one, each with what is known of the tariffs that hold at
-- it. The EVSE is named by its EvseID's normal form ($1), or else by its location ($2 party, or null at a connection; $3 id;
-- $4 uid), at the connection $5, or in the own network where that is null. $6 the parties whose own network the caller sees;
-- $7 the start. $8 to $10 name a driver's token, which is given with each row.
WITH way AS MATERIALIZED (
    SELECT NULL::int AS connection_id, NULL::text AS connection, NULL::text AS hub, false AS preferred, NULL::int AS rank,
        e.no, e.evse_key, l.party, l.location_id, e.uid, NULL::text[] AS prices, l.body
    FROM (
        SELECT o.no FROM evse o WHERE o.evse_key = $1
        UNION ALL
        SELECT o.no FROM evse o WHERE $1::text IS NULL AND o.party = $2 AND o.location_id = $3 AND o.uid = $4
    ) o
    JOIN evse e ON e.no = o.no JOIN location l ON l.no = e.location_no
    WHERE NOT e.removed AND l.withdrawn_at IS NULL AND $5::text IS NULL AND ($6::text[] IS NULL OR l.party = ANY($6))
    UNION ALL
    SELECT e.connection_id, c.name, c.hub, e.preferred, c.rank,
        e.no, e.evse_key, l.party, l.location_id, e.uid, nullif(e.prices, '{}'), l.body
    FROM (
        SELECT * FROM catalogue_evse WHERE preferred AND evse_key = $1
        UNION ALL
        SELECT * FROM catalogue_evse WHERE NOT preferred AND NOT removed AND evse_key = $1
        UNION ALL
        SELECT o.* FROM connection c
        JOIN catalogue_location l ON l.connection_id = c.id AND lower(l.location_id) = lower($3)
            AND ($2::text IS NULL OR l.party = $2)
        JOIN catalogue_evse o ON o.location_no = l.no AND lower(o.uid) = lower($4) AND NOT o.removed
        WHERE $1::text IS NULL AND c.name = $5
    ) e
    JOIN catalogue_location l ON l.no = e.location_no JOIN connection c ON c.id = e.connection_id
    WHERE l.withdrawn_at IS NULL AND ($5::text IS NULL OR c.name = $5)
)
SELECT w.no AS evse_no, w.connection, w.hub, w.preferred, w.evse_key, w.party, w.location_id, w.uid, w.prices,
    w.body ->> 'time_zone' AS zone, w.evse, v.no, v.body, v.known_from, nullif(v.known_until, 'infinity') AS known_until,
    (SELECT t.body FROM driver_token t
        WHERE t.party = $8 AND t.type = $9 AND t.uid_key = $10 AND t.withdrawn_at IS NULL) AS token
FROM (
    SELECT w.*, (
        SELECT e.value FROM json_array_elements(w.body -> 'evses') e WHERE e.value ->> 'uid' = w.uid LIMIT 1
    ) AS evse
    FROM way w
) w
LEFT JOIN LATERAL (
    SELECT v.* FROM (
        SELECT DISTINCT lower(i.id) AS id FROM (
            SELECT unnest(w.prices) AS id
            UNION ALL
            SELECT json_array_elements_text(c.value -> 'tariff_ids') FROM json_array_elements(w.evse -> 'connectors') c
            WHERE w.prices IS NULL
        ) i
    ) i
    CROSS JOIN LATERAL (
        SELECT v.no, v.target, v.body, v.known_from, v.known_until FROM tariff_version v
        WHERE v.party = w.party AND lower(v.tariff_id) = i.id
            AND coalesce(v.connection_id, 0) = coalesce(w.connection_id, 0) AND v.known_until > $7
            AND (v.known_from <= $7 OR v.first)
        OFFSET 0  -- by the index: how few ids JSON holds is not known to whoever plans
    ) v
) v ON true
ORDER BY w.connection_id IS NOT NULL, w.preferred DESC, w.rank, w.no, v.target DESC, v.known_from

-- name: token
SELECT body FROM driver_token WHERE party = $1 AND type = $2 AND uid_key = $3 AND withdrawn_at IS NULL
