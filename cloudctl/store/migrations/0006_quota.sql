-- Who made a thing: the id of a user or a role, nothing for the account itself.
-- What is counted for users is counted by it.
ALTER TABLE instances ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE volumes ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE snapshots ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE images ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE addresses ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE security_groups ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE key_pairs ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE vpcs ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE subnets ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE interfaces ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE user_groups ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE roles ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE instance_profiles ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE policies ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE access_keys ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE mfa_devices ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE signing_certificates ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE server_certificates ADD COLUMN creator TEXT NOT NULL DEFAULT '';
ALTER TABLE oidc_providers ADD COLUMN creator TEXT NOT NULL DEFAULT '';

-- When a policy ends an instance; nothing: never. And who wanted it so.
ALTER TABLE instances ADD COLUMN expires TIMESTAMP;
ALTER TABLE instances ADD COLUMN expires_by TEXT NOT NULL DEFAULT '';

-- The roles that instances have. The profile is remembered by its id: it may be
-- deleted, and then the instance has no role until it is given another.
CREATE TABLE profile_associations (
	id       TEXT PRIMARY KEY,
	account  TEXT NOT NULL REFERENCES accounts (id),
	instance TEXT NOT NULL UNIQUE,
	profile  TEXT NOT NULL,
	arn      TEXT NOT NULL,
	created  TIMESTAMP NOT NULL
);
CREATE INDEX profile_associations_account ON profile_associations (account);

-- What users asked to have more of.
CREATE TABLE quota_requests (
	id         TEXT PRIMARY KEY,
	account    TEXT NOT NULL REFERENCES accounts (id),
	service    TEXT NOT NULL,
	code       TEXT NOT NULL,
	desired    BIGINT NOT NULL,
	status     TEXT NOT NULL,
	requester  TEXT NOT NULL,
	decided_by TEXT NOT NULL,
	created    TIMESTAMP NOT NULL,
	updated    TIMESTAMP NOT NULL
);
CREATE INDEX quota_requests_account ON quota_requests (account, created);
CREATE UNIQUE INDEX quota_requests_open ON quota_requests (account, service, code) WHERE status = 'PENDING';

-- What walrus was last told that accounts may have in buckets.
CREATE TABLE shares (
	account TEXT PRIMARY KEY REFERENCES accounts (id),
	told    TEXT NOT NULL
);
