-- The EMSP's side: partners' stations, own drivers, and what they do there.

-- A partner's location as one hub tells it. `body` is the canonical location with its EVSEs; their statuses stand in
-- catalogue_evse. `digest` is of what the hub sent.
CREATE TABLE catalogue_location (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    party text NOT NULL,
    location_id text NOT NULL,
    body json NOT NULL,
    digest bytea NOT NULL,
    issues json,
    place point NOT NULL,
    words tsvector NOT NULL,
    last_updated timestamptz NOT NULL,
    withdrawn_at timestamptz,
    UNIQUE (connection_id, party, location_id)
);
CREATE INDEX catalogue_location_words ON catalogue_location USING gin (words);

-- One way to an EVSE. Ways with one `evse_key` (the EvseID's normal form; without EvseID a name of its own) are one entry
-- of the catalogue, for which the `preferred` one speaks. The row is narrow, has room on its page, and no index covers
-- what a status changes.
CREATE TABLE catalogue_evse (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    location_no bigint NOT NULL REFERENCES catalogue_location (no) ON DELETE CASCADE,
    connection_id int NOT NULL,
    party text NOT NULL,
    uid text NOT NULL,
    evse_key text NOT NULL,
    place point NOT NULL,
    standards text[] NOT NULL,
    power int NOT NULL,
    always_open boolean NOT NULL,
    status text NOT NULL,
    status_at timestamptz NOT NULL,
    preferred boolean NOT NULL DEFAULT false,
    removed boolean NOT NULL DEFAULT false,
    last_updated timestamptz NOT NULL,
    prices text[],
    UNIQUE (location_no, uid)
) WITH (fillfactor = 70);
CREATE INDEX catalogue_evse_key ON catalogue_evse (evse_key);
CREATE INDEX catalogue_evse_place ON catalogue_evse USING gist (place) WHERE preferred;

CREATE TABLE catalogue_tariff (
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    party text NOT NULL,
    tariff_id text NOT NULL,
    target text NOT NULL DEFAULT '',
    body json NOT NULL,
    digest bytea NOT NULL,
    issues json,
    last_updated timestamptz NOT NULL,
    withdrawn_at timestamptz,
    PRIMARY KEY (connection_id, party, tariff_id, target)
);

-- Which entries changed, in the order in which transactions began; one is read once no older transaction is under way.
CREATE TABLE catalogue_change (
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    evse_key text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tx, evse_key)
);
CREATE INDEX catalogue_change_at ON catalogue_change (at);

-- Who speaks for an EVSE that several hubs offer: the connection with the smallest rank.
ALTER TABLE connection ADD COLUMN rank int NOT NULL DEFAULT 100;

-- What a hub says of the parties behind it.
CREATE TABLE client_info (
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    party text NOT NULL,
    role text NOT NULL,
    status text NOT NULL,
    last_updated timestamptz NOT NULL,
    PRIMARY KEY (connection_id, party, role)
);

-- What is pulled over a connection. `mark`: from when on changes are still to be asked for; it moves only when a pull has
-- succeeded. One replica at a time pulls a feed.
CREATE TABLE pull (
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    feed text NOT NULL,
    mark timestamptz,
    full_at timestamptz,
    full_asked boolean NOT NULL DEFAULT false,
    next_at timestamptz NOT NULL DEFAULT now(),
    failures int NOT NULL DEFAULT 0,
    holder text,
    fence bigint,
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    last json,
    PRIMARY KEY (connection_id, feed)
);

-- Our drivers' tokens. `uid_key`: two uids that differ by case only are one.
CREATE TABLE driver_token (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    party text NOT NULL,
    type text NOT NULL,
    uid text NOT NULL,
    uid_key text NOT NULL,
    contract_key text NOT NULL,
    driver text,
    body json NOT NULL,
    digest bytea NOT NULL,
    revision int NOT NULL DEFAULT 1,
    last_updated timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    withdrawn_at timestamptz,
    UNIQUE (party, type, uid_key)
);
CREATE INDEX driver_token_uid ON driver_token (uid_key);
CREATE INDEX driver_token_contract ON driver_token (contract_key);
CREATE INDEX driver_token_driver ON driver_token (party, driver) WHERE driver IS NOT NULL;
CREATE INDEX driver_token_last_updated ON driver_token (last_updated);

ALTER TABLE projection ADD COLUMN driver_token_no bigint;
CREATE INDEX projection_driver_token ON projection (driver_token_no) WHERE driver_token_no IS NOT NULL;

-- A driver of ours who may, or may not, charge at a partner's station: a hub asked, or a command of ours began it.
CREATE TABLE permit (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    connection_id int REFERENCES connection (id) ON DELETE SET NULL,
    origin text NOT NULL,
    party text NOT NULL,
    cpo text,
    evse_key text,
    identity text NOT NULL,
    contract_key text,
    driver_token_no bigint REFERENCES driver_token (no),
    allowed boolean NOT NULL,
    reason text,
    leg json NOT NULL,
    detail json NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    received_session_no bigint
);
CREATE INDEX permit_at ON permit (party, at);
CREATE INDEX permit_open ON permit (connection_id, evse_key, at) WHERE allowed AND received_session_no IS NULL;

-- Every id that a charge abroad was given, by whom; as session_ref is for charges at own stations.
CREATE TABLE permit_ref (
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    kind text NOT NULL,
    value text NOT NULL,
    permit_no bigint NOT NULL REFERENCES permit (no),
    PRIMARY KEY (connection_id, kind, value)
);
CREATE INDEX permit_ref_permit ON permit_ref (permit_no);

-- A command that we sent for a driver of ours. `request_id`: the backend's own; the same `wish` once more is the same
-- command. `late`: what was told after it had been answered for.
CREATE TABLE sent_command (
    id text PRIMARY KEY,
    connection_id int REFERENCES connection (id) ON DELETE SET NULL,
    kind text NOT NULL,
    party text NOT NULL,
    cpo text NOT NULL,
    request_id text,
    body json NOT NULL,
    wish json NOT NULL,
    permit_no bigint REFERENCES permit (no),
    result text,
    answer json,
    late json,
    at timestamptz NOT NULL DEFAULT now(),
    deadline timestamptz NOT NULL,
    answered_at timestamptz,
    UNIQUE (party, request_id)
);
CREATE INDEX sent_command_open ON sent_command (deadline) WHERE result IS NULL;
CREATE INDEX sent_command_at ON sent_command (at, id);

-- A session of a driver of ours at a partner's station. `body`: the canonical session, where it was told whole; `news`: what
-- was told piece by piece. `session_key`: two ids that differ by case only are one. `reviews`: every reason why a person has
-- to look at it, which `doubts` tell in words; `decided`: that one did.
CREATE TABLE received_session (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    cpo text NOT NULL,
    session_id text NOT NULL,
    session_key text NOT NULL,
    party text,
    body json,
    news json,
    evse_key text,
    driver_keys text[] NOT NULL,
    permit_no bigint REFERENCES permit (no),
    status text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    energy numeric,
    reviews text[] NOT NULL DEFAULT '{}',
    doubts json,
    decided json,
    cdr_no bigint,
    cdr_waived text,
    alarmed_at timestamptz,
    last_updated timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (connection_id, cpo, session_key)
);
CREATE INDEX received_session_key ON received_session (connection_id, session_key);
CREATE INDEX received_session_at ON received_session (connection_id, evse_key, started_at);
CREATE INDEX received_session_permit ON received_session (permit_no) WHERE permit_no IS NOT NULL;
CREATE INDEX received_session_review ON received_session (no) WHERE reviews <> '{}';
CREATE INDEX received_session_active ON received_session (no) WHERE ended_at IS NULL;
CREATE INDEX received_session_without_cdr ON received_session (ended_at)
    WHERE ended_at IS NOT NULL AND cdr_no IS NULL AND cdr_waived IS NULL;

-- A CDR that came home. `reviews`: every reason why a person has to look at it, which `doubts` tell in words; they stay when a
-- person has decided. Another content under a known id is a row of its own with a later `version`. `credited_by`: the CDR
-- that takes it back.
CREATE TABLE received_cdr (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    cpo text NOT NULL,
    cdr_id text NOT NULL,
    cdr_key text NOT NULL,
    version int NOT NULL DEFAULT 1,
    party text,
    body json NOT NULL,
    leg json,
    digest bytea NOT NULL,
    session_key text,
    evse_key text,
    driver_keys text[] NOT NULL,
    permit_no bigint REFERENCES permit (no),
    received_session_no bigint REFERENCES received_session (no),
    energy numeric NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    credit boolean NOT NULL,
    credited_by bigint REFERENCES received_cdr (no),
    reviews text[] NOT NULL DEFAULT '{}',
    doubts json,
    decision text,
    decided json,
    received_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (connection_id, cpo, cdr_key, version)
);
CREATE INDEX received_cdr_session ON received_cdr (received_session_no) WHERE received_session_no IS NOT NULL;
CREATE INDEX received_cdr_session_key ON received_cdr (connection_id, session_key)
    WHERE received_session_no IS NULL AND session_key IS NOT NULL;
CREATE INDEX received_cdr_permit ON received_cdr (permit_no) WHERE permit_no IS NOT NULL;
CREATE INDEX received_cdr_charge ON received_cdr (evse_key, started_at);
CREATE INDEX received_cdr_review ON received_cdr (no) WHERE reviews <> '{}' AND decision IS NULL;
CREATE INDEX received_cdr_at ON received_cdr (received_at);
