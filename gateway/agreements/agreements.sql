-- name: all
SELECT id, connection_id, party, emsp, services, rank, valid_from, valid_to FROM agreement ORDER BY id

-- name: page
SELECT a.id, c.name AS connection, a.party, a.emsp, a.services, a.rank, a.valid_from, a.valid_to
FROM agreement a JOIN connection c ON c.id = a.connection_id
WHERE ($1::text IS NULL OR c.name = $1) AND a.id > $2
ORDER BY a.id LIMIT $3

-- name: insert
INSERT INTO agreement (connection_id, party, emsp, services, rank, valid_from, valid_to)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id

-- name: lock
SELECT a.id, c.name AS connection, a.party, a.emsp, a.services, a.rank, a.valid_from, a.valid_to
FROM agreement a JOIN connection c ON c.id = a.connection_id WHERE a.id = $1 FOR UPDATE OF a

-- name: end
UPDATE agreement SET valid_to = $2 WHERE id = $1
