-- What CDRs cost by the tariff in force at their start, beside what they say.

-- A CDR that is to be priced (again): `subject` is the number of one of ours, or of a received one, negated. Append only, with
-- nothing unique in it: who hands a CDR over waits for nobody who prices.
CREATE TABLE repricing_queue (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

-- A CDR, priced. `subject` as in the queue; no foreign key, whose lock would hold up who corrects the CDR, and CDRs are never
-- deleted. `party`: whose backend it concerns, ours; null where it is not known whose driver it was. `outcome`, `state` and
-- `source`: as in gateway/services/ports/repricing.py. `why`: why it cannot be priced. Amounts are in `currency`, the CDR's;
-- differences are what is told less what is calculated. `version_no`: the row of tariff_version. `result`: both calculations,
-- with every line and note. `queue_no`: numbers pricings in the order in which they began, so that none which read an older CDR
-- takes its place.
-- `changed_at`: since when it comes out so.
CREATE TABLE repricing (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject bigint NOT NULL UNIQUE,
    party text,
    cpo text NOT NULL,
    emsp text,
    cdr_id text NOT NULL,
    connection_id int REFERENCES connection (id) ON DELETE SET NULL,
    started_at timestamptz NOT NULL,
    currency text NOT NULL,
    outcome text NOT NULL,
    why text,
    told_net numeric,
    told_gross numeric,
    net numeric,
    gross numeric,
    difference_net numeric,
    difference_gross numeric,
    tariff_id text,
    source text,
    version_no bigint,
    result json NOT NULL,
    state text NOT NULL,
    decided json,
    queue_no bigint NOT NULL,
    computed_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX repricing_party ON repricing (party, no);
CREATE INDEX repricing_cdr ON repricing (upper(cdr_id));
CREATE INDEX repricing_open ON repricing (no) WHERE state = 'open';
CREATE INDEX repricing_disputed ON repricing (no) WHERE state = 'disputed';
CREATE INDEX repricing_differs ON repricing (no) WHERE outcome = 'differs';
CREATE INDEX repricing_lacking ON repricing (computed_at) WHERE why IN ('no_tariff', 'no_zone');

-- What stood in a row of repricing before it came out otherwise, or was decided otherwise; the row, without its result.
CREATE TABLE repricing_history (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repricing_no bigint NOT NULL REFERENCES repricing (no),
    body json NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX repricing_history_of ON repricing_history (repricing_no, no);

-- By triggers, since CDRs are written in several ways, and by the code before this one while a deploy rolls.

CREATE FUNCTION queue_own_cdrs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repricing_queue (subject) SELECT no FROM fresh ORDER BY no;
    RETURN NULL;
END $$;

CREATE FUNCTION queue_received_cdrs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repricing_queue (subject) SELECT -no FROM fresh ORDER BY no;
    RETURN NULL;
END $$;

CREATE FUNCTION queue_own_cdr() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repricing_queue (subject) VALUES (new.no);
    RETURN NULL;
END $$;

CREATE FUNCTION queue_received_cdr() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repricing_queue (subject) VALUES (-new.no);
    RETURN NULL;
END $$;

CREATE TRIGGER cdr_to_price AFTER INSERT ON cdr
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION queue_own_cdrs();
-- Assigned to a session or to none, which ends its review, or taken back; not where its connection was removed, after which
-- less would be known.
CREATE TRIGGER cdr_to_price_again AFTER UPDATE OF body, connection_id, leg, review, taken_back ON cdr FOR EACH ROW
    WHEN (old.body::text <> new.body::text OR old.taken_back <> new.taken_back
        OR (old.review IS NULL) <> (new.review IS NULL) OR old.leg ->> 'emsp' IS DISTINCT FROM new.leg ->> 'emsp'
        OR new.connection_id IS NOT NULL AND old.connection_id IS DISTINCT FROM new.connection_id)
    EXECUTE FUNCTION queue_own_cdr();
CREATE TRIGGER received_cdr_to_price AFTER INSERT ON received_cdr
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION queue_received_cdrs();
-- Judged anew, decided, or credited.
CREATE TRIGGER received_cdr_to_price_again AFTER UPDATE OF party, evse_key, credited_by, decision ON received_cdr FOR EACH ROW
    WHEN (old.party IS DISTINCT FROM new.party OR old.evse_key IS DISTINCT FROM new.evse_key
        OR old.credited_by IS DISTINCT FROM new.credited_by OR old.decision IS DISTINCT FROM new.decision)
    EXECUTE FUNCTION queue_received_cdr();
