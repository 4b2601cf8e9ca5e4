-- What tariffs said at any time, since a charge costs what the tariff said when it began.

-- Whose tariffs `prices` names, where they are told apart from the EVSE: a hub's operator may be another party than the EVSE's.
ALTER TABLE catalogue_evse ADD COLUMN priced_by text;

-- A tariff as it was known from a moment on: an own one where `connection_id` is null, else a partner's as that hub told it.
-- `known_from`: when we heard of it; `known_until`: when we heard of another, or of its end; infinity for what holds. `first`:
-- nothing was known of it before, so that a charge before it can be priced by nothing else. Rows are never changed but for
-- their end, and are written by triggers alone, so that no way of writing a tariff escapes them.
CREATE TABLE tariff_version (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id int REFERENCES connection (id) ON DELETE CASCADE,
    party text NOT NULL,
    tariff_id text NOT NULL,
    target text NOT NULL,
    body json NOT NULL,
    known_from timestamptz NOT NULL,
    known_until timestamptz NOT NULL DEFAULT 'infinity',
    first boolean NOT NULL
);
-- By the end, since what was known at a moment is what ended after it; what still holds comes last.
CREATE INDEX tariff_version_known ON tariff_version (party, lower(tariff_id), coalesce(connection_id, 0), known_until);
CREATE INDEX tariff_version_connection ON tariff_version (connection_id) WHERE connection_id IS NOT NULL;

-- A tariff's body without the stamp that the hub or the backend gave it: the same under another stamp is no new version.
-- As text: JSON may have what jsonb refuses.
CREATE FUNCTION tariff_content(body json) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(body::text, '"last_updated":"[^"]*"', '', 'g');

-- The functions below serve both tables of tariffs; their argument says where a row's connection stands. Moments are the
-- clock's, not the transaction's: of two transactions that change a tariff one waits for the other, and may have begun before it.

CREATE FUNCTION tariffs_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($sql$
        INSERT INTO tariff_version (connection_id, party, tariff_id, target, body, known_from, first)
        SELECT %s, n.party, n.tariff_id, n.target, n.body, $1, true
        FROM rows_after n WHERE n.withdrawn_at IS NULL
        $sql$, TG_ARGV[0]) USING clock_timestamp();
    RETURN NULL;
END $$;

CREATE FUNCTION tariffs_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($sql$
        WITH changed AS MATERIALIZED (
            SELECT %s AS connection_id, n.party, o.tariff_id AS old_id, n.tariff_id, n.target, n.body, n.withdrawn_at
            FROM rows_before o JOIN rows_after n USING (no)
            WHERE (o.withdrawn_at IS NULL) <> (n.withdrawn_at IS NULL)
                OR o.body::text <> n.body::text AND tariff_content(o.body) <> tariff_content(n.body)
        ), ended AS (
            UPDATE tariff_version v SET known_until = greatest($1, v.known_from)
            FROM changed c
            WHERE v.party = c.party AND lower(v.tariff_id) = lower(c.old_id)
                AND coalesce(v.connection_id, 0) = coalesce(c.connection_id, 0) AND v.known_until = 'infinity'
                AND v.tariff_id = c.old_id AND v.target = c.target
        )
        INSERT INTO tariff_version (connection_id, party, tariff_id, target, body, known_from, first)
        SELECT c.connection_id, c.party, c.tariff_id, c.target, c.body, $1, false
        FROM changed c WHERE c.withdrawn_at IS NULL
        $sql$, TG_ARGV[0]) USING clock_timestamp();
    RETURN NULL;
END $$;

CREATE FUNCTION tariffs_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($sql$
        UPDATE tariff_version v SET known_until = greatest($1, v.known_from)
        FROM (SELECT %s AS connection_id, n.party, n.tariff_id, n.target FROM rows_before n) c
        WHERE v.party = c.party AND lower(v.tariff_id) = lower(c.tariff_id)
            AND coalesce(v.connection_id, 0) = coalesce(c.connection_id, 0) AND v.known_until = 'infinity'
            AND v.tariff_id = c.tariff_id AND v.target = c.target
        $sql$, TG_ARGV[0]) USING clock_timestamp();
    RETURN NULL;
END $$;

CREATE TRIGGER tariffs_added AFTER INSERT ON tariff
    REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION tariffs_added('NULL::int');
CREATE TRIGGER tariffs_changed AFTER UPDATE ON tariff
    REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after
    FOR EACH STATEMENT EXECUTE FUNCTION tariffs_changed('NULL::int');
CREATE TRIGGER tariffs_removed AFTER DELETE ON tariff
    REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION tariffs_removed('NULL::int');

CREATE TRIGGER tariffs_added AFTER INSERT ON catalogue_tariff
    REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION tariffs_added('n.connection_id');
CREATE TRIGGER tariffs_changed AFTER UPDATE ON catalogue_tariff
    REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after
    FOR EACH STATEMENT EXECUTE FUNCTION tariffs_changed('n.connection_id');
CREATE TRIGGER tariffs_removed AFTER DELETE ON catalogue_tariff
    REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION tariffs_removed('n.connection_id');

-- What is stored already: known since whoever wrote it last touched it. Of a withdrawn one whose beginning nobody knows any
-- more there is nothing to keep.
INSERT INTO tariff_version (connection_id, party, tariff_id, target, body, known_from, known_until, first)
SELECT connection_id, party, tariff_id, target, body, last_updated, coalesce(withdrawn_at, 'infinity'), true
FROM (
    SELECT NULL::int AS connection_id, party, tariff_id, target, body, last_updated, withdrawn_at FROM tariff
    UNION ALL
    SELECT connection_id, party, tariff_id, target, body, last_updated, withdrawn_at FROM catalogue_tariff
) t
WHERE withdrawn_at IS NULL OR last_updated < withdrawn_at;
