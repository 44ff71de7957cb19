package store

import (
	"fmt"

	"gorm.io/gorm"
)

// sealedIn are the tables with a sealed secret, and the column that it is
// sealed for.
var sealedIn = []struct{ table, name string }{
	{"access_keys", "id"}, {"mfa_devices", "serial"}, {"server_certificates", "id"}, {"trail_keys", "id"}, {"webhooks", "id"},
}

// A SealedRow is a secret of any kind.
type SealedRow struct {
	Kind   int // place among the kinds
	Name   string
	Sealed []byte
}

// Sealed returns up to max secrets that come after one, in a fixed order; nil:
// from the first one on.
func (t *Tx) Sealed(after *SealedRow, max int) ([]SealedRow, error) {
	var all []SealedRow
	for kind, in := range sealedIn {
		if after != nil && kind < after.Kind || len(all) >= max {
			continue
		}
		from := ""
		if after != nil && kind == after.Kind {
			from = after.Name
		}
		var rows []SealedRow
		err := t.g.Raw("SELECT "+in.name+" AS name, sealed FROM "+in.table+" WHERE "+in.name+" > ? ORDER BY "+in.name+" LIMIT ?", from, max-len(all)).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("read the secrets of %s: %w", in.table, err)
		}
		for _, r := range rows {
			r.Kind = kind
			all = append(all, r)
		}
	}
	return all, nil
}

// Reseal puts another sealing of the same secret in place of the one in r.
func (t *Tx) Reseal(r SealedRow, sealed []byte) error {
	in := sealedIn[r.Kind]
	q := t.g.Session(&gorm.Session{}).Exec("UPDATE "+in.table+" SET sealed = ? WHERE "+in.name+" = ?", sealed, r.Name)
	if q.Error != nil {
		return fmt.Errorf("seal %s of %s anew: %w", r.Name, in.table, q.Error)
	}
	return nil
}
