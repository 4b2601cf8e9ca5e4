-- name: append
INSERT INTO event (type, party, subject, data)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::json[])
