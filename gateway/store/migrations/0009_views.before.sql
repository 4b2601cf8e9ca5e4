-- Who sees what by agreements, as far as others were told of it.

-- Whose view of the entries changed, and not the entries: an agreement began or ended. `*` for every EMSP; empty where the
-- entries changed. Code that does not know the column takes them for changes, which tells too much of what is seen anyway.
ALTER TABLE catalogue_change ADD COLUMN emsps text[] NOT NULL DEFAULT '{}';

-- What each EMSP has of a restricted network, as the catalogue's followers and the connection's hub were told: by EMSP, `*`
-- for whoever is not named. Where nothing is stored, everybody has everything. `claimed_until`: somebody is telling it.
CREATE TABLE agreed_view (
    connection_id int NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    cpo text NOT NULL,
    views json NOT NULL DEFAULT '{}',
    claimed_until timestamptz NOT NULL DEFAULT '-infinity',
    told_at timestamptz,
    PRIMARY KEY (connection_id, cpo)
);
