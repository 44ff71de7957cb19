-- The index of the audit logs of the cloud's daemons. It can be made anew from
-- them, but for what they no longer keep.
CREATE TABLE audit_lines (
	n        INTEGER PRIMARY KEY AUTOINCREMENT,
	log      TEXT NOT NULL,
	seq      BIGINT NOT NULL,
	at       BIGINT NOT NULL,
	event    TEXT NOT NULL UNIQUE,
	account  TEXT NOT NULL,
	name     TEXT NOT NULL,
	key      TEXT NOT NULL,
	source   TEXT NOT NULL,
	action   TEXT NOT NULL,
	reads    BOOLEAN NOT NULL,
	code     TEXT NOT NULL,
	request  TEXT NOT NULL,
	body     BLOB NOT NULL,
	UNIQUE (log, seq)
);
CREATE INDEX audit_lines_account ON audit_lines (account, at, n);
CREATE INDEX audit_lines_at ON audit_lines (at, n);
CREATE INDEX audit_lines_request ON audit_lines (request);
CREATE INDEX audit_lines_action ON audit_lines (account, action, at);
CREATE TABLE audit_resources (
	n    INTEGER NOT NULL REFERENCES audit_lines (n) ON DELETE CASCADE,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	PRIMARY KEY (n, name)
);
CREATE INDEX audit_resources_name ON audit_resources (name, n);
CREATE TABLE audit_heads (
	log     TEXT PRIMARY KEY,
	daemon  TEXT NOT NULL,
	seq     BIGINT NOT NULL,
	hash    TEXT NOT NULL,
	problem TEXT NOT NULL,
	seen    TIMESTAMP NOT NULL
);
