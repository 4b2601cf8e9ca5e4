-- What the code before offers read.
ALTER TABLE authorisation DROP COLUMN agreement_id;
DROP TABLE agreement;
