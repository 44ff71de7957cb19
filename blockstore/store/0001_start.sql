CREATE TABLE volumes (
  id TEXT PRIMARY KEY,
  size_gib INTEGER NOT NULL,
  made BOOLEAN NOT NULL,
  reason TEXT NOT NULL,
  last_snapshot TEXT NOT NULL,
  last_layer INTEGER NOT NULL
);

CREATE TABLE exports (
  volume TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  node TEXT NOT NULL,
  port INTEGER NOT NULL,
  authority TEXT NOT NULL,
  served BOOLEAN NOT NULL,
  ended BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX exports_port ON exports (port) WHERE NOT ended AND port > 0;

CREATE TABLE snapshots (
  id TEXT PRIMARY KEY,
  volume TEXT NOT NULL,
  state TEXT NOT NULL,
  layer INTEGER NOT NULL,
  parent TEXT NOT NULL,
  since INTEGER NOT NULL,
  frozen DATETIME,
  reason TEXT NOT NULL
);
CREATE INDEX snapshots_volume ON snapshots (volume, layer);
CREATE UNIQUE INDEX snapshots_freezing ON snapshots (volume) WHERE state = 'freezing';

CREATE TABLE chores (
  name TEXT PRIMARY KEY,
  due DATETIME NOT NULL
);
