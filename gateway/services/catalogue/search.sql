-- name: entries
-- Entries by their keys ($1), each with its location.
SELECT e.no, e.cell, NULL::float8 AS distance, e.evse_key, e.uid, e.power, e.status, e.status_at, e.shared, e.prices,
    e.party, e.connection_id, c.name AS connection, l.location_id, l.body
FROM catalogue_evse e
JOIN catalogue_location l ON l.no = e.location_no
JOIN connection c ON c.id = e.connection_id
WHERE e.preferred AND e.evse_key = ANY($1::text[])

-- name: bodies
-- The locations of some ways ($1).
SELECT e.no, l.body FROM catalogue_evse e JOIN catalogue_location l ON l.no = e.location_no WHERE e.no = ANY($1::bigint[])

-- name: traces
-- Whatever is kept of ways to entries ($1), removed ones too: whose they are.
SELECT evse_key, connection_id, party FROM catalogue_evse WHERE preferred AND evse_key = ANY($1::text[])
UNION ALL
SELECT evse_key, connection_id, party FROM catalogue_evse WHERE NOT preferred AND evse_key = ANY($1::text[])

-- name: ways
-- Every way to some entries ($1), the newest status first.
SELECT e.no, e.evse_key, e.uid, e.power, e.status, e.status_at, e.preferred, e.prices, e.party, e.connection_id,
    c.name AS connection, c.rank, e.last_updated, l.location_id
FROM (
    SELECT * FROM catalogue_evse WHERE preferred AND evse_key = ANY($1::text[])
    UNION ALL
    SELECT * FROM catalogue_evse WHERE NOT preferred AND NOT removed AND evse_key = ANY($1::text[])
) e
JOIN catalogue_location l ON l.no = e.location_no
JOIN connection c ON c.id = e.connection_id
ORDER BY e.evse_key, e.status_at DESC, e.preferred DESC, e.no

-- name: locations_of_connection
-- A page of what one connection ($1) offers, with the EVSEs' statuses as it told them; $2 party, $3 after, $4 how many.
SELECT l.no, l.body, e.uids, e.statuses, e.status_ats
FROM (
    SELECT x.no, x.body FROM catalogue_location x JOIN connection c ON c.id = x.connection_id
    WHERE c.name = $1 AND ($2::text IS NULL OR x.party = $2) AND x.no > $3 AND x.withdrawn_at IS NULL
    ORDER BY x.no LIMIT $4
) l CROSS JOIN LATERAL (
    SELECT array_agg(e.uid) AS uids, array_agg(e.status) AS statuses,
        array_agg(CASE WHEN isfinite(e.status_at) THEN e.status_at END) AS status_ats
    FROM catalogue_evse e WHERE e.location_no = l.no AND NOT e.removed
) e
ORDER BY l.no

-- name: locations
-- A page of what all connections offer, each EVSE where its preferred way has it, with the newest status that any told.
SELECT l.no, l.body, e.uids, e.statuses, e.status_ats
FROM (
    SELECT x.no, x.body FROM catalogue_location x
    WHERE ($1::text IS NULL OR x.party = $1) AND x.no > $2 AND x.withdrawn_at IS NULL
        AND EXISTS (SELECT FROM catalogue_evse e WHERE e.location_no = x.no AND e.preferred)
    ORDER BY x.no LIMIT $3
) l CROSS JOIN LATERAL (
    SELECT array_agg(e.uid) AS uids, array_agg(coalesce(s.status, e.status)) AS statuses,
        array_agg(CASE WHEN isfinite(coalesce(s.status_at, e.status_at)) THEN coalesce(s.status_at, e.status_at) END)
            AS status_ats
    FROM catalogue_evse e LEFT JOIN LATERAL (
        SELECT w.status, w.status_at FROM (
            SELECT w.status, w.status_at FROM catalogue_evse w WHERE w.preferred AND w.evse_key = e.evse_key
            UNION ALL
            SELECT w.status, w.status_at FROM catalogue_evse w
            WHERE NOT w.preferred AND NOT w.removed AND w.evse_key = e.evse_key
        ) w ORDER BY w.status_at DESC LIMIT 1
    ) s ON e.shared
    WHERE e.location_no = l.no AND e.preferred
) e
ORDER BY l.no

-- name: tariffs
SELECT t.no, t.body FROM catalogue_tariff t JOIN connection c ON c.id = t.connection_id
WHERE ($1::text IS NULL OR c.name = $1) AND ($2::text IS NULL OR t.party = $2) AND t.no > $3 AND t.withdrawn_at IS NULL
ORDER BY t.no LIMIT $4

-- name: seen_tariffs
-- The same, without those that are for others than $5, and without networks ($6, $7) that are not seen.
SELECT t.no, t.body FROM catalogue_tariff t JOIN connection c ON c.id = t.connection_id
WHERE ($1::text IS NULL OR c.name = $1) AND ($2::text IS NULL OR t.party = $2) AND t.no > $3 AND t.withdrawn_at IS NULL
    AND (t.target = '' OR t.target = ANY($5::text[]))
    AND (t.connection_id, t.party) NOT IN (SELECT * FROM unnest($6::int[], $7::text[]))
ORDER BY t.no LIMIT $4

-- name: present
-- Before which transactions everything is committed or gone, and which changes are no longer kept.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS present, pg_snapshot_xmax(pg_current_snapshot())::text AS end,
    (SELECT forgotten FROM catalogue_upkeep)::text AS forgotten

-- name: changes
-- By the number of the transaction, not by its text, which stands under the same name in what is given: 1000 is after 999.
SELECT c.tx::text AS tx, c.no, c.keys, c.emsps FROM catalogue_change c
WHERE (c.tx, c.no) >= ($1::text::xid8, $2) AND c.tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY c.tx, c.no LIMIT $3

-- name: forget
-- Removes some of the changes ($2) that are older than $1, and notes up to which.
WITH old AS (
    DELETE FROM catalogue_change WHERE (tx, no) IN (
        SELECT tx, no FROM catalogue_change ORDER BY tx, no LIMIT $2
    ) AND at < now() - $1::interval
    RETURNING tx
), noted AS (
    UPDATE catalogue_upkeep SET forgotten = greatest(forgotten, (SELECT max(tx) FROM old))
    WHERE EXISTS (SELECT FROM old)
)
SELECT count(*) FROM old

-- name: leftovers
-- Some locations ($1) whose connection was removed, with the entries that they had a say in.
WITH gone AS (
    DELETE FROM catalogue_location WHERE no IN (
        SELECT l.no FROM catalogue_location l WHERE l.connection_id = $1 ORDER BY l.no LIMIT $2)
    RETURNING no
), removed AS (
    DELETE FROM catalogue_evse WHERE location_no IN (SELECT no FROM gone) RETURNING evse_key, shared
), changed AS (
    INSERT INTO catalogue_change (keys) SELECT array_agg(DISTINCT evse_key) FROM removed HAVING count(*) > 0
)
SELECT (SELECT count(*) FROM gone) AS gone, ARRAY(SELECT DISTINCT evse_key FROM removed WHERE shared ORDER BY 1) AS elect

-- name: removed_connections
-- From one number to the next by the index of the locations' keys, since a connection has a great many.
WITH RECURSIVE known AS (
    SELECT min(connection_id) AS id FROM catalogue_location
    UNION ALL
    SELECT (SELECT min(l.connection_id) FROM catalogue_location l WHERE l.connection_id > k.id) FROM known k
    WHERE k.id IS NOT NULL
)
SELECT k.id FROM known k WHERE k.id IS NOT NULL AND NOT EXISTS (SELECT FROM connection c WHERE c.id = k.id)

-- name: leftover_nos
SELECT no FROM catalogue_location WHERE connection_id = $1 ORDER BY no LIMIT $2

-- name: ranks
SELECT name, rank FROM connection ORDER BY rank, id

-- name: set_ranks
UPDATE connection c SET rank = coalesce(i.n, $2)
FROM connection k LEFT JOIN unnest($1::text[]) WITH ORDINALITY AS i(name, n) ON i.name = k.name
WHERE c.id = k.id

-- name: electing
SELECT electing FROM catalogue_upkeep

-- name: begin_electing
UPDATE catalogue_upkeep SET electing = 0

-- name: shared_after
SELECT no, evse_key FROM catalogue_evse WHERE no > $1 AND shared ORDER BY no LIMIT $2

-- name: lock_ways
SELECT FROM catalogue_evse WHERE no IN (
    SELECT no FROM catalogue_evse WHERE preferred AND evse_key = ANY($1::text[])
    UNION
    SELECT no FROM catalogue_evse WHERE NOT preferred AND evse_key = ANY($1::text[])
) ORDER BY no FOR UPDATE

-- name: note_electing
-- Unless the order was changed once more, and everything begins anew.
UPDATE catalogue_upkeep SET electing = $2 WHERE electing = $1

-- name: changed
INSERT INTO catalogue_change (keys) VALUES ($1)

-- name: counts
SELECT c.hub, c.name, count(e.no) AS ways, count(e.no) FILTER (WHERE e.preferred) AS entries
FROM connection c LEFT JOIN catalogue_evse e ON e.connection_id = c.id AND NOT e.removed
GROUP BY c.id
