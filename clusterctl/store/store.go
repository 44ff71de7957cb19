// Package store holds what a clusterctl knows for itself: the nodes of its
// zone, which instance is placed where, and the tokens that let nodes in. The
// orders it has from cloudctl are not here but in their own book.
//
// A placement is written before its node is told, so after a crash an
// instance is never placed a second time. The index of a node is never given
// to another one, and a placement names the node by it.
package store

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"karri/shared/db"
	"karri/shared/fault"
	"karri/shared/id"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is the database of one clusterctl.
type Store struct {
	db      *db.DB
	changes atomic.Uint64
}

// Node is a host that joined.
type Node struct {
	ID         int `gorm:"primaryKey"` // its index in the zone
	Name       string
	Address    string // host:port of its API
	Key        string // hash of the key it joined with
	Endpoint   string // where its VXLAN packets go, as it said last; empty before
	Generation uint64 // the last that it was told
	Joined     time.Time
}

// Placement says which node an instance belongs to.
type Placement struct {
	Seq       int `gorm:"primaryKey"`
	Instance  id.Instance
	NodeID    int
	Node      string
	VCPUs     int    `gorm:"column:vcpus"`
	MemoryMiB int    `gorm:"column:memory_mib"`
	DiskGiB   int    `gorm:"column:disk_gib"`
	State     string // what its node said of it last
	Placed    time.Time
}

type joinToken struct {
	Hash    string `gorm:"primaryKey"`
	Node    string
	Expires time.Time
	UsedBy  string
}

// Open opens the database in the file at path.
func Open(ctx context.Context, path string) (*Store, error) {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, path, sub)
	if err != nil {
		return nil, err
	}
	return &Store{db: d}, nil
}

// Close closes the database.
func (s *Store) Close() { s.db.Close() }

// Check tells whether the database answers.
func (s *Store) Check(ctx context.Context) error { return s.db.Check(ctx) }

// Changes returns a number that grows with every write.
func (s *Store) Changes() uint64 { return s.changes.Load() }

func (s *Store) write(ctx context.Context, f func(tx *gorm.DB) error) error {
	defer s.changes.Add(1)
	return s.db.Transact(ctx, f)
}

// Nodes returns all nodes by index.
func (s *Store) Nodes(ctx context.Context) (nodes []Node, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error { return tx.Order("id").Find(&nodes).Error })
	return nodes, err
}

// NodeNamed returns the node called name.
func (s *Store) NodeNamed(ctx context.Context, name string) (n Node, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error { return tx.Where("name = ?", name).Take(&n).Error })
	if errors.Is(err, db.ErrMissing) {
		err = fault.New(fault.Missing, "NoSuchNode", "There is no node %q in this zone.", name).Because(err)
	}
	return n, err
}

// Admit lets the node called name in, with the key whose hash is key, if the
// secret whose hash is given is good for it; the secret is used up. The same
// key may come again with the same secret, since the answer may have been
// lost. A name that is taken by another key needs a token for that name; the
// certificates for the other key are revoked with it.
func (s *Store) Admit(ctx context.Context, hash, name, key, address string, now time.Time) (n Node, err error) {
	refused := fault.New(fault.Denied, "BadJoinToken", "The join token is not known, was used, or has expired.")
	err = s.write(ctx, func(tx *gorm.DB) error {
		var t joinToken
		switch err := db.Translate(tx.Where("hash = ?", hash).Take(&t).Error); {
		case errors.Is(err, db.ErrMissing):
			return refused
		case err != nil:
			return err
		}
		user := name + " " + key
		if t.UsedBy != "" && t.UsedBy != user || t.UsedBy == "" && now.After(t.Expires) || t.Node != "" && t.Node != name {
			return refused
		}
		switch err := db.Translate(tx.Where("name = ?", name).Take(&n).Error); {
		case errors.Is(err, db.ErrMissing):
			n = Node{Name: name, Joined: now.UTC()}
		case err != nil:
			return err
		case n.Key != key && t.Node != name:
			return fault.New(fault.Conflict, "NodeExists", "Another host is the node %q. Forget it first, or make a join token for this name.", name)
		}
		n.Key, n.Address = key, address
		if err := tx.Save(&n).Error; err != nil {
			return err
		}
		if err := revoke(tx, name, key, now); err != nil {
			return err
		}
		return tx.Model(&t).Update("used_by", user).Error
	})
	return n, err
}

// AddJoinToken keeps the hash of a new token, for the node called name, or for
// any new one when name is empty.
func (s *Store) AddJoinToken(ctx context.Context, hash, name string, expires time.Time) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("expires < ?", time.Now().UTC().Add(-24*time.Hour)).Delete(&joinToken{}).Error; err != nil {
			return err
		}
		return tx.Create(&joinToken{Hash: hash, Node: name, Expires: expires.UTC()}).Error
	})
}

// ForgetNode removes a node and revokes its certificates. What was placed on it
// stays placed on a node that is no more, until it is wanted gone.
func (s *Store) ForgetNode(ctx context.Context, name string, now time.Time) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		res := tx.Where("name = ?", name).Delete(&Node{})
		if res.Error == nil && res.RowsAffected == 0 {
			return fault.New(fault.Missing, "NoSuchNode", "There is no node %q in this zone.", name)
		}
		if res.Error != nil {
			return res.Error
		}
		return revoke(tx, name, "", now)
	})
}

// NextGeneration returns a generation for the orders of a node that is higher
// than any before, and than least.
func (s *Store) NextGeneration(ctx context.Context, node int, least uint64) (gen uint64, err error) {
	err = s.write(ctx, func(tx *gorm.DB) error {
		var n Node
		if err := tx.Where("id = ?", node).Take(&n).Error; err != nil {
			return err
		}
		gen = max(n.Generation, least) + 1
		return tx.Model(&n).Update("generation", gen).Error
	})
	return gen, err
}

// SetAddress keeps where the API of the node called name is, if it has the key.
func (s *Store) SetAddress(ctx context.Context, name, key, address string) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		res := tx.Model(&Node{}).Where("name = ? AND key = ?", name, key).Update("address", address)
		if res.Error == nil && res.RowsAffected == 0 {
			return fault.New(fault.Denied, "NotForYou", "The node %q is not this host (any more).", name)
		}
		return res.Error
	})
}

// SetEndpoint keeps where a node's VXLAN packets go.
func (s *Store) SetEndpoint(ctx context.Context, node int, endpoint string) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		return tx.Model(&Node{}).Where("id = ?", node).Update("endpoint", endpoint).Error
	})
}

// Placements returns all placements in the order in which they were made.
func (s *Store) Placements(ctx context.Context) (ps []Placement, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error { return tx.Order("seq").Find(&ps).Error })
	return ps, err
}

// Place places an instance where choose says, looking at all other placements
// in the same transaction, so that two choices never count on the same room.
// When choose returns nil nothing is written; an instance that is placed
// already stays where it is.
func (s *Store) Place(ctx context.Context, i id.Instance, choose func(others []Placement) *Placement) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		var ps []Placement
		if err := tx.Order("seq").Find(&ps).Error; err != nil {
			return err
		}
		for _, p := range ps {
			if p.Instance == i {
				return nil
			}
		}
		p := choose(ps)
		if p == nil {
			return nil
		}
		if err := tx.Where("id = ?", p.NodeID).Take(&Node{}).Error; err != nil {
			return err // forgotten since it was a candidate
		}
		p.Instance = i
		return tx.Create(p).Error
	})
}

// SetState keeps what a node said of an instance that is placed on it.
func (s *Store) SetState(ctx context.Context, i id.Instance, state string) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		return tx.Model(&Placement{}).Where("instance = ?", i).Update("state", state).Error
	})
}

// former is where an instance that is gone was: its console is still there.
type former struct {
	Instance id.Instance `gorm:"primaryKey"`
	Node     string
	Ended    time.Time
}

func (former) TableName() string { return "former_places" }

// remembered is how long NodeOf knows an instance whose placement was removed.
const remembered = 2 * time.Hour

// Unplace removes the placement of an instance. NodeOf knows it for a while.
func (s *Store) Unplace(ctx context.Context, i id.Instance, now time.Time) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		var p Placement
		switch err := db.Translate(tx.Where("instance = ?", i).Take(&p).Error); {
		case errors.Is(err, db.ErrMissing):
			return nil
		case err != nil:
			return err
		}
		if err := tx.Where("ended < ?", now.UTC().Add(-remembered)).Delete(&former{}).Error; err != nil {
			return err
		}
		if err := tx.Save(&former{i, p.Node, now.UTC()}).Error; err != nil {
			return err
		}
		return tx.Delete(&p).Error
	})
}

// PlacedOn returns the id of the node that an instance is placed on now.
func (s *Store) PlacedOn(ctx context.Context, i id.Instance) (node int, placed bool, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error {
		var rows []Placement
		err := tx.Where("instance = ?", i).Limit(1).Find(&rows).Error
		if placed = len(rows) > 0; placed {
			node = rows[0].NodeID
		}
		return err
	})
	return node, placed, err
}

// NodeOf returns the node that an instance is placed on, or was until lately.
func (s *Store) NodeOf(ctx context.Context, i id.Instance) (n Node, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error {
		var p Placement
		err := db.Translate(tx.Where("instance = ?", i).Take(&p).Error)
		if err == nil {
			return tx.Where("id = ?", p.NodeID).Take(&n).Error
		}
		var f former
		if errors.Is(err, db.ErrMissing) {
			err = tx.Where("instance = ?", i).Take(&f).Error
		}
		if err != nil {
			return err
		}
		return tx.Where("name = ?", f.Node).Take(&n).Error
	})
	if errors.Is(err, db.ErrMissing) {
		err = fault.New(fault.Missing, "NotHere", "%s is on no node here.", i).Because(err)
	}
	return n, err
}
