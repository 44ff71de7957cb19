package store

import "time"

// A Component is a daemon that joined this cloud.
type Component struct {
	Name    string `gorm:"primaryKey"` // in its certificate: us-east-1a.clusterctl.karri
	Role    string // clusterctl, blockstore or walrus
	Zone    string
	Address string // host:port of its internal API
	Joined  time.Time
	// Certificate, PEM, is what a clusterctl vouches for its zone's nodes with;
	// the blockstore of the zone believes no other.
	Certificate string
	// Revoked, PEM, is a clusterctl's list of certificates of its nodes that are
	// not to be believed any more; empty: none is.
	Revoked string
}

// TableName names the table.
func (Component) TableName() string { return "components" }

// A JoinToken admits one component, once. Only its hash is kept. UsedBy is the
// hash of the key it was used with, so that a join whose answer was lost may be
// repeated until Expires.
type JoinToken struct {
	Hash    string `gorm:"primaryKey"`
	Role    string
	Zone    string
	Name    string
	Created time.Time
	Expires time.Time
	UsedBy  string
}

// TableName names the table.
func (JoinToken) TableName() string { return "join_tokens" }

// A Generation numbers the orders to one peer. Adopt holds a generation that
// the peer has seen and this database has not: it was restored from an old
// copy, and nothing is told until an administrator adopts what runs.
type Generation struct {
	Peer   string `gorm:"primaryKey"` // name of the component
	Number uint64
	Digest string // of the orders with that number
	Ahead  uint64 // what the peer had accepted when it was found ahead; 0: it is not
}

// TableName names the table.
func (Generation) TableName() string { return "generations" }

// Component returns a component by name.
func (t *Tx) Component(name string) (*Component, error) {
	return one[Component](t.g.Where("name = ?", name), missing("NoSuchEntity", "There is no component %s.", name))
}

// Components returns all components.
func (t *Tx) Components() ([]Component, error) { return many[Component](t.g, "name") }

// Zones returns the names of the zones: where a clusterctl has joined.
func (t *Tx) Zones() ([]string, error) {
	rows, err := many[Component](t.g.Where("role = ?", "clusterctl"), "zone")
	zones := make([]string, 0, len(rows))
	for _, r := range rows {
		zones = append(zones, r.Zone)
	}
	return zones, err
}

// JoinToken returns a join token by its hash.
func (t *Tx) JoinToken(hash string) (*JoinToken, error) {
	return one[JoinToken](t.g.Where("hash = ?", hash), missing("InvalidToken", "The join token is not known or was used."))
}

// Generation returns the generation of the orders to a peer; its zero for one
// that was never told anything.
func (t *Tx) Generation(peer string) (*Generation, error) {
	rows, err := many[Generation](t.g.Where("peer = ?", peer), "peer")
	if err != nil || len(rows) == 0 {
		return &Generation{Peer: peer}, err
	}
	return &rows[0], nil
}
