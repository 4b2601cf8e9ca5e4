-- name: append
INSERT INTO delivery (connection_id, operation, kind, lane, key, party, payload, cdr_no, until)
SELECT $1, i.operation, i.kind, i.lane, i.key, i.party, i.payload, $2, now() + i.lasts
FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::json[], $9::interval[])
    AS i(operation, kind, lane, key, party, payload, lasts)
