-- name: ensure
-- A row for every feed that can be pulled; $3 tells which other feed has to be there in full first.
INSERT INTO pull (connection_id, feed) SELECT * FROM unnest($1::int[], $2::text[])
ON CONFLICT (connection_id, feed) DO NOTHING

-- name: claim
-- Leases one feed that is due; $3 names, for each, the feed that has to have been pulled in full before it, if any.
UPDATE pull p SET holder = $4, fence = nextval('fence'), leased_until = clock_timestamp() + $5
WHERE (p.connection_id, p.feed) = (
    SELECT d.connection_id, d.feed
    FROM unnest($1::int[], $2::text[], $3::text[]) AS i(connection_id, feed, after)
    JOIN pull d ON d.connection_id = i.connection_id AND d.feed = i.feed
    LEFT JOIN pull a ON a.connection_id = i.connection_id AND a.feed = i.after
    WHERE d.next_at <= now() AND d.leased_until <= now() AND (i.after IS NULL OR a.full_at IS NOT NULL)
    ORDER BY d.next_at LIMIT 1
    FOR UPDATE OF d SKIP LOCKED)
RETURNING p.connection_id, p.feed, p.mark, p.full_at, p.full_asked, p.failures, p.fence, now() AS began

-- name: extend
UPDATE pull SET leased_until = clock_timestamp() + $2 WHERE fence = $1 RETURNING true

-- name: progress
-- What a pull has done so far, for whoever looks.
UPDATE pull SET last = $2, leased_until = clock_timestamp() + $3 WHERE fence = $1 RETURNING true

-- name: succeeded
UPDATE pull SET
    mark = $2,
    full_at = coalesce($3, full_at),
    full_asked = full_asked AND $3 IS NULL,
    next_at = $4,
    failures = 0,
    fence = NULL,
    leased_until = '-infinity',
    last = $5
WHERE fence = $1 RETURNING true

-- name: failed
-- The mark stays: what was missed is asked for again.
UPDATE pull SET failures = failures + 1, next_at = $2, fence = NULL, leased_until = '-infinity', last = $3
WHERE fence = $1 RETURNING true

-- name: list
SELECT c.id, c.name AS connection, c.hub, p.feed, p.mark, p.full_at, p.full_asked, p.next_at, p.failures, p.last,
    p.leased_until > now() AS running
FROM pull p JOIN connection c ON c.id = p.connection_id
ORDER BY c.name, p.feed

-- name: ask
-- Has a feed pulled at once, in full if that is asked for.
UPDATE pull SET next_at = now(), full_asked = full_asked OR $3 WHERE connection_id = $1 AND feed = $2 RETURNING true
