CREATE TABLE accounts (
	id      TEXT PRIMARY KEY,
	name    TEXT NOT NULL UNIQUE,
	state   TEXT NOT NULL,
	admin   BOOLEAN NOT NULL,
	created TIMESTAMP NOT NULL
);
CREATE TABLE access_keys (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES accounts (id),
	sealed  BLOB NOT NULL,
	active  BOOLEAN NOT NULL,
	created TIMESTAMP NOT NULL
);
CREATE INDEX access_keys_account ON access_keys (account);

CREATE TABLE key_pairs (
	id          TEXT PRIMARY KEY,
	account     TEXT NOT NULL REFERENCES accounts (id),
	name        TEXT NOT NULL,
	type        TEXT NOT NULL,
	public      TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	created     TIMESTAMP NOT NULL,
	UNIQUE (account, name)
);

CREATE TABLE images (
	id           TEXT PRIMARY KEY,
	account      TEXT NOT NULL REFERENCES accounts (id),
	name         TEXT NOT NULL,
	description  TEXT NOT NULL,
	architecture TEXT NOT NULL,
	root_device  TEXT NOT NULL,
	bucket       TEXT NOT NULL,
	key          TEXT NOT NULL,
	etag         TEXT NOT NULL,
	want         TEXT NOT NULL,
	created      TIMESTAMP NOT NULL,
	format       TEXT NOT NULL,
	bytes        BIGINT NOT NULL,
	gib          INTEGER NOT NULL,
	copied       BOOLEAN NOT NULL,
	sha256       TEXT NOT NULL,
	failure      TEXT NOT NULL
);
CREATE UNIQUE INDEX images_name ON images (account, name) WHERE want = 'present';

CREATE TABLE instances (
	id           TEXT PRIMARY KEY,
	account      TEXT NOT NULL REFERENCES accounts (id),
	reservation  TEXT NOT NULL,
	number       INTEGER NOT NULL,
	zone         TEXT NOT NULL,
	client_token TEXT NOT NULL,
	want         TEXT NOT NULL,
	force        BOOLEAN NOT NULL,
	reboots      BIGINT NOT NULL,
	launched     TIMESTAMP NOT NULL,
	created      TIMESTAMP NOT NULL,
	asked        TEXT NOT NULL,
	asked_text   TEXT NOT NULL,
	asked_at     TIMESTAMP NOT NULL,
	type         TEXT NOT NULL,
	vcpus        INTEGER NOT NULL,
	memory_mib   INTEGER NOT NULL,
	disk_gib     INTEGER NOT NULL,
	image        TEXT NOT NULL,
	image_id     TEXT NOT NULL,
	root_device  TEXT NOT NULL,
	key_name     TEXT NOT NULL,
	public_key   TEXT NOT NULL,
	user_data    BLOB,
	metadata     TEXT NOT NULL,
	on_shut      TEXT NOT NULL,
	protected    BOOLEAN NOT NULL,
	unstopped    BOOLEAN NOT NULL,
	ran          BOOLEAN NOT NULL,
	started      TIMESTAMP NOT NULL,
	node         TEXT NOT NULL,
	rested       BOOLEAN NOT NULL,
	failure      TEXT NOT NULL,
	freed        BOOLEAN NOT NULL,
	ended        TIMESTAMP NOT NULL,
	UNIQUE (reservation, number)
);
CREATE INDEX instances_account ON instances (account);
CREATE INDEX instances_image ON instances (image_id) WHERE NOT freed;
CREATE INDEX instances_zone ON instances (zone) WHERE NOT freed;

CREATE TABLE client_tokens (
	account  TEXT NOT NULL REFERENCES accounts (id),
	action   TEXT NOT NULL,
	token    TEXT NOT NULL,
	digest   TEXT NOT NULL,
	resource TEXT NOT NULL,
	created  TIMESTAMP NOT NULL,
	PRIMARY KEY (account, action, token)
);
CREATE INDEX client_tokens_created ON client_tokens (created);

CREATE TABLE vpcs (
	id         TEXT PRIMARY KEY,
	account    TEXT NOT NULL REFERENCES accounts (id),
	cidr       TEXT NOT NULL,
	is_default BOOLEAN NOT NULL,
	vni        BIGINT NOT NULL UNIQUE,
	support    BOOLEAN NOT NULL,
	hostnames  BOOLEAN NOT NULL,
	acl        TEXT NOT NULL,
	dhcp       TEXT NOT NULL,
	created    TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX vpcs_default ON vpcs (account) WHERE is_default;

CREATE TABLE subnets (
	id         TEXT PRIMARY KEY,
	account    TEXT NOT NULL REFERENCES accounts (id),
	vpc        TEXT NOT NULL REFERENCES vpcs (id),
	zone       TEXT NOT NULL,
	cidr       TEXT NOT NULL,
	is_default BOOLEAN NOT NULL,
	public     BOOLEAN NOT NULL,
	created    TIMESTAMP NOT NULL,
	UNIQUE (vpc, cidr)
);
CREATE UNIQUE INDEX subnets_default ON subnets (account, zone) WHERE is_default;

CREATE TABLE internet_gateways (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES accounts (id),
	vpc     TEXT NOT NULL,
	created TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX internet_gateways_vpc ON internet_gateways (vpc) WHERE vpc <> '';

CREATE TABLE route_tables (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES accounts (id),
	vpc     TEXT NOT NULL REFERENCES vpcs (id),
	main    TEXT NOT NULL,
	routes  TEXT NOT NULL,
	created TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX route_tables_main ON route_tables (vpc) WHERE main <> '';

CREATE TABLE route_associations (
	id          TEXT PRIMARY KEY,
	account     TEXT NOT NULL REFERENCES accounts (id),
	route_table TEXT NOT NULL REFERENCES route_tables (id),
	subnet      TEXT NOT NULL UNIQUE REFERENCES subnets (id)
);

CREATE TABLE security_groups (
	id          TEXT PRIMARY KEY,
	account     TEXT NOT NULL REFERENCES accounts (id),
	vpc         TEXT NOT NULL REFERENCES vpcs (id),
	name        TEXT NOT NULL,
	description TEXT NOT NULL,
	created     TIMESTAMP NOT NULL,
	UNIQUE (vpc, name)
);

CREATE TABLE security_group_rules (
	id             TEXT PRIMARY KEY,
	account        TEXT NOT NULL REFERENCES accounts (id),
	security_group TEXT NOT NULL REFERENCES security_groups (id),
	egress         BOOLEAN NOT NULL,
	protocol       TEXT NOT NULL,
	from_port      INTEGER NOT NULL,
	to_port        INTEGER NOT NULL,
	cidr           TEXT NOT NULL,
	peer           TEXT NOT NULL,
	description    TEXT NOT NULL,
	created        TIMESTAMP NOT NULL,
	UNIQUE (security_group, egress, protocol, from_port, to_port, cidr, peer)
);

CREATE TABLE interfaces (
	id                    TEXT PRIMARY KEY,
	account               TEXT NOT NULL REFERENCES accounts (id),
	vpc                   TEXT NOT NULL REFERENCES vpcs (id),
	subnet                TEXT NOT NULL REFERENCES subnets (id),
	zone                  TEXT NOT NULL,
	mac                   TEXT NOT NULL,
	address               TEXT NOT NULL,
	groups                TEXT NOT NULL,
	source_check          BOOLEAN NOT NULL,
	description           TEXT NOT NULL,
	created               TIMESTAMP NOT NULL,
	instance              TEXT NOT NULL,
	attachment            TEXT NOT NULL,
	device_index          INTEGER NOT NULL,
	delete_on_termination BOOLEAN NOT NULL,
	attached              TIMESTAMP NOT NULL,
	lends                 BOOLEAN NOT NULL,
	UNIQUE (subnet, address),
	UNIQUE (subnet, mac)
);
CREATE INDEX interfaces_account ON interfaces (account);
CREATE INDEX interfaces_instance ON interfaces (instance);

CREATE TABLE addresses (
	address     TEXT PRIMARY KEY,
	account     TEXT NOT NULL REFERENCES accounts (id),
	auto        BOOLEAN NOT NULL,
	allocation  TEXT NOT NULL,
	association TEXT NOT NULL,
	interface   TEXT NOT NULL,
	created     TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX addresses_interface ON addresses (interface) WHERE interface <> '';

CREATE TABLE volumes (
	id        TEXT PRIMARY KEY,
	account   TEXT NOT NULL REFERENCES accounts (id),
	zone      TEXT NOT NULL,
	size_gib  INTEGER NOT NULL,
	type      TEXT NOT NULL,
	snapshot  TEXT NOT NULL,
	from_zone TEXT NOT NULL,
	want      TEXT NOT NULL,
	created   TIMESTAMP NOT NULL,
	epoch     BIGINT NOT NULL,
	ready     BOOLEAN NOT NULL,
	failure   TEXT NOT NULL
);
CREATE INDEX volumes_account ON volumes (account);

CREATE TABLE attachments (
	volume                TEXT PRIMARY KEY REFERENCES volumes (id),
	instance              TEXT NOT NULL,
	account               TEXT NOT NULL REFERENCES accounts (id),
	zone                  TEXT NOT NULL,
	device                TEXT NOT NULL,
	want                  TEXT NOT NULL,
	force                 BOOLEAN NOT NULL,
	epoch                 BIGINT NOT NULL,
	delete_on_termination BOOLEAN NOT NULL,
	created               TIMESTAMP NOT NULL,
	changed               TIMESTAMP NOT NULL,
	exported              TEXT NOT NULL,
	export                TEXT NOT NULL,
	node                  TEXT NOT NULL,
	plugged               BOOLEAN NOT NULL,
	unplugged             BOOLEAN NOT NULL,
	UNIQUE (instance, device)
);

CREATE TABLE snapshots (
	id          TEXT PRIMARY KEY,
	account     TEXT NOT NULL REFERENCES accounts (id),
	volume      TEXT NOT NULL,
	zone        TEXT NOT NULL,
	size_gib    INTEGER NOT NULL,
	description TEXT NOT NULL,
	want        TEXT NOT NULL,
	started     TIMESTAMP NOT NULL,
	done        BOOLEAN NOT NULL,
	failure     TEXT NOT NULL
);
CREATE INDEX snapshots_account ON snapshots (account);

CREATE TABLE tags (
	account  TEXT NOT NULL REFERENCES accounts (id),
	resource TEXT NOT NULL,
	key      TEXT NOT NULL,
	kind     TEXT NOT NULL,
	value    TEXT NOT NULL,
	PRIMARY KEY (account, resource, key)
);

CREATE TABLE components (
	name    TEXT PRIMARY KEY,
	role    TEXT NOT NULL,
	zone    TEXT NOT NULL,
	address TEXT NOT NULL,
	joined  TIMESTAMP NOT NULL
);

CREATE TABLE join_tokens (
	hash    TEXT PRIMARY KEY,
	role    TEXT NOT NULL,
	zone    TEXT NOT NULL,
	name    TEXT NOT NULL,
	created TIMESTAMP NOT NULL,
	expires TIMESTAMP NOT NULL
);

CREATE TABLE generations (
	peer   TEXT PRIMARY KEY,
	number BIGINT NOT NULL,
	digest TEXT NOT NULL,
	ahead  BIGINT NOT NULL
);
