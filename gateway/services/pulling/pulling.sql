-- name: ensure
-- A row for every feed that can be pulled.
INSERT INTO pull (connection_id, feed)
SELECT i.connection_id, i.feed FROM unnest($1::int[], $2::text[]) AS i(connection_id, feed)
JOIN connection c ON c.id = i.connection_id -- or it was removed a moment ago
ON CONFLICT (connection_id, feed) DO NOTHING

-- name: claim
-- Leases one feed that is due; $3 names, for each, the feed that has to have been read to its end before it, if any.
UPDATE pull p SET holder = $4, fence = nextval('fence'), leased_until = clock_timestamp() + $5
WHERE (p.connection_id, p.feed) = (
    SELECT d.connection_id, d.feed
    FROM unnest($1::int[], $2::text[], $3::text[]) AS i(connection_id, feed, after)
    JOIN pull d ON d.connection_id = i.connection_id AND d.feed = i.feed
    LEFT JOIN pull a ON a.connection_id = i.connection_id AND a.feed = i.after
    WHERE d.next_at <= now() AND d.leased_until <= now() AND (i.after IS NULL OR a.full_at IS NOT NULL OR a.last ->> 'outcome' = 'unsettled')
    ORDER BY d.next_at LIMIT 1
    FOR UPDATE OF d SKIP LOCKED)
RETURNING p.connection_id, p.feed, p.mark, p.full_at, p.full_asked, p.failures, p.fence, now() AS began

-- name: extend
UPDATE pull SET leased_until = clock_timestamp() + $2 WHERE fence = $1 RETURNING true

-- name: progress
-- What a pull has done so far, for whoever looks.
UPDATE pull SET last = $2, leased_until = clock_timestamp() + $3 WHERE fence = $1 RETURNING true

-- name: released
-- Of what was given up in the middle nothing follows; it stays due.
UPDATE pull SET fence = NULL, leased_until = '-infinity' WHERE fence = $1

-- name: succeeded
-- What was asked for after the pull began ($2) is still to be done.
UPDATE pull SET
    mark = $2,
    full_at = coalesce($3, full_at),
    full_asked = full_asked AND ($3 IS NULL OR next_at > $2),
    next_at = CASE WHEN next_at > $2 THEN next_at ELSE now() + $4 END,
    failures = 0,
    fence = NULL,
    leased_until = '-infinity',
    last = $5
WHERE fence = $1 RETURNING true

-- name: failed
-- The mark stays: what was missed is asked for again.
UPDATE pull SET
    failures = failures + 1,
    next_at = CASE WHEN next_at > $2 THEN next_at ELSE now() + $3 END,
    fence = NULL,
    leased_until = '-infinity',
    last = $4
WHERE fence = $1 RETURNING true

-- name: list
SELECT c.id, c.name AS connection, c.hub, p.feed, p.mark, p.full_at, p.full_asked, p.next_at, p.failures, p.last,
    p.leased_until > now() AS running
FROM pull p JOIN connection c ON c.id = p.connection_id
ORDER BY c.name, p.feed

-- name: ask
-- Has a feed pulled at once, in full if that is asked for. The time is not that of the transaction, which may have waited
-- for a claim: a pull that began meanwhile would be taken for the one that was asked for, and none would follow.
UPDATE pull SET next_at = clock_timestamp(), full_asked = full_asked OR $3 WHERE connection_id = $1 AND feed = $2 RETURNING true
