-- What CDRs cost by the tariff in force at their start, beside what they say.

-- A CDR that is to be priced (again). Append only, with nothing unique in it: who hands a CDR over waits for nobody who prices.
CREATE TABLE repricing_queue (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cdr_no bigint,
    received_cdr_no bigint,
    at timestamptz NOT NULL DEFAULT now(),
    CHECK ((cdr_no IS NULL) <> (received_cdr_no IS NULL))
);

-- A CDR of ours, or one that came home, priced. It refers to CDRs by no foreign key, whose lock would hold up who corrects
-- them; CDRs are never deleted. `party`: whose backend it concerns, ours; null where it is not known whose driver it was.
-- `outcome` and `state`: as in gateway/services/ports/repricing.py. `why`: why it cannot be priced. Amounts: in `currency`, the
-- CDR's; differences are what is told less what is calculated. `result`: both calculations, with every line and note.
-- `source`: whether the tariff was published, or is the CDR's own copy; `version_no`: the row of tariff_version.
-- `queue_no`: the order that it was priced on, so that none which is older takes its place.
CREATE TABLE repricing (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cdr_no bigint UNIQUE,
    received_cdr_no bigint UNIQUE,
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
    CHECK ((cdr_no IS NULL) <> (received_cdr_no IS NULL))
);
CREATE INDEX repricing_party ON repricing (party, no);
CREATE INDEX repricing_open ON repricing (no) WHERE state = 'open';
CREATE INDEX repricing_disputed ON repricing (no) WHERE state = 'disputed';
CREATE INDEX repricing_differs ON repricing (no) WHERE outcome = 'differs';
CREATE INDEX repricing_connection ON repricing (connection_id) WHERE connection_id IS NOT NULL;
CREATE INDEX repricing_started ON repricing (started_at, no);

-- What stood in a row of repricing before it was priced anew, or decided otherwise.
CREATE TABLE repricing_history (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repricing_no bigint NOT NULL REFERENCES repricing (no),
    body json NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX repricing_history_of ON repricing_history (repricing_no);

-- By triggers, since CDRs are written in several ways, and by the code before this one while a deploy rolls.

CREATE FUNCTION queue_own_cdrs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repricing_queue (cdr_no) SELECT no FROM fresh;
    RETURN NULL;
END $$;

CREATE FUNCTION queue_received_cdrs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repricing_queue (received_cdr_no) SELECT no FROM fresh;
    RETURN NULL;
END $$;

CREATE FUNCTION queue_own_cdr() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repricing_queue (cdr_no) VALUES (new.no);
    RETURN NULL;
END $$;

CREATE FUNCTION queue_received_cdr() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repricing_queue (received_cdr_no) VALUES (new.no);
    RETURN NULL;
END $$;

CREATE TRIGGER cdr_to_price AFTER INSERT ON cdr
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION queue_own_cdrs();
-- Assigned to a session, or taken back; not where its connection was removed, after which less would be known.
CREATE TRIGGER cdr_to_price_again AFTER UPDATE OF body, connection_id, taken_back ON cdr FOR EACH ROW
    WHEN (old.body::text <> new.body::text OR old.taken_back <> new.taken_back
        OR new.connection_id IS NOT NULL AND old.connection_id IS DISTINCT FROM new.connection_id)
    EXECUTE FUNCTION queue_own_cdr();
CREATE TRIGGER received_cdr_to_price AFTER INSERT ON received_cdr
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION queue_received_cdrs();
-- Judged anew, decided, or credited.
CREATE TRIGGER received_cdr_to_price_again AFTER UPDATE OF party, evse_key, credited_by, decision ON received_cdr FOR EACH ROW
    WHEN (old.party IS DISTINCT FROM new.party OR old.evse_key IS DISTINCT FROM new.evse_key
        OR old.credited_by IS DISTINCT FROM new.credited_by OR old.decision IS DISTINCT FROM new.decision)
    EXECUTE FUNCTION queue_received_cdr();
