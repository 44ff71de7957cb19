-- What proves that the files of a trail are those that were written: digests,
-- each naming the files since the last one, and signed.
ALTER TABLE trails ADD COLUMN proven BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE trails ADD COLUMN digest_from TIMESTAMP;
ALTER TABLE trails ADD COLUMN digest_to TIMESTAMP;
ALTER TABLE trails ADD COLUMN digest_object TEXT NOT NULL DEFAULT '';
ALTER TABLE trails ADD COLUMN digest_delivered TIMESTAMP;
ALTER TABLE trails ADD COLUMN digest_failure TEXT NOT NULL DEFAULT '';
ALTER TABLE trails ADD COLUMN digest_tried TIMESTAMP;
ALTER TABLE trails ADD COLUMN last_bucket TEXT NOT NULL DEFAULT '';
ALTER TABLE trails ADD COLUMN last_object TEXT NOT NULL DEFAULT '';
ALTER TABLE trails ADD COLUMN last_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE trails ADD COLUMN last_signature TEXT NOT NULL DEFAULT '';
CREATE TABLE trail_files (
	trail   TEXT NOT NULL REFERENCES trails (arn) ON DELETE CASCADE,
	object  TEXT NOT NULL,
	bucket  TEXT NOT NULL,
	hash    TEXT NOT NULL,
	oldest  TIMESTAMP NOT NULL,
	newest  TIMESTAMP NOT NULL,
	digest  TEXT NOT NULL, -- in which it is named; '': in the next one
	PRIMARY KEY (trail, object)
);
CREATE TABLE trail_keys (
	id      TEXT PRIMARY KEY, -- fingerprint of the public key
	public  BLOB NOT NULL,
	sealed  BLOB NOT NULL,
	created TIMESTAMP NOT NULL,
	expires TIMESTAMP NOT NULL
);
