-- name: by_id
-- Every way to an EVSE ($5, its EvseID's normal form). Who may see which is for whoever reads the few there are: conditions
-- that may be left out would have the statement planned anew each time.
WITH way AS MATERIALIZED (
    SELECT NULL::int AS connection_id, NULL::text AS connection, NULL::text AS hub, false AS preferred, NULL::int AS rank,
        e.no, e.evse_key, l.party, l.location_id, e.uid, NULL::text[] AS prices, l.party AS priced_by, l.body
    FROM evse e JOIN location l ON l.no = e.location_no
    WHERE e.evse_key = $5 AND NOT e.removed AND l.withdrawn_at IS NULL
    UNION ALL
    SELECT e.connection_id, c.name, c.hub, e.preferred, c.rank,
        e.no, e.evse_key, l.party, l.location_id, e.uid, nullif(e.prices, '{}'), coalesce(e.priced_by, l.party), l.body
    FROM (
        SELECT * FROM catalogue_evse WHERE preferred AND evse_key = $5
        UNION ALL
        SELECT * FROM catalogue_evse WHERE NOT preferred AND NOT removed AND evse_key = $5
    ) e
    JOIN catalogue_location l ON l.no = e.location_no JOIN connection c ON c.id = e.connection_id
    WHERE l.withdrawn_at IS NULL
)

-- name: by_own_location
-- An own EVSE by its location ($5 party, $6 id, $7 uid).
WITH way AS MATERIALIZED (
    SELECT NULL::int AS connection_id, NULL::text AS connection, NULL::text AS hub, false AS preferred, NULL::int AS rank,
        e.no, e.evse_key, l.party, l.location_id, e.uid, NULL::text[] AS prices, l.party AS priced_by, l.body
    FROM evse e JOIN location l ON l.no = e.location_no
    WHERE e.party = $5 AND e.location_id = $6 AND e.uid = $7 AND NOT e.removed AND l.withdrawn_at IS NULL
)

-- name: by_location
-- A partner's EVSE by its location ($6 party, or null; $7 id; $8 uid), as the connection $5 tells it.
WITH way AS MATERIALIZED (
    SELECT e.connection_id, c.name AS connection, c.hub, e.preferred, c.rank,
        e.no, e.evse_key, l.party, l.location_id, e.uid, nullif(e.prices, '{}') AS prices,
        coalesce(e.priced_by, l.party) AS priced_by, l.body
    FROM connection c
    JOIN catalogue_location l ON l.connection_id = c.id AND lower(l.location_id) = lower($7)
        AND ($6::text IS NULL OR l.party = $6)
    JOIN catalogue_evse e ON e.location_no = l.no AND lower(e.uid) = lower($8)
    WHERE c.name = $5 AND NOT e.removed AND l.withdrawn_at IS NULL
)

-- name: at_ways
-- What is known, at the start of a charge ($1), of the tariffs that hold by some ways: the own network's first, then the
-- preferred one. $2 to $4 name a driver's token, which is given with each row.
SELECT w.no AS evse_no, w.connection, w.hub, w.preferred, w.evse_key, w.party, w.location_id, w.uid, w.prices,
    w.body ->> 'time_zone' AS zone, w.evse, v.no, v.body, v.known_from, nullif(v.known_until, 'infinity') AS known_until,
    (SELECT t.body FROM driver_token t
        WHERE t.party = $2 AND t.type = $3 AND t.uid_key = $4 AND t.withdrawn_at IS NULL) AS token
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
        WHERE v.party = w.priced_by AND lower(v.tariff_id) = i.id
            AND coalesce(v.connection_id, 0) = coalesce(w.connection_id, 0) AND v.known_until > $1
            AND (v.known_from <= $1 OR v.first)
        OFFSET 0  -- by the index: how few ids JSON holds is not known to whoever plans
    ) v
) v ON true
ORDER BY w.connection_id IS NOT NULL, w.preferred DESC, w.rank, w.no, v.target DESC, v.known_from

-- name: token
SELECT body FROM driver_token WHERE party = $1 AND type = $2 AND uid_key = $3 AND withdrawn_at IS NULL
