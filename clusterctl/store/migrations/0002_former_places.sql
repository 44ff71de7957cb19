-- Where an instance that is gone was, for as long as its console may be asked for.
CREATE TABLE former_places (
    instance TEXT PRIMARY KEY,
    node TEXT NOT NULL,
    ended DATETIME NOT NULL
);
