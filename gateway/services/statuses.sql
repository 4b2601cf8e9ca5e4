-- name: report
-- Applies reports and raises the projections that follow them, at every connection, in one statement.
-- $1 party, $2 location id, $3 uid: name one EVSE; or $4 names all with that EvseID's normal form, among the parties $7.
-- Rows are taken in the order of the EVSEs' numbers, so that two writers wait for each other instead of crossing.
WITH input AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
        WITH ORDINALITY AS i(party, location_id, uid, evse_key, status, at, n)
), named AS MATERIALIZED (
    SELECT n, no, i.status, at, old, status_at FROM (
        SELECT i.n, e.no, i.status, i.at, e.status AS old, e.status_at
        FROM input i JOIN evse e ON e.party = i.party AND e.location_id = i.location_id AND e.uid = i.uid
        WHERE i.evse_key IS NULL AND NOT e.removed AND ($7::text[] IS NULL OR e.party = ANY($7))
        UNION ALL
        SELECT i.n, e.no, i.status, i.at, e.status AS old, e.status_at
        FROM input i JOIN evse e ON e.evse_key = i.evse_key
        WHERE i.evse_key IS NOT NULL AND NOT e.removed AND ($7::text[] IS NULL OR e.party = ANY($7))
    ) i
    ORDER BY no
), fresh AS (
    -- Of several reports for one EVSE the newest counts, of two with one stamp the one that came last.
    SELECT DISTINCT ON (no) no, n, status, at FROM named WHERE at >= status_at ORDER BY no, at DESC, n DESC
), changed AS (
    UPDATE evse e SET status = f.status, status_at = f.at, changed_on = f.at::date
    FROM fresh f
    WHERE e.no = f.no AND f.at >= e.status_at
    RETURNING e.no, e.evse_key, e.claims, e.status, e.status_at, e.location_no, e.location_id, e.uid, f.n
), differing AS (
    SELECT c.* FROM changed c JOIN named d ON d.no = c.no AND d.n = c.n WHERE d.old <> c.status
), takers AS (
    -- A shared key goes over to an EVSE that is now newer than the one that has it.
    SELECT DISTINCT ON (p.connection_id, p.key) p.connection_id, p.key, c.no, c.location_no, c.uid
    FROM changed c
    JOIN projection p ON p.connection_id = ANY(c.claims) AND p.key = c.evse_key AND p.shared AND p.evse_no <> c.no
    JOIN evse w ON w.no = p.evse_no
    LEFT JOIN changed wc ON wc.no = w.no
    WHERE coalesce(wc.status_at, w.status_at) < c.status_at
    ORDER BY p.connection_id, p.key, c.status_at DESC, c.location_id
), raised AS (
    UPDATE projection p SET
        wanted = p.wanted + 1,
        refused = false,
        shadowed = false,
        pending = NOT p.held,
        due_at = CASE WHEN p.pending THEN p.due_at ELSE clock_timestamp() END,
        since = CASE WHEN p.pending THEN p.since ELSE clock_timestamp() END
    FROM differing d
    WHERE p.evse_no = d.no AND p.follows_status AND NOT EXISTS (
        SELECT FROM takers t WHERE t.connection_id = p.connection_id AND t.key = p.key)
), taken AS (
    UPDATE projection p SET
        evse_no = t.no,
        location_no = t.location_no,
        evse_uid = t.uid,
        wanted = p.wanted + 1,
        refused = false,
        shadowed = false,
        pending = NOT p.held,
        due_at = CASE WHEN p.pending THEN p.due_at ELSE clock_timestamp() END,
        since = CASE WHEN p.pending THEN p.since ELSE clock_timestamp() END
    FROM takers t
    WHERE p.connection_id = t.connection_id AND p.key = t.key AND p.shared AND NOT p.gone
)
SELECT i.n, c.no IS NOT NULL AS applied, d.no IS NOT NULL AS differs
FROM (SELECT DISTINCT n FROM named) i
LEFT JOIN (SELECT n, max(no) AS no FROM changed GROUP BY n) c USING (n)
LEFT JOIN (SELECT n, max(no) AS no FROM differing GROUP BY n) d USING (n)
