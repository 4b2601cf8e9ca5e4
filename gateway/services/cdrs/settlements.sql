-- name: cdrs
-- The CDRs of some deliveries, in the order in which these were appended.
SELECT d.no, c.party, c.cdr_id, n.name AS connection, c.energy,
    c.connection_id = d.connection_id AS roams
FROM delivery d JOIN cdr c ON c.no = d.cdr_no JOIN connection n ON n.id = d.connection_id
WHERE d.no = ANY($1::bigint[])
ORDER BY d.no
