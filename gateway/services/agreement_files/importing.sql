-- name: offer
SELECT * FROM offer WHERE id = $1 FOR UPDATE

-- name: subscriptions
-- Of an EMSP ($2) to an offer, in the order in which they came.
SELECT * FROM subscription WHERE offer_id = $1 AND emsp = $2 ORDER BY no

-- name: on_record
-- Agreements of a connection ($1) that came from files and are not over.
SELECT o.id, coalesce(o.cpo, o.network_group) || '/' || s.emsp AS name
FROM subscription s JOIN offer o ON o.id = s.offer_id
WHERE o.connection_id = $1 AND s.source = 'import' AND s.state NOT IN ('ENDED', 'REFUSED')
ORDER BY name, o.no
