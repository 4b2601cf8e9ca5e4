-- What the code before offers read, and wrote as long as it ran.
SELECT agreements_to_offers();
DROP FUNCTION agreements_to_offers;
ALTER TABLE authorisation DROP COLUMN agreement_id;
DROP TABLE agreement;
