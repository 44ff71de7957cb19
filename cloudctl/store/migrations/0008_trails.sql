-- What is written of an account's events into its buckets, and how far.
CREATE TABLE trails (
	arn       TEXT PRIMARY KEY,
	account   TEXT NOT NULL REFERENCES accounts (id),
	name      TEXT NOT NULL,
	bucket    TEXT NOT NULL,
	prefix    TEXT NOT NULL,
	global    BOOLEAN NOT NULL,
	every     BOOLEAN NOT NULL,
	tags      TEXT NOT NULL,
	created   TIMESTAMP NOT NULL,
	logging   BOOLEAN NOT NULL,
	started   TIMESTAMP,
	stopped   TIMESTAMP,
	done      BIGINT NOT NULL,
	up_to     BIGINT NOT NULL,
	object    TEXT NOT NULL,
	delivered TIMESTAMP,
	failure   TEXT NOT NULL,
	tried     TIMESTAMP,
	UNIQUE (account, name)
);
