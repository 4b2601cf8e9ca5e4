-- name: parties
SELECT body FROM party ORDER BY id

-- name: owners
-- Whoever has anything here: from one party to the next by the indexes, since a party has thousands of locations.
WITH RECURSIVE located AS (
    SELECT min(party) AS party FROM location
    UNION ALL
    SELECT (SELECT min(l.party) FROM location l WHERE l.party > p.party) FROM located p WHERE p.party IS NOT NULL
), priced AS (
    SELECT min(party) AS party FROM tariff
    UNION ALL
    SELECT (SELECT min(t.party) FROM tariff t WHERE t.party > p.party) FROM priced p WHERE p.party IS NOT NULL
)
SELECT party FROM (
    SELECT id AS party FROM party UNION SELECT party FROM located UNION SELECT party FROM priced) every
WHERE party IS NOT NULL ORDER BY party

-- name: party
SELECT body FROM party WHERE id = $1

-- name: write_party
INSERT INTO party (id, body) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET body = excluded.body, updated_at = now()
RETURNING xmax = 0

-- name: inbound_issues
SELECT issues FROM location WHERE party = $1 AND location_id = $2

-- name: hub_issues
SELECT c.name AS connection, s.operation, s.key, s.issues
FROM location l
JOIN projection p ON p.location_no = l.no
JOIN issue s USING (connection_id, key, operation)
JOIN connection c ON c.id = p.connection_id
WHERE l.party = $1 AND l.location_id = $2
ORDER BY c.name, s.operation, s.key

-- name: losers
-- The location's EVSEs whose shared key another EVSE has.
SELECT c.name AS connection, p.operation, p.key, w.party || '/' || w.location_id || '/' || w.uid AS winner
FROM evse e
JOIN projection p ON p.connection_id = ANY(e.claims) AND p.key = e.evse_key AND p.shared AND p.evse_no <> e.no
JOIN evse w ON w.no = p.evse_no
JOIN connection c ON c.id = p.connection_id
WHERE e.party = $1 AND e.location_id = $2 AND NOT e.removed
ORDER BY c.name, p.operation, p.key

-- name: inbound_tariff_issues
SELECT issues FROM tariff WHERE party = $1 AND tariff_id = $2 AND target = $3

-- name: hub_tariff_issues
SELECT c.name AS connection, s.operation, s.key, s.issues
FROM tariff t
JOIN projection p ON p.tariff_no = t.no
JOIN issue s USING (connection_id, key, operation)
JOIN connection c ON c.id = p.connection_id
WHERE t.party = $1 AND t.tariff_id = $2 AND t.target = $3
ORDER BY c.name, s.operation, s.key

-- name: all_issues
-- Equal lists of issues are counted once, since most records of a network share theirs.
SELECT '' AS connection, l.issues::text AS issues, count(*) AS count FROM location l
WHERE l.issues IS NOT NULL AND $2::text IS NULL AND ($1::text[] IS NULL OR l.party = ANY($1))
GROUP BY l.issues::text
UNION ALL
SELECT '', t.issues::text, count(*) FROM tariff t
WHERE t.issues IS NOT NULL AND $2::text IS NULL AND ($1::text[] IS NULL OR t.party = ANY($1))
GROUP BY t.issues::text
UNION ALL
SELECT c.name, s.issues::text, count(*)
FROM issue s
JOIN connection c ON c.id = s.connection_id
JOIN projection p USING (connection_id, key, operation)
LEFT JOIN location l ON l.no = p.location_no
LEFT JOIN tariff t ON t.no = p.tariff_no
LEFT JOIN driver_token d ON d.no = p.driver_token_no
WHERE ($2::text IS NULL OR c.name = $2) AND ($1::text[] IS NULL OR coalesce(l.party, t.party, d.party) = ANY($1))
GROUP BY c.name, s.issues::text

-- name: count_locations
SELECT count(*) FROM location l
WHERE ($1::text[] IS NULL OR l.party = ANY($1))
    AND ($2::text[] IS NULL OR l.party || '/' || l.location_id = ANY($2))
    AND ($3::text[] IS NULL OR EXISTS (SELECT FROM evse e WHERE e.location_no = l.no AND e.evse_key = ANY($3)))
    AND l.withdrawn_at IS NULL

-- name: page_locations
SELECT l.body::text AS body, array_agg(e.uid) AS uids, array_agg(e.status) AS statuses, array_agg(e.status_at) AS status_ats
FROM (
    SELECT l.no, l.body FROM location l
    WHERE ($1::text[] IS NULL OR l.party = ANY($1))
        AND ($2::text[] IS NULL OR l.party || '/' || l.location_id = ANY($2))
        AND ($3::text[] IS NULL OR EXISTS (SELECT FROM evse e WHERE e.location_no = l.no AND e.evse_key = ANY($3)))
        AND l.withdrawn_at IS NULL
    ORDER BY l.no OFFSET $4 LIMIT $5
) l LEFT JOIN evse e ON e.location_no = l.no
GROUP BY l.no, l.body::text
ORDER BY l.no

-- name: count_locations_dated
-- A location's own stamp, or that of one of its statuses, within the dates; changed_on narrows the search by its index.
SELECT count(*) FROM location l
WHERE ($1::text[] IS NULL OR l.party = ANY($1))
    AND ($2::text[] IS NULL OR l.party || '/' || l.location_id = ANY($2))
    AND ($3::text[] IS NULL OR EXISTS (SELECT FROM evse e WHERE e.location_no = l.no AND e.evse_key = ANY($3)))
    AND l.no IN (
        SELECT no FROM location WHERE last_updated >= coalesce($4::timestamptz, '-infinity') AND last_updated < coalesce($5::timestamptz, 'infinity')
        UNION ALL
        SELECT location_no FROM evse
        WHERE changed_on >= coalesce($4::timestamptz, '-infinity')::date AND status_at >= coalesce($4::timestamptz, '-infinity'))
    AND greatest(l.last_updated, (SELECT max(status_at) FROM evse e WHERE e.location_no = l.no))
        < coalesce($5::timestamptz, 'infinity')

-- name: page_locations_dated
SELECT l.body::text AS body, array_agg(e.uid) AS uids, array_agg(e.status) AS statuses, array_agg(e.status_at) AS status_ats
FROM (
    SELECT l.no, l.body FROM location l
    WHERE ($1::text[] IS NULL OR l.party = ANY($1))
        AND ($2::text[] IS NULL OR l.party || '/' || l.location_id = ANY($2))
        AND ($3::text[] IS NULL OR EXISTS (SELECT FROM evse e WHERE e.location_no = l.no AND e.evse_key = ANY($3)))
        AND l.no IN (
            SELECT no FROM location WHERE last_updated >= coalesce($4::timestamptz, '-infinity') AND last_updated < coalesce($5::timestamptz, 'infinity')
            UNION ALL
            SELECT location_no FROM evse
            WHERE changed_on >= coalesce($4::timestamptz, '-infinity')::date AND status_at >= coalesce($4::timestamptz, '-infinity'))
        AND greatest(l.last_updated, (SELECT max(status_at) FROM evse e WHERE e.location_no = l.no))
            < coalesce($5::timestamptz, 'infinity')
    ORDER BY l.no OFFSET $6 LIMIT $7
) l LEFT JOIN evse e ON e.location_no = l.no
GROUP BY l.no, l.body::text
ORDER BY l.no

-- name: count_tariffs
SELECT count(*) FROM tariff t
WHERE ($1::text[] IS NULL OR t.party = ANY($1)) AND t.withdrawn_at IS NULL

-- name: page_tariffs
SELECT t.body FROM tariff t
WHERE ($1::text[] IS NULL OR t.party = ANY($1)) AND t.withdrawn_at IS NULL
ORDER BY t.no OFFSET $2 LIMIT $3

-- name: count_tariffs_dated
SELECT count(*) FROM tariff t
WHERE ($1::text[] IS NULL OR t.party = ANY($1)) AND t.withdrawn_at IS NULL
    AND t.last_updated >= coalesce($2::timestamptz, '-infinity') AND t.last_updated < coalesce($3::timestamptz, 'infinity')

-- name: page_tariffs_dated
SELECT t.body FROM tariff t
WHERE ($1::text[] IS NULL OR t.party = ANY($1)) AND t.withdrawn_at IS NULL
    AND t.last_updated >= coalesce($2::timestamptz, '-infinity') AND t.last_updated < coalesce($3::timestamptz, 'infinity')
ORDER BY t.no OFFSET $4 LIMIT $5

-- name: variants
SELECT body FROM tariff WHERE party = $1 AND tariff_id = $2 AND withdrawn_at IS NULL ORDER BY target
