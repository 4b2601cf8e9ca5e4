-- How many of the revisions changed connections alone, so that agreements need not be read anew for them. Code that does not
-- know the column counts every change as one of agreements, too.
ALTER TABLE registry ADD COLUMN alone bigint NOT NULL DEFAULT 0;
