-- name: offers
-- Every offer that is no draft; ended ones, too, since they go on restricting their network.
SELECT no, id, connection_id, body, state, ends_at FROM offer WHERE state <> 'DRAFT' ORDER BY no

-- name: versions
SELECT v.offer_id, v.number, v.starts_at, v.terms
FROM offer_version v JOIN offer o ON o.id = v.offer_id AND o.state <> 'DRAFT' ORDER BY v.offer_id, v.starts_at

-- name: subscriptions
-- What is over is only needed to say so, and nobody asks for that after a year.
SELECT s.id, s.offer_id, s.emsp, s.state, s.requested_at, s.starts_at, s.cancelled_at, s.ends_at
FROM subscription s JOIN offer o ON o.id = s.offer_id AND o.state <> 'DRAFT'
WHERE s.state NOT IN ('ENDED', 'REFUSED') OR coalesce(s.ends_at, s.requested_at) > $1 ORDER BY s.no

-- name: networks
SELECT group_id, party, since, until FROM network_group_member ORDER BY group_id, party, since

-- name: groups
SELECT id, revision FROM evse_group WHERE id = ANY($1::text[])

-- name: members
SELECT evse_key FROM evse_group_member WHERE group_id = $1 AND evse_key > $2 ORDER BY evse_key LIMIT $3
