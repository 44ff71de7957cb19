-- Who may do what: the users, groups, roles and policies of accounts.
ALTER TABLE accounts ADD COLUMN alias TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN password_policy TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX accounts_alias ON accounts (alias) WHERE alias <> '';

ALTER TABLE access_keys ADD COLUMN user TEXT NOT NULL DEFAULT '';
ALTER TABLE access_keys ADD COLUMN used TIMESTAMP;
ALTER TABLE access_keys ADD COLUMN used_service TEXT NOT NULL DEFAULT '';
ALTER TABLE access_keys ADD COLUMN used_region TEXT NOT NULL DEFAULT '';
CREATE INDEX access_keys_user ON access_keys (user) WHERE user <> '';

CREATE TABLE users (
	id       TEXT PRIMARY KEY,
	account  TEXT NOT NULL REFERENCES accounts (id),
	name     TEXT NOT NULL,
	folded   TEXT NOT NULL,
	path     TEXT NOT NULL,
	boundary TEXT NOT NULL,
	tags     TEXT NOT NULL,
	created  TIMESTAMP NOT NULL,
	UNIQUE (account, folded)
);
CREATE TABLE user_groups (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES accounts (id),
	name    TEXT NOT NULL,
	folded  TEXT NOT NULL,
	path    TEXT NOT NULL,
	created TIMESTAMP NOT NULL,
	UNIQUE (account, folded)
);
CREATE TABLE members (
	user       TEXT NOT NULL REFERENCES users (id),
	user_group TEXT NOT NULL REFERENCES user_groups (id),
	account    TEXT NOT NULL,
	PRIMARY KEY (user, user_group)
);
CREATE INDEX members_group ON members (user_group);
CREATE TABLE roles (
	id          TEXT PRIMARY KEY,
	account     TEXT NOT NULL REFERENCES accounts (id),
	name        TEXT NOT NULL,
	folded      TEXT NOT NULL,
	path        TEXT NOT NULL,
	description TEXT NOT NULL,
	trust       TEXT NOT NULL,
	max_session INTEGER NOT NULL,
	boundary    TEXT NOT NULL,
	tags        TEXT NOT NULL,
	created     TIMESTAMP NOT NULL,
	used        TIMESTAMP,
	used_region TEXT NOT NULL,
	UNIQUE (account, folded)
);
CREATE TABLE instance_profiles (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES accounts (id),
	name    TEXT NOT NULL,
	folded  TEXT NOT NULL,
	path    TEXT NOT NULL,
	role    TEXT NOT NULL,
	tags    TEXT NOT NULL,
	created TIMESTAMP NOT NULL,
	UNIQUE (account, folded)
);
CREATE INDEX instance_profiles_role ON instance_profiles (role) WHERE role <> '';

CREATE TABLE policies (
	id              TEXT PRIMARY KEY,
	account         TEXT NOT NULL REFERENCES accounts (id),
	name            TEXT NOT NULL,
	folded          TEXT NOT NULL,
	path            TEXT NOT NULL,
	arn             TEXT NOT NULL UNIQUE,
	description     TEXT NOT NULL,
	default_version INTEGER NOT NULL,
	last_version    INTEGER NOT NULL,
	tags            TEXT NOT NULL,
	created         TIMESTAMP NOT NULL,
	updated         TIMESTAMP NOT NULL,
	UNIQUE (account, folded)
);
CREATE TABLE policy_versions (
	policy   TEXT NOT NULL REFERENCES policies (id),
	number   INTEGER NOT NULL,
	account  TEXT NOT NULL,
	document TEXT NOT NULL,
	created  TIMESTAMP NOT NULL,
	PRIMARY KEY (policy, number)
);
-- The holder is the id of a user, group or role, or an account.
CREATE TABLE inline_policies (
	holder   TEXT NOT NULL,
	name     TEXT NOT NULL,
	account  TEXT NOT NULL,
	document TEXT NOT NULL,
	created  TIMESTAMP NOT NULL,
	PRIMARY KEY (holder, name)
);
CREATE TABLE policy_attachments (
	holder  TEXT NOT NULL,
	policy  TEXT NOT NULL,
	account TEXT NOT NULL,
	created TIMESTAMP NOT NULL,
	PRIMARY KEY (holder, policy)
);
CREATE INDEX policy_attachments_policy ON policy_attachments (policy, account);

CREATE TABLE login_profiles (
	user    TEXT PRIMARY KEY REFERENCES users (id),
	account TEXT NOT NULL,
	hash    TEXT NOT NULL,
	former  TEXT NOT NULL,
	reset   BOOLEAN NOT NULL,
	changed TIMESTAMP NOT NULL,
	created TIMESTAMP NOT NULL,
	used    TIMESTAMP
);
CREATE TABLE mfa_devices (
	serial  TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES accounts (id),
	name    TEXT NOT NULL,
	path    TEXT NOT NULL,
	holder  TEXT NOT NULL,
	sealed  BLOB NOT NULL,
	step    BIGINT NOT NULL,
	tags    TEXT NOT NULL,
	created TIMESTAMP NOT NULL,
	enabled TIMESTAMP
);
CREATE INDEX mfa_devices_holder ON mfa_devices (holder) WHERE holder <> '';
CREATE TABLE signing_certificates (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES accounts (id),
	user    TEXT NOT NULL,
	body    TEXT NOT NULL,
	active  BOOLEAN NOT NULL,
	created TIMESTAMP NOT NULL
);
CREATE INDEX signing_certificates_user ON signing_certificates (account, user);
CREATE TABLE server_certificates (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES accounts (id),
	name    TEXT NOT NULL,
	folded  TEXT NOT NULL,
	path    TEXT NOT NULL,
	body    TEXT NOT NULL,
	chain   TEXT NOT NULL,
	sealed  BLOB NOT NULL,
	tags    TEXT NOT NULL,
	created TIMESTAMP NOT NULL,
	expires TIMESTAMP NOT NULL,
	UNIQUE (account, folded)
);
CREATE TABLE oidc_providers (
	arn         TEXT PRIMARY KEY,
	account     TEXT NOT NULL REFERENCES accounts (id),
	url         TEXT NOT NULL,
	clients     TEXT NOT NULL,
	thumbprints TEXT NOT NULL,
	tags        TEXT NOT NULL,
	created     TIMESTAMP NOT NULL
);

-- What changed, for whoever wants to know soon. A line is taken out when it was told.
CREATE TABLE announcements (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT,
	subject TEXT NOT NULL,
	body    BLOB NOT NULL,
	created TIMESTAMP NOT NULL
);
