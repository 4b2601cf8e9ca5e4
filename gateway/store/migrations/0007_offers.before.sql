-- Who may have what of whose network, and at what price. States: as in mappings/canonical/agreements.py.

-- CPOs that offer their networks together. A member's `due_at`: when it comes or goes by itself.
CREATE TABLE network_group (
    id text PRIMARY KEY,
    name text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE network_group_member (
    group_id text NOT NULL REFERENCES network_group (id) ON DELETE CASCADE,
    party text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz,
    due_at timestamptz,
    PRIMARY KEY (group_id, party, since)
);
CREATE INDEX network_group_member_due ON network_group_member (due_at) WHERE due_at IS NOT NULL;

-- EVSEs that offers speak of together. `revision` rises with every change of its members, so that they are read only then.
CREATE TABLE evse_group (
    id text PRIMARY KEY,
    party text NOT NULL,
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    revision bigint NOT NULL DEFAULT 1,
    evses int NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE evse_group_member (
    group_id text NOT NULL REFERENCES evse_group (id) ON DELETE CASCADE,
    evse_key text NOT NULL,
    evse_id text NOT NULL,
    no bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (group_id, evse_key)
);
CREATE INDEX evse_group_member_evse ON evse_group_member (evse_key);

-- The terms of an offer, as uploaded.
CREATE TABLE document (
    id text PRIMARY KEY,
    party text NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    content bytea NOT NULL,
    digest bytea NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT now()
);

-- An offer; `body`: what is the same in all its versions. `ends_at`: by its body, or by its cancellation. `due_at`: when its state
-- goes on by itself. `external`: the hub's id, where it was read there. `told`: which version the hub was told of last; `hub_ids`:
-- what it calls the parts; `unanswered`: what it took without saying what it calls that.
CREATE TABLE offer (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    cpo text,
    network_group text REFERENCES network_group (id),
    title text NOT NULL,
    body json NOT NULL,
    state text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    due_at timestamptz,
    published_at timestamptz,
    cancelled_at timestamptz,
    external text,
    hub_ids json,
    told int NOT NULL DEFAULT 0,
    unanswered text,
    seen_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((cpo IS NULL) <> (network_group IS NULL)),
    CHECK (ends_at IS NULL OR ends_at >= starts_at)
);
CREATE UNIQUE INDEX offer_title ON offer (connection_id, coalesce(cpo, network_group), title) WHERE state <> 'ENDED';
CREATE UNIQUE INDEX offer_external ON offer (connection_id, external) WHERE external IS NOT NULL;
CREATE INDEX offer_cpo ON offer (cpo);
CREATE INDEX offer_network_group ON offer (network_group) WHERE network_group IS NOT NULL;
CREATE INDEX offer_document ON offer ((body ->> 'document')) WHERE body ->> 'document' IS NOT NULL;
CREATE INDEX offer_due ON offer (due_at) WHERE due_at IS NOT NULL;

-- `due_at`: when it comes into force, as long as nobody was told of that.
CREATE TABLE offer_version (
    offer_id text NOT NULL REFERENCES offer (id) ON DELETE CASCADE,
    number int NOT NULL,
    starts_at timestamptz NOT NULL,
    terms json NOT NULL,
    due_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    PRIMARY KEY (offer_id, number),
    UNIQUE (offer_id, starts_at)
);
CREATE INDEX offer_version_terms ON offer_version USING gin ((terms::jsonb) jsonb_path_ops);
CREATE INDEX offer_version_due ON offer_version (due_at) WHERE due_at IS NOT NULL;

-- A version of an offer that is no draft never changes; one that is in force or was is not deleted, but with its offer.
CREATE FUNCTION offer_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state <> 'DRAFT' FROM offer WHERE id = OLD.offer_id) THEN
        IF TG_OP = 'DELETE' AND OLD.due_at IS NOT NULL AND OLD.number > 1 THEN
            RETURN OLD;
        END IF;
        IF TG_OP = 'UPDATE' AND (OLD.terms::text, OLD.starts_at, OLD.number, OLD.offer_id)
            = (NEW.terms::text, NEW.starts_at, NEW.number, NEW.offer_id) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'version % of offer % is published and never changes', OLD.number, OLD.offer_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER offer_version_stays BEFORE UPDATE OR DELETE ON offer_version
    FOR EACH ROW EXECUTE FUNCTION offer_version_stays();

-- `source`: who keeps it: `local`, `hub` (read back), `import`. `wanted_at`: before which the EMSP does not want it. `due_at`: when it
-- goes on by itself: it begins (`began` from then on), or ends.
CREATE TABLE subscription (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    offer_id text NOT NULL REFERENCES offer (id) ON DELETE CASCADE,
    emsp text NOT NULL,
    state text NOT NULL,
    source text NOT NULL,
    requested_at timestamptz NOT NULL,
    wanted_at timestamptz,
    starts_at timestamptz,
    cancelled_at timestamptz,
    ends_at timestamptz,
    due_at timestamptz,
    began boolean NOT NULL DEFAULT false,
    why text,
    external text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (ends_at IS NULL OR starts_at IS NULL OR ends_at >= starts_at)
);
-- An EMSP has an offer once.
CREATE UNIQUE INDEX subscription_once ON subscription (offer_id, emsp) WHERE state NOT IN ('ENDED', 'REFUSED');
CREATE INDEX subscription_offer ON subscription (offer_id);
CREATE INDEX subscription_emsp ON subscription (emsp);
CREATE INDEX subscription_due ON subscription (due_at) WHERE due_at IS NOT NULL;

-- Which EVSEs a hub was told of, by the group of the offer: `all` where its terms name none.
CREATE TABLE offer_told_evse (
    offer_id text NOT NULL REFERENCES offer (id) ON DELETE CASCADE,
    group_id text NOT NULL,
    evse_key text NOT NULL,
    PRIMARY KEY (offer_id, group_id, evse_key)
);

-- What hubs are told of offers is looked for by offer.
CREATE INDEX delivery_offer ON delivery (key) WHERE starts_with(key, 'offers/');

-- Where a hub disagrees with what stands above.
CREATE TABLE offer_drift (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    kind text NOT NULL,
    subject text NOT NULL,
    field text NOT NULL DEFAULT '',
    ours json,
    theirs json,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    times int NOT NULL DEFAULT 1,
    UNIQUE (connection_id, kind, subject, field)
);

-- What was done to one thing is read by its name.
CREATE INDEX audit_subject ON audit (subject);

-- Who is billed, and how: legal name, country, VAT id.
CREATE TABLE billing_party (
    party text PRIMARY KEY,
    body json NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- By what a driver was let charge: {offer, version, subscription}. A session keeps it.
ALTER TABLE authorisation ADD COLUMN agreement json;
ALTER TABLE permit ADD COLUMN agreement json;
-- The same of a charge that came home, also of one that a token list let begin, of which there is no permit.
ALTER TABLE received_cdr ADD COLUMN agreement json;

-- A CDR is priced by what was agreed on when its charge began: the same, kept beside the price. A permit that is found later
-- brings another agreement along.
ALTER TABLE repricing ADD COLUMN agreement json;
DROP TRIGGER received_cdr_to_price_again ON received_cdr;
CREATE TRIGGER received_cdr_to_price_again AFTER UPDATE OF party, evse_key, permit_no, credited_by, decision, agreement
    ON received_cdr
    FOR EACH ROW
    WHEN (old.party IS DISTINCT FROM new.party OR old.evse_key IS DISTINCT FROM new.evse_key
        OR old.permit_no IS DISTINCT FROM new.permit_no OR old.credited_by IS DISTINCT FROM new.credited_by
        OR old.decision IS DISTINCT FROM new.decision OR old.agreement::text IS DISTINCT FROM new.agreement::text)
    EXECUTE FUNCTION queue_received_cdr();

-- What stood in `agreement` becomes offers: one for all EMSPs behind a connection is open, one for an EMSP is targeted at
-- it. An agreement closed its connection to all whom none names, of whichever CPO and from then on: so does an offer of
-- all CPOs that has ended. To be called once more when no old code is left, which wrote agreements meanwhile.
CREATE FUNCTION agreements_to_offers() RETURNS void LANGUAGE sql AS $$
    WITH made AS (
        INSERT INTO network_group (id, name)
        SELECT 'all-of-' || c.name, 'All CPOs of ' || c.name FROM connection c
        WHERE EXISTS (SELECT FROM agreement a WHERE a.connection_id = c.id)
        ON CONFLICT DO NOTHING RETURNING id
    )
    INSERT INTO network_group_member (group_id, party, since)
    SELECT made.id, p.id, timestamptz '2000-01-01 00:00Z' FROM made, party p WHERE (p.body -> 'roles')::jsonb ? 'CPO';

    INSERT INTO offer (id, connection_id, network_group, title, body, state, starts_at, ends_at, published_at)
    SELECT 'closed-' || c.name, c.id, 'all-of-' || c.name, 'closed-' || c.name,
        json_build_object('id', 'closed-' || c.name, 'connection', c.name, 'network_group', 'all-of-' || c.name,
            'joining', 'OPEN', 'title', 'closed-' || c.name, 'starts', a.since),
        'ENDED', a.since, a.since + interval '1 second', a.since
    FROM connection c
    JOIN (SELECT connection_id, min(created_at) AS since FROM agreement GROUP BY connection_id) a
        ON a.connection_id = c.id
    WHERE NOT EXISTS (SELECT FROM offer o WHERE o.id = 'closed-' || c.name);

    INSERT INTO offer (id, connection_id, cpo, network_group, title, body, state, starts_at, ends_at, due_at, published_at)
    SELECT 'agreement-' || a.id, a.connection_id, a.party, CASE WHEN a.party IS NULL THEN 'all-of-' || c.name END,
        'agreement-' || a.id,
        json_strip_nulls(json_build_object(
            'id', 'agreement-' || a.id, 'connection', c.name, 'cpo', a.party,
            'network_group', CASE WHEN a.party IS NULL THEN 'all-of-' || c.name END,
            'audience', CASE WHEN a.emsp IS NOT NULL THEN json_build_array(a.emsp) END, 'joining', 'OPEN',
            'title', 'agreement-' || a.id, 'starts', a.valid_from, 'ends', a.valid_to)),
        CASE WHEN a.valid_to <= now() THEN 'ENDED' ELSE 'PUBLISHED' END, a.valid_from, a.valid_to,
        CASE WHEN a.valid_to > now() THEN a.valid_to END, a.created_at
    FROM agreement a JOIN connection c ON c.id = a.connection_id
    WHERE (a.valid_to IS NULL OR a.valid_to > a.valid_from)
        AND NOT EXISTS (SELECT FROM offer o WHERE o.id = 'agreement-' || a.id);

    -- A rank was any number up to a million.
    INSERT INTO offer_version (offer_id, number, starts_at, terms, due_at, created_at, created_by)
    SELECT o.id, 1, o.starts_at,
        CASE WHEN a.id IS NULL THEN json_build_object('services', '{cdr}'::text[])
            ELSE json_build_object('services', a.services, 'rank', least(a.rank, 9999)) END,
        CASE WHEN o.starts_at > now() AND o.state = 'PUBLISHED' THEN o.starts_at END, o.published_at, 'gateway'
    FROM offer o LEFT JOIN agreement a ON o.id = 'agreement-' || a.id
    WHERE NOT EXISTS (SELECT FROM offer_version v WHERE v.offer_id = o.id);

    -- Ended by old code meanwhile.
    UPDATE offer o SET state = 'CANCELLED', cancelled_at = now(),
        ends_at = greatest(a.valid_to, o.starts_at), due_at = greatest(a.valid_to, o.starts_at)
    FROM agreement a
    WHERE o.id = 'agreement-' || a.id AND o.state = 'PUBLISHED' AND a.valid_to < coalesce(o.ends_at, 'infinity');

    UPDATE authorisation SET agreement = json_build_object('offer', 'agreement-' || agreement_id, 'version', 1)
    WHERE agreement_id IS NOT NULL AND agreement IS NULL;
    UPDATE registry SET revision = revision + 1;
$$;
SELECT agreements_to_offers();
