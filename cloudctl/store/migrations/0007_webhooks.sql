-- Who is told of events, and of which it was not told yet.
CREATE TABLE webhooks (
	id      TEXT PRIMARY KEY,
	url     TEXT NOT NULL,
	subject TEXT NOT NULL,
	sealed  BLOB NOT NULL,
	created TIMESTAMP NOT NULL
);
CREATE TABLE deliveries (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT,
	webhook TEXT NOT NULL REFERENCES webhooks (id),
	event   TEXT NOT NULL,
	body    BLOB NOT NULL,
	created TIMESTAMP NOT NULL,
	UNIQUE (webhook, event)
);
