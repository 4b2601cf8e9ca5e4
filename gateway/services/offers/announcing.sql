-- name: offers
-- Offers ($1) as they are told of, with those of our own parties to whom, as of a moment ($2): the CPOs, whom it is for,
-- and who has subscribed. Whose subscription ended with its offer is told of that, too.
SELECT o.id, c.name AS connection, o.cpo, o.network_group, o.title, o.state, o.starts_at, o.ends_at,
    coalesce(o.body ->> 'joining', 'SUBSCRIBE') AS joining,
    ARRAY(
        SELECT p.id FROM party p
        WHERE (p.body -> 'roles')::jsonb ? 'CPO' AND (p.id = o.cpo OR p.id IN (
            SELECT m.party FROM network_group_member m
            WHERE m.group_id = o.network_group AND m.since <= $2 AND (m.until IS NULL OR m.until > $2)))
        ORDER BY p.id
    ) AS cpos,
    ARRAY(
        SELECT p.id FROM party p
        WHERE (p.body -> 'roles')::jsonb ? 'EMSP' AND (o.body ->> 'audience' IS NULL OR (o.body -> 'audience')::jsonb ? p.id)
        ORDER BY p.id
    ) AS audience,
    ARRAY(
        SELECT p.id FROM party p
        WHERE (p.body -> 'roles')::jsonb ? 'EMSP' AND EXISTS (
            SELECT FROM subscription s
            WHERE s.offer_id = o.id AND s.emsp = p.id
                AND (s.state NOT IN ('ENDED', 'REFUSED') OR o.state = 'ENDED' AND s.ends_at = o.ends_at))
        ORDER BY p.id
    ) AS subscribers
FROM offer o JOIN connection c ON c.id = o.connection_id
WHERE o.id = ANY($1::text[])

-- name: subscriptions
SELECT s.id, s.emsp, s.state, s.starts_at, s.ends_at, s.why,
    EXISTS (SELECT FROM party p WHERE p.id = s.emsp AND (p.body -> 'roles')::jsonb ? 'EMSP') AS ours
FROM subscription s WHERE s.id = ANY($1::text[])

-- name: ours
SELECT id FROM party WHERE id = ANY($1::text[]) AND (body -> 'roles')::jsonb ? 'CPO' ORDER BY id
