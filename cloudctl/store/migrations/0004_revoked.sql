-- What a clusterctl has taken back of what it vouched for.
ALTER TABLE components ADD COLUMN revoked TEXT NOT NULL DEFAULT '';
