-- The certificate that a clusterctl vouches for the nodes of its zone with.
ALTER TABLE components ADD COLUMN certificate TEXT NOT NULL DEFAULT '';
