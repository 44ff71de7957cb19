package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"karri/shared/fault"
	"karri/shared/pki"
)

// certificate is one that a node was given.
type certificate struct {
	Serial    pki.Serial `gorm:"primaryKey"`
	Node      string
	Key       string // hash of the node's key
	Expires   time.Time
	Revoked   int64 // 0: it is good
	RevokedAt *time.Time
}

// Certified keeps which certificate the node called name is given for the key
// with that hash, so that it can be revoked. A host that is not, or not any
// more, that node is refused.
func (s *Store) Certified(ctx context.Context, name, key string, serial pki.Serial, expires time.Time) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		var nodes int64
		if err := tx.Model(&Node{}).Where("name = ? AND key = ?", name, key).Count(&nodes).Error; err != nil {
			return err
		}
		if nodes == 0 {
			return fault.New(fault.Denied, "NotForYou", "The node %q is not this host (any more).", name)
		}
		return tx.Save(&certificate{Serial: serial, Node: name, Key: key, Expires: expires.UTC()}).Error
	})
}

// Revoked is what is revoked, by the number of times and the time of the last.
type Revoked struct {
	Number  int64
	At      time.Time
	Serials []pki.Serial
}

// Revoked returns the certificates that are not to be believed any more.
func (s *Store) Revoked(ctx context.Context) (r Revoked, err error) {
	var rows []certificate
	err = s.db.Read(ctx, func(tx *gorm.DB) error { return tx.Where("revoked > 0").Order("revoked, serial").Find(&rows).Error })
	for _, c := range rows {
		r.Serials = append(r.Serials, c.Serial)
		r.Number, r.At = c.Revoked, *c.RevokedAt
	}
	return r, err
}

// revoke takes back the certificates of a node, but for those of one key.
func revoke(tx *gorm.DB, name, but string, now time.Time) error {
	var last int64
	if err := tx.Model(&certificate{}).Select("COALESCE(MAX(revoked), 0)").Scan(&last).Error; err != nil {
		return err
	}
	return tx.Model(&certificate{}).Where("node = ? AND key <> ? AND revoked = 0", name, but).
		Updates(map[string]any{"revoked": last + 1, "revoked_at": now.UTC()}).Error
}
