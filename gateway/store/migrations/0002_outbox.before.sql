-- What each hub should know, what it has acknowledged, and who is telling it.

-- `faulty`: the gateway itself paused the connection, since its credentials failed; new ones end that pause.
CREATE TABLE connection (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    hub text NOT NULL,
    mode text NOT NULL,
    state text NOT NULL,
    scope json NOT NULL,
    settings json NOT NULL,
    token_hash bytea UNIQUE,
    secrets bytea,
    why text,
    faulty boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- One row per connection and wire key. `pending` is kept as a column, not computed, so that a status report on a row that
-- is pending already touches no index. `due_at` orders the work; `since` is when the oldest untold change was accepted.
CREATE TABLE projection (
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    key text NOT NULL,
    operation text NOT NULL,
    lane text NOT NULL,
    location_no bigint,
    evse_no bigint,
    tariff_no bigint,
    evse_uid text,
    follows_status boolean NOT NULL,
    shared boolean NOT NULL,
    wanted bigint NOT NULL DEFAULT 1,
    acked bigint NOT NULL DEFAULT 0,
    pending boolean NOT NULL,
    held boolean NOT NULL DEFAULT false,
    refused boolean NOT NULL DEFAULT false,
    gone boolean NOT NULL DEFAULT false,
    shadowed boolean NOT NULL DEFAULT false,
    attempts int NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    since timestamptz NOT NULL DEFAULT now(),
    sent_as text,
    fingerprint bytea,
    attempt json,
    error text,
    acked_at timestamptz,
    PRIMARY KEY (connection_id, key, operation)
) WITH (fillfactor = 70);
CREATE INDEX projection_due ON projection (connection_id, operation, due_at, lane) WHERE pending;
CREATE INDEX projection_evse ON projection (evse_no) WHERE evse_no IS NOT NULL;
CREATE INDEX projection_location ON projection (location_no) WHERE location_no IS NOT NULL;
CREATE INDEX projection_tariff ON projection (tariff_no) WHERE tariff_no IS NOT NULL;

-- A row exists while a worker holds the lane, or while the lane rests after a failure. `broken`: it was taken from a holder
-- that never said what came of its calls.
CREATE TABLE lane (
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    operation text NOT NULL,
    lane text NOT NULL,
    holder text NOT NULL,
    fence bigint NOT NULL,
    broken boolean NOT NULL DEFAULT false,
    expires_at timestamptz NOT NULL,
    retry_at timestamptz NOT NULL DEFAULT '-infinity',
    attempts int NOT NULL DEFAULT 0,
    error text,
    PRIMARY KEY (connection_id, operation, lane)
);
CREATE SEQUENCE fence;

-- The next moment at which a paced operation may be called, by whichever replica.
CREATE TABLE pace (
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    operation text NOT NULL,
    next_at timestamptz NOT NULL,
    PRIMARY KEY (connection_id, operation)
);

-- When an operation's whole content is to be synchronised next.
CREATE TABLE full_sync (
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    operation text NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (connection_id, operation)
);

CREATE TABLE dead_letter (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    operation text NOT NULL,
    key text NOT NULL,
    wanted bigint NOT NULL,
    code text,
    reason text NOT NULL,
    field text NOT NULL DEFAULT '',
    attempts int NOT NULL DEFAULT 0,
    body json,
    at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (connection_id, operation, key)
);

-- What the last translation of a projection lost.
CREATE TABLE issue (
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    key text NOT NULL,
    operation text NOT NULL,
    issues json NOT NULL,
    PRIMARY KEY (connection_id, key, operation)
);

-- Raised with every change of a connection, so that each replica notices when its own picture is old.
CREATE TABLE registry (revision bigint NOT NULL);
INSERT INTO registry VALUES (0);
