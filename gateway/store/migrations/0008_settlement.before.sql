-- What settlements are made of: when which CDR came into effect, and when it ceased to be. Written once and never changed, so
-- that a report as of a moment can be made again. By triggers, since CDRs are written in several ways, and by the code before
-- this one while a deploy rolls.

-- `subject`: as in repricing: the number of one of our CDRs, or of a received one, negated. `sign`: 1 into effect, -1 out of it.
-- `ended_at`: of the charge, which says in which period it is. `connection`: its name, which stays when it is removed.
-- `country`: of the station. `agreed`: what both sides agreed on instead of what the CDR says.
CREATE TABLE settlement_entry (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject bigint NOT NULL,
    sign smallint NOT NULL CHECK (sign IN (1, -1)),
    at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz NOT NULL,
    cpo text NOT NULL,
    connection text NOT NULL,
    country text,
    agreed json
);
CREATE INDEX settlement_entry_own ON settlement_entry (cpo, ended_at, no) WHERE subject > 0;
CREATE INDEX settlement_entry_received ON settlement_entry (ended_at, no) WHERE subject < 0;
CREATE INDEX settlement_entry_subject ON settlement_entry (subject, no);

CREATE FUNCTION settle_out(that bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO settlement_entry (subject, sign, ended_at, cpo, connection, country, agreed)
    SELECT subject, -1, ended_at, cpo, connection, country, agreed
    FROM settlement_entry WHERE subject = that ORDER BY no DESC LIMIT 1
$$;

-- Of our own: those of a roaming driver. A credit has no entry: what it takes back goes out of effect by itself, and so does
-- what a hub refused and another one stands for. No CDR is held up by what is settled: a body that cannot be read has no entry.
CREATE FUNCTION settle_own_cdrs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO settlement_entry (subject, sign, ended_at, cpo, connection, country)
    SELECT d.no, 1, (d.body ->> 'end')::timestamptz, d.party, coalesce(c.name, ''), d.body #>> '{location,country}'
    FROM fresh d LEFT JOIN connection c ON c.id = d.connection_id
    WHERE d.review IS NULL AND d.leg IS NOT NULL AND NOT d.credit AND d.body ->> 'end' IS NOT NULL
    ORDER BY d.no;
    RETURN NULL;
END $$;

CREATE FUNCTION settle_own_cdr() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.review IS NOT NULL AND new.review IS NULL AND new.leg IS NOT NULL AND NOT new.credit
        AND new.body ->> 'end' IS NOT NULL THEN
        INSERT INTO settlement_entry (subject, sign, ended_at, cpo, connection, country)
        VALUES (new.no, 1, (new.body ->> 'end')::timestamptz, new.party,
            coalesce((SELECT name FROM connection WHERE id = new.connection_id), ''), new.body #>> '{location,country}');
    END IF;
    IF new.taken_back AND NOT old.taken_back THEN
        PERFORM settle_out(new.no);
    END IF;
    RETURN NULL;
END $$;

-- What both sides agreed on takes the place of what was settled so far.
CREATE FUNCTION settle_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before settlement_entry;
BEGIN
    SELECT * INTO before FROM settlement_entry WHERE subject = new.cdr_no ORDER BY no DESC LIMIT 1;
    IF before.sign = 1 THEN
        PERFORM settle_out(new.cdr_no);
        INSERT INTO settlement_entry (subject, sign, ended_at, cpo, connection, country, agreed)
        VALUES (before.subject, 1, before.ended_at, before.cpo, before.connection, before.country, new.agreed);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION received_cdr_stands(reviews text[], decision text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(decision = 'accepted', reviews = '{}')
$$;

CREATE FUNCTION country_of_evse(key text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT l.body ->> 'country' FROM catalogue_evse e JOIN catalogue_location l ON l.no = e.location_no
    WHERE e.preferred AND e.evse_key = key
$$;

-- Of received ones, credits too, whose amounts are negative: it is the other side that says what it takes back.
CREATE FUNCTION settle_received_cdrs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO settlement_entry (subject, sign, ended_at, cpo, connection, country)
    SELECT -d.no, 1, d.ended_at, d.cpo, coalesce(c.name, ''),
        coalesce(d.body #>> '{location,country}', country_of_evse(d.evse_key))
    FROM fresh d LEFT JOIN connection c ON c.id = d.connection_id
    WHERE received_cdr_stands(d.reviews, d.decision)
    ORDER BY d.no;
    RETURN NULL;
END $$;

CREATE FUNCTION settle_received_cdr() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF received_cdr_stands(new.reviews, new.decision) THEN
        INSERT INTO settlement_entry (subject, sign, ended_at, cpo, connection, country)
        VALUES (-new.no, 1, new.ended_at, new.cpo,
            coalesce((SELECT name FROM connection WHERE id = new.connection_id), ''),
            coalesce(new.body #>> '{location,country}', country_of_evse(new.evse_key)));
    ELSE
        PERFORM settle_out(-new.no);
    END IF;
    RETURN NULL;
END $$;

-- How parties were billed at which moment.
CREATE TABLE billing_party_version (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    party text NOT NULL,
    body json NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX billing_party_version_party ON billing_party_version (party, no);

CREATE FUNCTION keep_billing_party() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO billing_party_version (party, body) VALUES (new.party, new.body);
    RETURN NULL;
END $$;

-- What is there already.
INSERT INTO settlement_entry (subject, sign, at, ended_at, cpo, connection, country)
SELECT d.no, 1, d.accepted_at, (d.body ->> 'end')::timestamptz, d.party, coalesce(c.name, ''), d.body #>> '{location,country}'
FROM cdr d LEFT JOIN connection c ON c.id = d.connection_id
WHERE d.review IS NULL AND d.leg IS NOT NULL AND NOT d.credit AND d.body ->> 'end' IS NOT NULL ORDER BY d.no;
INSERT INTO settlement_entry (subject, sign, at, ended_at, cpo, connection, country, agreed)
SELECT e.subject, s.sign, i.at, e.ended_at, e.cpo, e.connection, e.country, CASE s.sign WHEN 1 THEN i.agreed ELSE i.before END
FROM (SELECT cdr_no, at, id, agreed, lag(agreed) OVER (PARTITION BY cdr_no ORDER BY id) AS before FROM dispute) i
JOIN settlement_entry e ON e.subject = i.cdr_no CROSS JOIN (VALUES (-1), (1)) AS s(sign)
ORDER BY i.id, s.sign;
INSERT INTO settlement_entry (subject, sign, at, ended_at, cpo, connection, country, agreed)
SELECT e.subject, -1, coalesce(r.accepted_at, now()), e.ended_at, e.cpo, e.connection, e.country, e.agreed
FROM cdr d LEFT JOIN cdr r ON r.no = d.replaced_by
CROSS JOIN LATERAL (SELECT * FROM settlement_entry WHERE subject = d.no ORDER BY no DESC LIMIT 1) e
WHERE d.taken_back ORDER BY d.no;
INSERT INTO settlement_entry (subject, sign, at, ended_at, cpo, connection, country)
SELECT -d.no, 1, coalesce((d.decided ->> 'at')::timestamptz, d.received_at), d.ended_at, d.cpo, coalesce(c.name, ''),
    coalesce(d.body #>> '{location,country}', country_of_evse(d.evse_key))
FROM received_cdr d LEFT JOIN connection c ON c.id = d.connection_id
WHERE received_cdr_stands(d.reviews, d.decision) ORDER BY d.no;
INSERT INTO billing_party_version (party, body, since) SELECT party, body, updated_at FROM billing_party;

CREATE TRIGGER cdr_to_settle AFTER INSERT ON cdr
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION settle_own_cdrs();
CREATE TRIGGER cdr_to_settle_again AFTER UPDATE OF review, taken_back ON cdr FOR EACH ROW
    WHEN ((old.review IS NULL) <> (new.review IS NULL) OR old.taken_back <> new.taken_back)
    EXECUTE FUNCTION settle_own_cdr();
CREATE TRIGGER dispute_to_settle AFTER INSERT ON dispute FOR EACH ROW EXECUTE FUNCTION settle_agreed();
CREATE TRIGGER received_cdr_to_settle AFTER INSERT ON received_cdr
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION settle_received_cdrs();
CREATE TRIGGER received_cdr_to_settle_again AFTER UPDATE OF reviews, decision ON received_cdr FOR EACH ROW
    WHEN (received_cdr_stands(old.reviews, old.decision) <> received_cdr_stands(new.reviews, new.decision))
    EXECUTE FUNCTION settle_received_cdr();
CREATE TRIGGER billing_party_kept AFTER INSERT OR UPDATE ON billing_party FOR EACH ROW EXECUTE FUNCTION keep_billing_party();
