-- name: count_sessions
SELECT count(*) FROM session s
WHERE s.connection_id = $1 AND s.review IS NULL AND ($2::text[] IS NULL OR s.party = ANY($2))
    AND s.last_updated >= coalesce($3::timestamptz, '-infinity') AND s.last_updated < coalesce($4::timestamptz, 'infinity')

-- name: page_sessions
SELECT s.body, s.place, s.connection_id, a.leg
FROM session s LEFT JOIN authorisation a ON a.no = s.authorisation_no
WHERE s.connection_id = $1 AND s.review IS NULL AND ($2::text[] IS NULL OR s.party = ANY($2))
    AND s.last_updated >= coalesce($3::timestamptz, '-infinity') AND s.last_updated < coalesce($4::timestamptz, 'infinity')
ORDER BY s.no OFFSET $5 LIMIT $6

-- name: count_cdrs
-- What is in effect: never two of one session. A credit stands for nothing without what it takes back, which is left out;
-- and a hub is not given by a pull what it refused, what a person discarded, or what was only ever shown.
SELECT count(*) FROM cdr d
WHERE d.connection_id = $1 AND d.leg IS NOT NULL AND d.review IS NULL AND NOT d.credit AND NOT d.taken_back
    AND NOT EXISTS (
        SELECT FROM delivery v WHERE v.cdr_no = d.no AND v.connection_id = d.connection_id
            AND (v.shadow OR v.state IN ('refused', 'discarded')))
    AND ($2::text[] IS NULL OR d.party = ANY($2))
    AND d.last_updated >= coalesce($3::timestamptz, '-infinity') AND d.last_updated < coalesce($4::timestamptz, 'infinity')

-- name: page_cdrs
-- The very same as are counted.
SELECT d.body, d.leg FROM cdr d
WHERE d.connection_id = $1 AND d.leg IS NOT NULL AND d.review IS NULL AND NOT d.credit AND NOT d.taken_back
    AND NOT EXISTS (
        SELECT FROM delivery v WHERE v.cdr_no = d.no AND v.connection_id = d.connection_id
            AND (v.shadow OR v.state IN ('refused', 'discarded')))
    AND ($2::text[] IS NULL OR d.party = ANY($2))
    AND d.last_updated >= coalesce($3::timestamptz, '-infinity') AND d.last_updated < coalesce($4::timestamptz, 'infinity')
ORDER BY d.no OFFSET $5 LIMIT $6

-- name: running
SELECT s.party, s.session_id, a.leg FROM session s LEFT JOIN authorisation a ON a.no = s.authorisation_no
WHERE s.connection_id = $1 AND s.session_id = $3 AND s.review IS NULL AND s.ended_at IS NULL
    AND ($2::text[] IS NULL OR s.party = ANY($2))
