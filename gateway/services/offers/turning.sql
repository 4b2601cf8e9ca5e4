-- name: judge
SELECT clock_timestamp()

-- name: waits
SELECT EXISTS (SELECT FROM network_group_member WHERE due_at <= $1)
    OR EXISTS (SELECT FROM offer_version WHERE due_at <= $1)
    OR EXISTS (SELECT FROM subscription WHERE due_at <= $1)
    OR EXISTS (SELECT FROM offer WHERE due_at <= $1)

-- name: members
-- Who comes or goes.
WITH due AS (
    SELECT group_id, party, since FROM network_group_member WHERE due_at <= $1
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE network_group_member m SET due_at = CASE WHEN m.until > $1 THEN m.until END
FROM due WHERE (m.group_id, m.party, m.since) = (due.group_id, due.party, due.since)
RETURNING m.group_id

-- name: members_of
SELECT party, since, until FROM network_group_member WHERE group_id = $1 ORDER BY since, party

-- name: versions
-- What starts only when its offer has ended comes into force never, and is not told of.
WITH due AS (
    SELECT v.offer_id, v.number, v.due_at AS at FROM offer_version v WHERE v.due_at <= $1
    ORDER BY v.due_at LIMIT $2 FOR UPDATE SKIP LOCKED
), turned AS (
    UPDATE offer_version v SET due_at = NULL FROM due WHERE (v.offer_id, v.number) = (due.offer_id, due.number)
    RETURNING v.offer_id, v.number, v.starts_at, due.at
)
SELECT t.number, t.starts_at < coalesce(o.ends_at, 'infinity') AS in_force, o.*
FROM turned t JOIN offer o ON o.id = t.offer_id ORDER BY t.at, o.no, t.number

-- name: subscriptions
-- Not those that would begin only when their offer has ended: they end with it.
SELECT s.* FROM subscription s JOIN offer o ON o.id = s.offer_id
WHERE s.due_at <= $1 AND (s.began OR o.ends_at IS NULL OR s.starts_at < o.ends_at)
ORDER BY s.due_at, s.no LIMIT $2 FOR UPDATE OF s SKIP LOCKED

-- name: offers
SELECT * FROM offer WHERE due_at <= $1 ORDER BY due_at, no LIMIT $2 FOR UPDATE SKIP LOCKED

-- name: offers_of
SELECT * FROM offer WHERE id = ANY($1::text[])

-- name: end_offer
UPDATE offer SET state = $2, due_at = NULL WHERE id = $1

-- name: end_versions
UPDATE offer_version SET due_at = NULL WHERE offer_id = $1 AND due_at IS NOT NULL

-- name: end_subscriptions
-- With their offer ($2: when it ends).
UPDATE subscription SET state = 'ENDED', due_at = NULL,
    ends_at = greatest(least(ends_at, $2), starts_at),
    why = coalesce(why, 'the offer has ended')
WHERE offer_id = $1 AND state NOT IN ('ENDED', 'REFUSED')
RETURNING *
