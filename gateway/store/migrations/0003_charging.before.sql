-- Who may charge, who does, and what the hubs and the backend are told of it.

-- A token as its EMSP described it, per connection over which that came. `listed`: the EMSP pushed it, so that its word
-- on local acceptance holds; else it was only seen in an answer to an authorisation. `uid_key`: two uids that differ by
-- case only are one.
CREATE TABLE token (
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    party text NOT NULL,
    type text NOT NULL,
    uid text NOT NULL,
    uid_key text NOT NULL,
    contract_key text NOT NULL,
    listed boolean NOT NULL,
    body json NOT NULL,
    last_updated timestamptz NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connection_id, party, type, uid_key)
);
CREATE INDEX token_uid ON token (uid_key);
CREATE INDEX token_contract ON token (contract_key);

-- Over which connections an EMSP has answered for a driver of its own.
CREATE TABLE emsp_seen (
    emsp text NOT NULL,
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (emsp, connection_id)
);

-- Who is served by which connection for which service. Without any line for a connection it serves everybody in its scope.
CREATE TABLE agreement (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    party text,
    emsp text,
    services text[] NOT NULL,
    rank int NOT NULL DEFAULT 100,
    valid_from timestamptz NOT NULL DEFAULT now(),
    valid_to timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A driver who wants to charge, and who said what: taps, remote starts, reservations. `leg` is how the hub that said yes
-- names it. A session without reference is found by `identity`, the normal form of the uid, or of the contract where
-- there is no uid, and by `contract_key`, that of the contract.
CREATE TABLE authorisation (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    origin text NOT NULL,
    party text NOT NULL,
    location_id text NOT NULL,
    evse_uid text NOT NULL,
    connector_id text,
    identity text NOT NULL,
    contract_key text,
    connection_id int REFERENCES connection (id) ON DELETE SET NULL,
    agreement_id int,
    allowed boolean NOT NULL,
    reason text,
    auth_method text,
    leg json,
    detail json NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    session_no bigint
);
CREATE INDEX authorisation_open ON authorisation (party, evse_uid, at) WHERE allowed AND session_no IS NULL;
CREATE INDEX authorisation_reserved ON authorisation (party, location_id, evse_uid, expires_at)
    WHERE allowed AND origin = 'reserve';
CREATE INDEX authorisation_at ON authorisation (party, at);

-- A session as the backend tells it. `review` says why it waits for a person instead of going to a hub; `assigned`: a
-- person has said what it belongs to, which no later report of it changes. `alarmed_at`: somebody was told that its CDR
-- is missing.
CREATE TABLE session (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    party text NOT NULL,
    session_id text NOT NULL,
    body json NOT NULL,
    place json NOT NULL,
    digest bytea NOT NULL,
    status text NOT NULL,
    authorisation_no bigint REFERENCES authorisation (no),
    connection_id int REFERENCES connection (id) ON DELETE SET NULL,
    review text,
    assigned boolean NOT NULL DEFAULT false,
    ended_at timestamptz,
    cdr_no bigint,
    cdr_waived text,
    alarmed_at timestamptz,
    last_updated timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (party, session_id)
);
CREATE INDEX session_without_cdr ON session (ended_at) WHERE ended_at IS NOT NULL AND cdr_no IS NULL AND cdr_waived IS NULL;
CREATE INDEX session_running ON session (status) WHERE ended_at IS NULL;
CREATE INDEX session_pull ON session (connection_id, last_updated);
CREATE INDEX session_review ON session (no) WHERE review IS NOT NULL;
CREATE INDEX session_review_reference ON session (party, (body ->> 'reference')) WHERE review IS NOT NULL;

-- Every id that a charge was given, by whom.
CREATE TABLE session_ref (
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    kind text NOT NULL,
    value text NOT NULL,
    authorisation_no bigint NOT NULL REFERENCES authorisation (no),
    PRIMARY KEY (connection_id, kind, value)
);
CREATE INDEX session_ref_authorisation ON session_ref (authorisation_no);
CREATE INDEX session_ref_value ON session_ref (value);
CREATE INDEX session_ref_reservation ON session_ref (connection_id, substr(value, strpos(value, '/') + 1))
    WHERE kind = 'reservation';

-- What a hub was told of a session: by kind of message, the session's own moment.
CREATE TABLE session_told (
    session_no bigint NOT NULL REFERENCES session (no),
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    told json NOT NULL,
    PRIMARY KEY (session_no, connection_id)
);

-- A CDR as it is told; `digest` is of what the backend sent. `credit` takes another one back; `replaced_by` is the CDR that
-- stands in its place, and `correction` what was said when that came. `taken_back`: a credit, or its refusal by the hub,
-- left nothing of it in effect.
CREATE TABLE cdr (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    party text NOT NULL,
    cdr_id text NOT NULL,
    body json NOT NULL,
    digest bytea NOT NULL,
    session_no bigint REFERENCES session (no),
    connection_id int REFERENCES connection (id) ON DELETE SET NULL,
    leg json,
    review text,
    energy numeric NOT NULL,
    credit boolean NOT NULL DEFAULT false,
    taken_back boolean NOT NULL DEFAULT false,
    replaced_by bigint,
    correction json,
    issues json,
    last_updated timestamptz NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (party, cdr_id)
);
-- Never two in effect for one session.
CREATE UNIQUE INDEX cdr_session ON cdr (session_no) WHERE session_no IS NOT NULL AND NOT credit AND NOT taken_back;
CREATE INDEX cdr_of_session ON cdr (session_no);
CREATE INDEX cdr_accepted ON cdr (accepted_at);
CREATE INDEX cdr_pull ON cdr (connection_id, last_updated);
CREATE UNIQUE INDEX cdr_replaced_by ON cdr (replaced_by) WHERE replaced_by IS NOT NULL;
CREATE INDEX cdr_review ON cdr (no) WHERE review IS NOT NULL;

-- A correction that the hub cannot take: what both sides agree on instead of a second CDR.
CREATE TABLE dispute (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cdr_no bigint NOT NULL REFERENCES cdr (no),
    reason text NOT NULL,
    agreed json NOT NULL,
    who text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dispute_cdr ON dispute (cdr_no);

-- A command from a hub. `reply_to`: where a result is to be told that the hub does not wait for; null where it waits.
-- `dedup`: what makes a command the same as an earlier one; null once a later one may be carried out anew. `follows`: the
-- reservation that it uses up or replaces.
CREATE TABLE command (
    id text PRIMARY KEY,
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    kind text NOT NULL,
    party text NOT NULL,
    body json NOT NULL,
    dedup text,
    authorisation_no bigint REFERENCES authorisation (no),
    session_no bigint REFERENCES session (no),
    follows bigint REFERENCES authorisation (no),
    reply_to json,
    result text,
    answer json,
    at timestamptz NOT NULL DEFAULT now(),
    deadline timestamptz NOT NULL,
    answered_at timestamptz
);
CREATE UNIQUE INDEX command_dedup ON command (connection_id, dedup);
CREATE INDEX command_open ON command (deadline) WHERE result IS NULL;
CREATE INDEX command_at ON command (at, id);
CREATE INDEX command_authorisation ON command (authorisation_no) WHERE authorisation_no IS NOT NULL;

-- Hubs name a location or a session without its party.
CREATE INDEX evse_of_location ON evse (location_id);
CREATE INDEX session_id ON session (session_id);

-- Where the backend wants to hear of events (`types` are those), and where it is asked for its word (`types` are the
-- questions). No types and no parties mean all. `old_secret` signs along until `old_until`, so that a receiver can change
-- over. `silence`: what a question counts as answered by when nobody answers. `why`: what made the gateway switch it off.
CREATE TABLE hook (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    kind text NOT NULL,
    url text NOT NULL,
    secret bytea NOT NULL,
    old_secret bytea,
    old_until timestamptz,
    silence text,
    types text[] NOT NULL,
    parties text[] NOT NULL,
    active boolean NOT NULL DEFAULT true,
    why text,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- `position` is given once the event is committed, by one process at a time, so that nobody who reads on from a position
-- overlooks one that was committed late.
CREATE TABLE event (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    position bigint UNIQUE,
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    type text NOT NULL,
    party text NOT NULL,
    subject text NOT NULL,
    data json NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX event_new ON event (no) WHERE position IS NULL;
CREATE INDEX event_party ON event (party, position) WHERE position IS NOT NULL;
CREATE INDEX event_at ON event (at);
CREATE SEQUENCE event_position;

-- The last position that is no longer kept: who reads on from before it is told so.
CREATE TABLE event_forgotten (position bigint NOT NULL);
INSERT INTO event_forgotten VALUES (0);

-- What is told once and in order: messages to hubs, events to webhooks. The oldest pending row of a lane is the only one
-- that may be leased. `destination` is the connection's number, or the hook's negated. `doubtful`: a try with this content
-- ended without anybody knowing what came of it. `shadow`: it happened while the connection was in shadow mode and
-- its hub does not wait for it, so that it is only ever shown, as `body`. A `holder` whose lease ran out may have told it.
CREATE TABLE delivery (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination int NOT NULL GENERATED ALWAYS AS (coalesce(connection_id, -hook_id)) STORED,
    connection_id int REFERENCES connection (id) ON DELETE CASCADE,
    hook_id int REFERENCES hook (id) ON DELETE CASCADE,
    operation text NOT NULL,
    kind text NOT NULL,
    lane text NOT NULL,
    key text NOT NULL,
    party text NOT NULL,
    payload json NOT NULL,
    session_no bigint REFERENCES session (no),
    cdr_no bigint REFERENCES cdr (no),
    state text NOT NULL DEFAULT 'pending',
    shadow boolean NOT NULL DEFAULT false,
    attempts int NOT NULL DEFAULT 0,
    doubtful boolean NOT NULL DEFAULT false,
    due_at timestamptz NOT NULL DEFAULT now(),
    since timestamptz NOT NULL DEFAULT now(),
    until timestamptz,
    holder text,
    fence bigint,
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    code text,
    error text,
    body json,
    issues json,
    settled_at timestamptz,
    CHECK ((connection_id IS NULL) <> (hook_id IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX delivery_due ON delivery (destination, operation, due_at, no) WHERE state = 'pending';
CREATE INDEX delivery_lane ON delivery (destination, lane, no) WHERE state = 'pending';
CREATE INDEX delivery_cdr ON delivery (cdr_no) WHERE cdr_no IS NOT NULL;
CREATE INDEX delivery_session ON delivery (session_no) WHERE session_no IS NOT NULL;
CREATE INDEX delivery_settled ON delivery (settled_at)
    WHERE settled_at IS NOT NULL AND state <> 'refused' AND cdr_no IS NULL;

-- A refused delivery has a letter, too. Its connection is that of the delivery; releases that know of projections only, and
-- find a letter by its connection, do not see it.
ALTER TABLE dead_letter
    ALTER COLUMN connection_id DROP NOT NULL,
    ADD COLUMN delivery_no bigint UNIQUE REFERENCES delivery (no) ON DELETE CASCADE,
    ADD CHECK ((connection_id IS NULL) <> (delivery_no IS NULL));
