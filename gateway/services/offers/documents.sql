-- name: document
SELECT id, party, name, media_type, content, digest, uploaded_at FROM document WHERE id = $1

-- name: insert
INSERT INTO document (id, party, name, media_type, content, digest, uploaded_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO NOTHING
