-- name: append
INSERT INTO delivery (connection_id, operation, kind, lane, key, party, payload, until, cdr_no, session_no)
SELECT $1, i.operation, i.kind, i.lane, i.key, i.party, i.payload, now() + i.lasts, i.cdr_no, i.session_no
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::json[], $8::interval[], $9::bigint[], $10::bigint[])
    WITH ORDINALITY AS i(operation, kind, lane, key, party, payload, lasts, cdr_no, session_no, n)
ORDER BY i.n
