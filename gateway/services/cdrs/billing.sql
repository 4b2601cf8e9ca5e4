-- name: hold_back
UPDATE delivery d SET due_at = i.until
FROM unnest($1::bigint[], $2::timestamptz[]) AS i(no, until)
WHERE d.cdr_no = i.no AND d.state = 'pending'

-- name: waiting
SELECT no, body FROM cdr WHERE session_no = $1 AND review IS NOT NULL AND NOT taken_back ORDER BY no FOR UPDATE

-- name: keep_waiting
UPDATE cdr SET review = $2 WHERE no = $1

-- name: release
UPDATE cdr SET body = $2, connection_id = $3, leg = $4, review = NULL WHERE no = $1
