-- The certificates that nodes were given, and which of them are not to be
-- believed any more: revoked counts the times that any were, 0 says not this one.
CREATE TABLE certificates (
    serial TEXT PRIMARY KEY,
    node TEXT NOT NULL,
    key TEXT NOT NULL,
    expires DATETIME NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0,
    revoked_at DATETIME
);
