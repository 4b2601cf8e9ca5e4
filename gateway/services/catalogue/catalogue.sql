-- name: lock_locations
-- What is stored of some locations of a connection ($1), locked, and with them every way to the EVSEs concerned: those of
-- the locations, and those that have one of the keys ($4). Locations first, in the order of their keys, then EVSEs in
-- that of their numbers: so do all who write here, and none waits for one who waits for it.
-- One row of nulls where nothing is stored.
WITH found AS MATERIALIZED (
    SELECT l.no, l.party, l.location_id, l.digest, l.last_updated, l.withdrawn_at
    FROM unnest($2::text[], $3::text[]) AS i(party, location_id)
    JOIN catalogue_location l ON l.connection_id = $1 AND l.party = i.party AND lower(l.location_id) = lower(i.location_id)
    ORDER BY l.party, lower(l.location_id)
    FOR UPDATE OF l
), locked AS MATERIALIZED (
    SELECT e.no FROM catalogue_evse e
    WHERE e.no IN (
        SELECT o.no FROM catalogue_evse o WHERE o.location_no IN (SELECT f.no FROM found f)
        UNION
        SELECT o.no FROM catalogue_evse o WHERE o.preferred AND o.evse_key = ANY($4::text[])
        UNION
        SELECT o.no FROM catalogue_evse o WHERE NOT o.preferred AND o.evse_key = ANY($4::text[]))
    ORDER BY e.no
    FOR UPDATE
)
SELECT f.* FROM (SELECT count(*) FROM locked) c LEFT JOIN found f ON true

-- name: stored_locations
-- What is stored of some locations, for those who write only what differs.
SELECT l.no, l.party, l.location_id, l.digest, l.withdrawn_at IS NOT NULL AS withdrawn
FROM unnest($2::text[], $3::text[]) AS i(party, location_id)
JOIN catalogue_location l ON l.connection_id = $1 AND l.party = i.party AND lower(l.location_id) = lower(i.location_id)

-- name: write_locations
-- Writes locations of a connection ($1), whose numbers are in $2 where they are stored, and their EVSEs ($15), of which
-- several have the keys in $16. $17: when they were pushed; null if they were pulled.
-- `moved`: a location that was to be new had been stored meanwhile. `elect`: keys of which others have a say.
WITH input AS MATERIALIZED (
    SELECT i.n, coalesce(i.no, nextval('catalogue_location_no_seq')) AS no, i.no IS NOT NULL AS known, i.party,
        i.location_id, i.body, i.digest, i.issues, i.words, i.last_updated, i.withdrawn_at, i.longitude, i.latitude,
        i.cell, i.always_open, i.evses
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::json[], $6::bytea[], $7::json[], $8::text[],
        $9::timestamptz[], $10::timestamptz[], $11::float8[], $12::float8[], $13::bigint[], $14::boolean[], $15::json[])
        WITH ORDINALITY AS i(no, party, location_id, body, digest, issues, words, last_updated, withdrawn_at, longitude,
        latitude, cell, always_open, evses, n)
), written AS (
    INSERT INTO catalogue_location AS l
        (no, connection_id, party, location_id, body, digest, issues, words, last_updated, withdrawn_at, pushed_at)
    SELECT i.no, $1, i.party, i.location_id, i.body, i.digest, i.issues, array_to_tsvector(string_to_array(i.words, ' ')),
        i.last_updated, i.withdrawn_at, coalesce($17::timestamptz, '-infinity')
    FROM input i ORDER BY i.party, lower(i.location_id)
    ON CONFLICT (connection_id, party, lower(location_id)) DO UPDATE SET
        location_id = excluded.location_id,
        body = excluded.body,
        digest = excluded.digest,
        issues = excluded.issues,
        words = excluded.words,
        last_updated = excluded.last_updated,
        withdrawn_at = excluded.withdrawn_at,
        pushed_at = greatest(l.pushed_at, excluded.pushed_at)
    RETURNING l.no
), old AS MATERIALIZED (
    SELECT e.no, e.location_no, e.uid, e.evse_key, e.shared, e.removed, e.status, e.status_at
    FROM catalogue_evse e WHERE e.location_no = ANY($2)
), given AS MATERIALIZED (
    SELECT i.no AS location_no, i.party, g.uid, g.evse_key, coalesce(g.longitude, i.longitude) AS longitude,
        coalesce(g.latitude, i.latitude) AS latitude, coalesce(g.cell, i.cell) AS cell, g.standards, g.power,
        i.always_open, g.last_updated, o.no AS old_no, o.evse_key AS old_key, coalesce(o.shared, false) AS old_shared,
        s.status, s.status_at, s.status = 'REMOVED' OR i.withdrawn_at IS NOT NULL AS removed,
        g.evse_key = ANY($16::text[])
            OR EXISTS (SELECT FROM catalogue_evse w
                WHERE w.preferred AND w.evse_key = g.evse_key AND w.no IS DISTINCT FROM o.no)
            OR EXISTS (SELECT FROM catalogue_evse w
                WHERE NOT w.preferred AND w.evse_key = g.evse_key AND w.no IS DISTINCT FROM o.no) AS contested
    FROM input i
    CROSS JOIN LATERAL json_to_recordset(i.evses) AS g(uid text, evse_key text, longitude float8, latitude float8,
        cell bigint, standards text[], power int, status text, last_updated timestamptz)
    LEFT JOIN old o ON o.location_no = i.no AND lower(o.uid) = lower(g.uid)
    -- The newest stamp counts. A copy that says nothing of statuses takes back that the EVSE was removed, no more.
    CROSS JOIN LATERAL (SELECT
        CASE WHEN g.status IS NOT NULL AND (o.no IS NULL OR g.last_updated >= o.status_at) THEN g.status
            WHEN g.status IS NULL AND coalesce(o.status, 'REMOVED') = 'REMOVED' THEN 'UNKNOWN'
            ELSE o.status END AS status,
        CASE WHEN g.status IS NOT NULL THEN greatest(g.last_updated, o.status_at)
            WHEN coalesce(o.status, 'REMOVED') = 'REMOVED' THEN '-infinity'
            ELSE o.status_at END AS status_at) s
), added AS (
    INSERT INTO catalogue_evse (location_no, connection_id, party, uid, evse_key, longitude, latitude, cell, standards,
        power, always_open, status, status_at, preferred, removed, last_updated)
    SELECT g.location_no, $1, g.party, g.uid, g.evse_key, g.longitude, g.latitude, g.cell, g.standards, g.power,
        g.always_open, g.status, g.status_at, NOT g.removed AND NOT g.contested, g.removed, g.last_updated
    FROM given g WHERE g.old_no IS NULL
    ORDER BY g.evse_key
), updated AS (
    UPDATE catalogue_evse e SET
        uid = g.uid,
        evse_key = g.evse_key,
        longitude = g.longitude,
        latitude = g.latitude,
        cell = g.cell,
        standards = g.standards,
        power = g.power,
        always_open = g.always_open,
        status = g.status,
        status_at = g.status_at,
        preferred = NOT g.removed AND (NOT g.contested OR e.preferred AND e.evse_key = g.evse_key),
        shared = g.contested AND e.shared,
        removed = g.removed,
        last_updated = g.last_updated
    FROM given g
    WHERE e.no = g.old_no
        AND (e.uid, e.evse_key, e.cell, e.longitude, e.latitude, e.standards, e.power, e.always_open, e.status, e.status_at,
            e.removed, e.last_updated, e.preferred, e.shared)
            IS DISTINCT FROM (g.uid, g.evse_key, g.cell, g.longitude, g.latitude, g.standards, g.power, g.always_open, g.status,
            g.status_at, g.removed, g.last_updated, NOT g.removed AND (NOT g.contested OR e.preferred),
            g.contested AND e.shared)
), left_out AS (
    UPDATE catalogue_evse e SET removed = true, preferred = false, shared = false
    FROM old o
    WHERE e.no = o.no AND NOT o.removed AND NOT EXISTS (SELECT FROM given g WHERE g.old_no = o.no)
    RETURNING e.evse_key, o.shared
), touched AS (
    SELECT evse_key, contested AS elect FROM given
    UNION ALL SELECT old_key, old_shared FROM given WHERE old_key <> evse_key
    UNION ALL SELECT evse_key, shared FROM left_out
), changed AS (
    INSERT INTO catalogue_change (keys)
    SELECT array_agg(DISTINCT evse_key) FROM touched HAVING count(*) > 0
)
SELECT (SELECT count(*) FROM input i WHERE NOT EXISTS (SELECT FROM written w WHERE w.no = i.no)) AS moved,
    ARRAY(SELECT DISTINCT evse_key FROM touched WHERE elect ORDER BY evse_key) AS elect,
    ARRAY(SELECT no FROM input ORDER BY n) AS nos

-- name: demote
-- Those cease to speak for their entries ($1) who are not first any more; the locks on all ways are held.
WITH placed AS (
    SELECT e.no, e.preferred, e.shared, e.removed OR c.id IS NULL AS removed,
        row_number() OVER (
            PARTITION BY e.evse_key
            ORDER BY e.removed OR c.id IS NULL, c.rank, e.last_updated DESC, e.connection_id, e.no) = 1 AS first,
        count(*) FILTER (WHERE NOT e.removed AND c.id IS NOT NULL) OVER (PARTITION BY e.evse_key) > 1 AS several
    FROM (
        SELECT * FROM catalogue_evse WHERE preferred AND evse_key = ANY($1::text[])
        UNION ALL
        SELECT * FROM catalogue_evse WHERE NOT preferred AND evse_key = ANY($1::text[])
    ) e LEFT JOIN connection c ON c.id = e.connection_id
), demoted AS (
    UPDATE catalogue_evse e SET preferred = false, shared = p.several AND NOT p.removed
    FROM placed p
    WHERE e.no = p.no AND (p.removed OR NOT p.first)
        AND (e.preferred, e.shared) IS DISTINCT FROM (false, p.several AND NOT p.removed)
)
SELECT no, several FROM placed WHERE first AND NOT removed AND (preferred, shared) IS DISTINCT FROM (true, several)

-- name: promote
UPDATE catalogue_evse e SET preferred = true, shared = i.several
FROM unnest($1::bigint[], $2::boolean[]) AS i(no, several)
WHERE e.no = i.no

-- name: location_no
SELECT no FROM catalogue_location
WHERE connection_id = $1 AND party = $2 AND lower(location_id) = lower($3) AND withdrawn_at IS NULL

-- name: lock_location_nos
WITH found AS MATERIALIZED (
    SELECT l.no FROM catalogue_location l WHERE l.no = ANY($1::bigint[]) ORDER BY l.party, lower(l.location_id) FOR UPDATE
), keys AS MATERIALIZED (
    SELECT DISTINCT e.evse_key FROM catalogue_evse e WHERE e.location_no IN (SELECT no FROM found) AND e.shared
), locked AS MATERIALIZED (
    SELECT e.no FROM catalogue_evse e
    WHERE e.no IN (
        SELECT o.no FROM catalogue_evse o WHERE o.location_no IN (SELECT no FROM found)
        UNION
        SELECT o.no FROM catalogue_evse o WHERE o.preferred AND o.evse_key IN (SELECT evse_key FROM keys)
        UNION
        SELECT o.no FROM catalogue_evse o WHERE NOT o.preferred AND o.evse_key IN (SELECT evse_key FROM keys))
    ORDER BY e.no
    FOR UPDATE
)
SELECT count(*) FROM locked

-- name: withdraw_locations
-- Marks locations ($1, locked) as gone unless they were stamped later than $2 says, or, where $3 is given, pushed since.
-- What is gone already takes the later stamp, so that nothing older brings it back.
WITH later AS (
    UPDATE catalogue_location l SET last_updated = i.at
    FROM unnest($1::bigint[], $2::timestamptz[]) AS i(no, at)
    WHERE l.no = i.no AND l.withdrawn_at IS NOT NULL AND l.last_updated < i.at
), gone AS (
    UPDATE catalogue_location l SET
        withdrawn_at = now(),
        last_updated = greatest(l.last_updated, i.at)
    FROM unnest($1::bigint[], $2::timestamptz[]) AS i(no, at)
    WHERE l.no = i.no AND l.withdrawn_at IS NULL AND l.last_updated <= coalesce(i.at, l.last_updated)
        AND ($3::timestamptz IS NULL OR l.pushed_at < $3)
    RETURNING l.no
), removed AS (
    UPDATE catalogue_evse e SET removed = true, preferred = false, shared = false
    FROM catalogue_evse o
    WHERE e.no = o.no AND o.location_no IN (SELECT no FROM gone) AND NOT o.removed
    RETURNING e.evse_key, o.shared
), changed AS (
    INSERT INTO catalogue_change (keys) SELECT array_agg(DISTINCT evse_key) FROM removed HAVING count(*) > 0
)
SELECT (SELECT count(*) FROM gone) AS gone, ARRAY(SELECT DISTINCT evse_key FROM removed WHERE shared ORDER BY 1) AS elect

-- name: location
SELECT l.body, l.withdrawn_at IS NOT NULL AS withdrawn, array_agg(e.uid) AS uids,
    array_agg(CASE WHEN e.removed THEN 'REMOVED' ELSE e.status END) AS statuses,
    array_agg(CASE WHEN isfinite(e.status_at) THEN e.status_at END) AS status_ats
FROM catalogue_location l LEFT JOIN catalogue_evse e ON e.location_no = l.no
WHERE l.connection_id = $1 AND l.party = $2 AND lower(l.location_id) = lower($3)
GROUP BY l.no

-- name: report
-- Applies status reports over a connection ($1): each names an EVSE by $2 party, $3 location id and $4 uid, or by $5, its
-- EvseID's normal form. $8: without a stamp, so that an equal status is left as it stands.
WITH input AS (
    SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::boolean[])
        WITH ORDINALITY AS i(party, location_id, uid, evse_key, status, at, unstamped, n)
), named AS MATERIALIZED (
    SELECT * FROM (
        SELECT i.n, i.status, i.at, i.unstamped, e.no, e.status AS old
        FROM input i
        JOIN catalogue_location l ON l.connection_id = $1 AND l.party = i.party AND lower(l.location_id) = lower(i.location_id)
        JOIN catalogue_evse e ON e.location_no = l.no AND lower(e.uid) = lower(i.uid)
        WHERE i.evse_key IS NULL AND NOT e.removed
        UNION ALL
        SELECT i.n, i.status, i.at, i.unstamped, e.no, e.status
        FROM input i JOIN catalogue_evse e ON e.preferred AND e.evse_key = i.evse_key
        WHERE e.connection_id = $1 AND NOT e.removed
        UNION ALL
        SELECT i.n, i.status, i.at, i.unstamped, e.no, e.status
        FROM input i JOIN catalogue_evse e ON NOT e.preferred AND e.evse_key = i.evse_key
        WHERE e.connection_id = $1 AND NOT e.removed
    ) i ORDER BY no
), newest AS (
    -- Of several reports for one EVSE the newest counts, of two with one stamp the one that came last.
    SELECT DISTINCT ON (no) * FROM named ORDER BY no, at DESC, n DESC
), changed AS (
    UPDATE catalogue_evse e SET status = i.status, status_at = i.at
    FROM newest i
    WHERE e.no = i.no AND e.status_at <= i.at AND NOT (i.unstamped AND e.status = i.status)
    RETURNING i.n, e.evse_key, i.old <> e.status AS differs
), told AS (
    INSERT INTO catalogue_change (keys)
    SELECT array_agg(DISTINCT evse_key) FROM changed WHERE differs HAVING count(*) > 0
)
SELECT d.n, coalesce(bool_or(c.differs), false) AS differs
FROM named d LEFT JOIN changed c USING (n) GROUP BY d.n

-- name: remove_evses
-- Marks EVSEs (of locked locations) that were reported REMOVED: $1 connection, $2 party, $3 location id, $4 uid, or $5 the
-- EvseID's normal form; $6 since when.
WITH named AS MATERIALIZED (
    SELECT e.no, e.shared, e.evse_key, e.removed, e.status_at
    FROM catalogue_location l JOIN catalogue_evse e ON e.location_no = l.no
    WHERE l.connection_id = $1 AND l.party = $2 AND lower(l.location_id) = lower($3)
        AND lower(e.uid) = lower($4) AND $5::text IS NULL
    UNION ALL
    SELECT e.no, e.shared, e.evse_key, e.removed, e.status_at
    FROM catalogue_evse e WHERE e.preferred AND e.evse_key = $5 AND e.connection_id = $1
    UNION ALL
    SELECT e.no, e.shared, e.evse_key, e.removed, e.status_at
    FROM catalogue_evse e WHERE NOT e.preferred AND e.evse_key = $5 AND e.connection_id = $1
), gone AS (
    UPDATE catalogue_evse e SET
        status = 'REMOVED', status_at = $6, removed = true, preferred = false, shared = false
    FROM named n
    WHERE e.no = n.no AND NOT n.removed AND n.status_at <= $6
    RETURNING e.evse_key, n.shared
), told AS (
    INSERT INTO catalogue_change (keys) SELECT array_agg(DISTINCT evse_key) FROM gone HAVING count(*) > 0
)
SELECT (SELECT count(*) FROM named WHERE NOT removed) AS named,
    ARRAY(SELECT DISTINCT evse_key FROM gone WHERE shared ORDER BY 1) AS elect

-- name: locations_of
-- The locations of the EVSEs that a report names, as `remove_evses`.
SELECT DISTINCT l.no
FROM catalogue_location l JOIN catalogue_evse e ON e.location_no = l.no
WHERE l.connection_id = $1 AND l.party = $2 AND lower(l.location_id) = lower($3)
        AND lower(e.uid) = lower($4) AND $5::text IS NULL
UNION
SELECT e.location_no FROM catalogue_evse e WHERE e.preferred AND e.evse_key = $5 AND e.connection_id = $1
UNION
SELECT e.location_no FROM catalogue_evse e WHERE NOT e.preferred AND e.evse_key = $5 AND e.connection_id = $1

-- name: stored_tariffs
SELECT t.no, t.party, t.tariff_id, t.target, t.digest, t.withdrawn_at IS NOT NULL AS withdrawn
FROM unnest($2::text[], $3::text[], $4::text[]) AS i(party, tariff_id, target)
JOIN catalogue_tariff t ON t.connection_id = $1 AND t.party = i.party AND lower(t.tariff_id) = lower(i.tariff_id)
    AND t.target = i.target

-- name: write_tariffs
INSERT INTO catalogue_tariff AS t
    (connection_id, party, tariff_id, target, body, digest, issues, last_updated, withdrawn_at, pushed_at)
SELECT $1, i.party, i.tariff_id, i.target, i.body, i.digest, i.issues, i.last_updated, i.withdrawn_at,
    coalesce($10::timestamptz, '-infinity')
FROM unnest($2::text[], $3::text[], $4::text[], $5::json[], $6::bytea[], $7::json[], $8::timestamptz[],
    $9::timestamptz[]) AS i(party, tariff_id, target, body, digest, issues, last_updated, withdrawn_at)
ORDER BY i.party, lower(i.tariff_id), i.target
ON CONFLICT (connection_id, party, lower(tariff_id), target) DO UPDATE SET
    tariff_id = excluded.tariff_id,
    body = excluded.body,
    digest = excluded.digest,
    issues = excluded.issues,
    last_updated = excluded.last_updated,
    withdrawn_at = excluded.withdrawn_at,
    pushed_at = greatest(t.pushed_at, excluded.pushed_at)
WHERE excluded.last_updated >= t.last_updated
    AND (t.digest, t.withdrawn_at IS NULL) IS DISTINCT FROM (excluded.digest, excluded.withdrawn_at IS NULL)
RETURNING t.no, t.party, t.tariff_id, t.target, t.xmax = 0 AS inserted

-- name: tariff
-- The variant for a target ($4), else the one that is for all.
SELECT body FROM catalogue_tariff
WHERE connection_id = $1 AND party = $2 AND lower(tariff_id) = lower($3) AND target IN ($4, '') AND withdrawn_at IS NULL
ORDER BY target = $4 DESC LIMIT 1

-- name: withdraw_tariff
UPDATE catalogue_tariff SET withdrawn_at = now()
WHERE connection_id = $1 AND party = $2 AND lower(tariff_id) = lower($3) AND withdrawn_at IS NULL

-- name: withdraw_tariffs
-- As `withdraw_locations`.
WITH later AS (
    UPDATE catalogue_tariff t SET last_updated = i.at
    FROM unnest($1::bigint[], $2::timestamptz[]) AS i(no, at)
    WHERE t.no = i.no AND t.withdrawn_at IS NOT NULL AND t.last_updated < i.at
)
UPDATE catalogue_tariff t SET
    withdrawn_at = now(), last_updated = greatest(t.last_updated, i.at)
FROM unnest($1::bigint[], $2::timestamptz[]) AS i(no, at)
WHERE t.no = i.no AND t.withdrawn_at IS NULL AND t.last_updated <= coalesce(i.at, t.last_updated)
    AND ($3::timestamptz IS NULL OR t.pushed_at < $3)

-- name: write_prices
-- Which tariffs hold at the EVSEs of a connection ($1); $3 has their ids as JSON, $4 whose they are.
WITH input AS (
    SELECT i.evse_key, ARRAY(SELECT json_array_elements_text(i.prices)) AS prices, i.party, i.n
    FROM unnest($2::text[], $3::json[], $4::text[]) WITH ORDINALITY AS i(evse_key, prices, party, n)
), named AS MATERIALIZED (
    SELECT * FROM (
        SELECT i.n, i.prices, i.party, e.no, e.prices AS old, e.priced_by, e.evse_key
        FROM input i JOIN catalogue_evse e ON e.preferred AND e.evse_key = i.evse_key WHERE e.connection_id = $1
        UNION ALL
        SELECT i.n, i.prices, i.party, e.no, e.prices, e.priced_by, e.evse_key
        FROM input i JOIN catalogue_evse e ON NOT e.preferred AND e.evse_key = i.evse_key WHERE e.connection_id = $1
    ) i ORDER BY no
), changed AS (
    UPDATE catalogue_evse e SET prices = i.prices, priced_by = i.party
    FROM named i WHERE e.no = i.no AND (i.old IS DISTINCT FROM i.prices OR i.priced_by IS DISTINCT FROM i.party)
    RETURNING i.n, e.evse_key
), told AS (
    INSERT INTO catalogue_change (keys) SELECT array_agg(DISTINCT evse_key) FROM changed HAVING count(*) > 0
)
SELECT d.n, bool_or(c.n IS NOT NULL) AS differs, array_agg(d.no) AS nos
FROM named d LEFT JOIN changed c USING (n) GROUP BY d.n

-- name: clear_prices
WITH cleared AS (
    UPDATE catalogue_evse SET prices = NULL, priced_by = NULL WHERE no = ANY($1::bigint[]) AND prices IS NOT NULL RETURNING evse_key
), told AS (
    INSERT INTO catalogue_change (keys) SELECT array_agg(DISTINCT evse_key) FROM cleared HAVING count(*) > 0
)
SELECT count(*) FROM cleared

-- name: write_clients
INSERT INTO client_info AS c (connection_id, party, role, status, last_updated)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS i(party, role, status, at)
ORDER BY 2, 3
ON CONFLICT (connection_id, party, role) DO UPDATE SET status = excluded.status, last_updated = excluded.last_updated
WHERE excluded.last_updated >= c.last_updated AND (excluded.status, excluded.last_updated) <> (c.status, c.last_updated)
RETURNING party, role, xmax = 0 AS inserted

-- name: location_nos_after
-- A connection's ($1) locations that are there and were not pushed since $2, in the order of their numbers.
SELECT no FROM catalogue_location
WHERE no > $3 AND connection_id = $1 AND withdrawn_at IS NULL AND pushed_at < $2 ORDER BY no LIMIT $4

-- name: tariff_nos_after
SELECT no FROM catalogue_tariff
WHERE no > $3 AND connection_id = $1 AND withdrawn_at IS NULL AND pushed_at < $2 ORDER BY no LIMIT $4

-- name: priced_nos_after
SELECT no FROM catalogue_evse WHERE no > $2 AND connection_id = $1 AND prices IS NOT NULL ORDER BY no LIMIT $3
