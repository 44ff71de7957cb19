-- The id of a node is its index in the zone; AUTOINCREMENT never gives one twice.
CREATE TABLE nodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id < 65535),
    name TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    key TEXT NOT NULL,
    endpoint TEXT NOT NULL DEFAULT '',
    generation INTEGER NOT NULL DEFAULT 0,
    joined DATETIME NOT NULL
);

CREATE TABLE placements (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL UNIQUE,
    node_id INTEGER NOT NULL, -- no reference: a forgotten node leaves it behind, and its id never comes back
    node TEXT NOT NULL,
    vcpus INTEGER NOT NULL,
    memory_mib INTEGER NOT NULL,
    disk_gib INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT '',
    placed DATETIME NOT NULL
);

CREATE TABLE join_tokens (
    hash TEXT PRIMARY KEY,
    node TEXT NOT NULL DEFAULT '',
    expires DATETIME NOT NULL,
    used_by TEXT NOT NULL DEFAULT ''
);
