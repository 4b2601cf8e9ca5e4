-- The operator's network, as the backend wrote it.

CREATE TABLE party (
    id text PRIMARY KEY,
    body json NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE location (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    party text NOT NULL,
    location_id text NOT NULL,
    body json NOT NULL,
    digest bytea NOT NULL,
    revision int NOT NULL DEFAULT 1,
    issues json,
    place point NOT NULL,
    last_updated timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    withdrawn_at timestamptz,
    UNIQUE (party, location_id)
);
CREATE INDEX location_last_updated ON location (last_updated);
CREATE INDEX location_place ON location USING gist (place);

-- An EVSE's status changes far more often than anything else: the row is narrow, has room on its page, and none of its
-- indexes covers what a status changes, except for changed_on, which changes once a day (it serves pulls by date).
-- `claims` are the connections at which the EVSE claims its EvseID; `contested` tells that another EVSE has the same one.
CREATE TABLE evse (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    location_no bigint NOT NULL REFERENCES location (no),
    party text NOT NULL,
    location_id text NOT NULL,
    uid text NOT NULL,
    evse_key text,
    claims int[] NOT NULL DEFAULT '{}',
    contested boolean NOT NULL DEFAULT false,
    status text NOT NULL,
    status_at timestamptz NOT NULL,
    changed_on date NOT NULL,
    removed boolean NOT NULL DEFAULT false,
    UNIQUE (party, location_id, uid)
) WITH (fillfactor = 70);
CREATE INDEX evse_location ON evse (location_no);
CREATE INDEX evse_key ON evse (evse_key) WHERE evse_key IS NOT NULL;
CREATE INDEX evse_changed_on ON evse (changed_on);

CREATE TABLE tariff (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    party text NOT NULL,
    tariff_id text NOT NULL,
    target text NOT NULL DEFAULT '',
    body json NOT NULL,
    digest bytea NOT NULL,
    revision int NOT NULL DEFAULT 1,
    issues json,
    last_updated timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    withdrawn_at timestamptz,
    UNIQUE (party, tariff_id, target)
);
CREATE INDEX tariff_last_updated ON tariff (last_updated);

CREATE TABLE api_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    hash bytea NOT NULL UNIQUE,
    parties text[] NOT NULL,
    roles text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail json
);
