-- name: all
SELECT id, name, kind, url, secret, old_secret, old_until, types, parties, active, silence FROM hook ORDER BY id

-- name: switch_off
UPDATE hook SET active = false, why = $2 WHERE id = $1 AND active
