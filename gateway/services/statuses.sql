-- name: report
-- Applies reports and raises the projections that follow them, at every connection, in one statement.
-- $1 party, $2 location id, $3 uid: name one EVSE; or $4 names all with that EvseID's normal form, among the parties $7.
-- Rows are taken in the order of the EVSEs' numbers, so that two writers wait for each other instead of crossing.
-- A row that somebody changed since this statement began (another xmin) is left and told as `raced`: what was read here
-- of it, and of its projections, is old, and the report has to be applied again.
WITH input AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
        WITH ORDINALITY AS i(party, location_id, uid, evse_key, status, at, n)
), named AS MATERIALIZED (
    SELECT n, no, i.status, at, old, status_at, version FROM (
        SELECT i.n, e.no, i.status, i.at, e.status AS old, e.status_at, e.xmin AS version
        FROM input i JOIN evse e ON e.party = i.party AND e.location_id = i.location_id AND e.uid = i.uid
        WHERE i.evse_key IS NULL AND NOT e.removed AND ($7::text[] IS NULL OR e.party = ANY($7))
        UNION ALL
        SELECT i.n, e.no, i.status, i.at, e.status AS old, e.status_at, e.xmin AS version
        FROM input i JOIN evse e ON e.evse_key = i.evse_key
        WHERE i.evse_key IS NOT NULL AND NOT e.removed AND ($7::text[] IS NULL OR e.party = ANY($7))
    ) i
    ORDER BY no
), fresh AS (
    -- Of several reports for one EVSE the newest counts, of two with one stamp the one that came last.
    SELECT DISTINCT ON (no) no, n, status, at, old, version FROM named WHERE at >= status_at ORDER BY no, at DESC, n DESC
), changed AS (
    UPDATE evse e SET status = f.status, status_at = f.at, changed_on = f.at::date
    FROM fresh f
    WHERE e.no = f.no AND e.xmin = f.version
    RETURNING e.no, e.contested AND e.claims <> '{}' AS contested, e.evse_key, f.old <> e.status AS differs
), raised AS (
    UPDATE projection p SET
        wanted = p.wanted + 1,
        refused = false,
        shadowed = false,
        pending = NOT p.held,
        due_at = CASE WHEN p.pending THEN p.due_at ELSE clock_timestamp() END,
        since = CASE WHEN p.pending THEN p.since ELSE clock_timestamp() END
    FROM changed c
    WHERE c.differs AND p.evse_no = c.no AND p.follows_status AND NOT p.gone
)
SELECT d.n,
    bool_or(c.no IS NOT NULL) AS applied,
    coalesce(bool_or(c.differs), false) AS differs,
    bool_or(f.no IS NOT NULL AND c.no IS NULL) AS raced,
    array_agg(c.no) FILTER (WHERE c.contested) AS contested,
    array_agg(c.evse_key) FILTER (WHERE c.contested) AS keys
FROM named d LEFT JOIN fresh f ON f.no = d.no AND f.n = d.n LEFT JOIN changed c ON c.no = f.no
GROUP BY d.n
