-- name: known
-- Of each variant that is asked for the version known at a moment ($5), those that came until another ($6), and the first
-- of all where that came later still. $1 numbers the questions; $2 is the connection, 0 for own tariffs. The versions of a
-- variant follow each other, so that what ended after a moment is the last ones by their end.
SELECT a.n, v.no, v.tariff_id, v.body, v.known_from, nullif(v.known_until, 'infinity') AS known_until
FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
    WITH ORDINALITY AS a(n, source, party, tariff_id, at, until, place)
CROSS JOIN LATERAL (
    SELECT * FROM tariff_version v
    WHERE v.party = a.party AND lower(v.tariff_id) = lower(a.tariff_id) AND coalesce(v.connection_id, 0) = a.source
        AND v.known_until > a.at AND (v.known_from <= a.until OR v.first)
    OFFSET 0  -- by the index, however many are asked for: all versions that ever were are never read
) v
-- Own ids may differ by case alone; one that is spelled as asked goes before others.
WHERE v.tariff_id = a.tariff_id OR NOT EXISTS (
    SELECT FROM tariff_version w
    WHERE w.party = a.party AND lower(w.tariff_id) = lower(a.tariff_id) AND coalesce(w.connection_id, 0) = a.source
        AND w.known_until > a.at AND w.tariff_id = a.tariff_id)
ORDER BY a.place, v.target DESC, v.known_from
