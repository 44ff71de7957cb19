// Package store holds the records of a blockstore: what it has promised and
// how far it has come. What is on the disk, what is served and what is in
// walrus is looked at there; a record only says what cannot be seen, such as
// the highest epoch of a volume or which layer a snapshot froze.
//
// Each method is one transaction. When it returns nil, it is on disk.
package store

import (
	"context"
	"embed"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"karri/shared/db"
	"karri/shared/fault"
	"karri/shared/id"
)

//go:embed *.sql
var migrations embed.FS

// Store is the open records.
type Store struct {
	db *db.DB
	// Pass is called before and after each change; tests crash there.
	Pass func()
}

// Open opens the records in a file, made if need be.
func Open(ctx context.Context, path string) (*Store, error) {
	d, err := db.Open(ctx, path, migrations)
	if err != nil {
		return nil, err
	}
	return &Store{db: d, Pass: func() {}}, nil
}

// Close closes the file.
func (s *Store) Close() { s.db.Close() }

// Check tells whether the records can be read.
func (s *Store) Check(ctx context.Context) error { return s.db.Check(ctx) }

// change is one transaction with the places to crash around it.
func (s *Store) change(ctx context.Context, f func(tx *gorm.DB) error) error {
	s.Pass()
	err := s.db.Transact(ctx, f)
	s.Pass()
	return err
}

// put writes a whole row, new or not.
func put[T any](tx *gorm.DB, row T) error {
	return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
}

// take returns the row with a key; nil when there is none.
func take[T any](ctx context.Context, s *Store, column, key string) (*T, error) {
	var row T
	err := s.db.Read(ctx, func(tx *gorm.DB) error { return tx.Where(column+" = ?", key).Take(&row).Error })
	if errors.Is(err, db.ErrMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &row, nil
}

func all[T any](ctx context.Context, s *Store, order string) ([]T, error) {
	var rows []T
	err := s.db.Read(ctx, func(tx *gorm.DB) error { return tx.Order(order).Find(&rows).Error })
	return rows, err
}

// Volume is a volume that is to be, or was, made.
type Volume struct {
	ID           id.Volume `gorm:"primaryKey"`
	SizeGiB      int       `gorm:"column:size_gib"`
	Made         bool      // its bytes were there: if they are not now, they are lost
	Reason       string    // why it cannot be had
	LastSnapshot id.Snapshot
	LastLayer    int // the layers up to this one hold what LastSnapshot has
}

// Volumes returns all volumes.
func (s *Store) Volumes(ctx context.Context) ([]Volume, error) { return all[Volume](ctx, s, "id") }

// Volume returns a volume; nil: there is no record of it.
func (s *Store) Volume(ctx context.Context, v id.Volume) (*Volume, error) {
	return take[Volume](ctx, s, "id", string(v))
}

// PutVolume writes a volume.
func (s *Store) PutVolume(ctx context.Context, v Volume) error {
	return s.change(ctx, func(tx *gorm.DB) error { return put(tx, v) })
}

// ForgetVolume removes a volume's record and its epochs.
func (s *Store) ForgetVolume(ctx context.Context, v id.Volume) error {
	return s.change(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("volume = ?", v).Delete(&Export{}).Error; err != nil {
			return err
		}
		return tx.Where("id = ?", v).Delete(&Volume{}).Error
	})
}

// Export is the highest epoch that was ever granted of a volume.
type Export struct {
	Volume    id.Volume `gorm:"primaryKey"`
	Epoch     uint64
	Node      string
	Port      int
	Authority string
	Served    bool // it was, at least once
	Ended     bool // and is never to be served again
}

// Exports returns the exports of all volumes.
func (s *Store) Exports(ctx context.Context) ([]Export, error) {
	return all[Export](ctx, s, "volume")
}

// Export returns the export of a volume; nil: there never was one.
func (s *Store) Export(ctx context.Context, v id.Volume) (*Export, error) {
	return take[Export](ctx, s, "volume", string(v))
}

// OldEpoch is the fault of a grant that is not higher than every one before.
var OldEpoch = fault.New(fault.Conflict, "OldEpoch", "This epoch of the volume, or a higher one, was granted before.")

// Grant writes a new epoch of a volume. It must be higher than any before, and
// that one must have ended.
func (s *Store) Grant(ctx context.Context, e Export) error {
	return s.change(ctx, func(tx *gorm.DB) error {
		var old Export
		err := db.Translate(tx.Where("volume = ?", e.Volume).Take(&old).Error)
		if err == nil && (old.Epoch >= e.Epoch || !old.Ended) {
			return OldEpoch
		}
		if err != nil && !errors.Is(err, db.ErrMissing) {
			return err
		}
		return put(tx, e)
	})
}

// MarkExport writes how far an epoch has come. One that has ended stays so.
func (s *Store) MarkExport(ctx context.Context, v id.Volume, epoch uint64, served, ended bool) error {
	return s.change(ctx, func(tx *gorm.DB) error {
		return tx.Model(&Export{}).Where("volume = ? AND epoch = ?", v, epoch).
			Updates(map[string]any{"served": gorm.Expr("served OR ?", served), "ended": gorm.Expr("ended OR ?", ended)}).Error
	})
}

// A State is how far a snapshot has come.
type State string

// The states of a snapshot. Only those that are neither Done, Broken nor Gone
// are unfinished: they need their layers as they are.
const (
	Freezing State = "freezing" // Layer is to be frozen
	Frozen   State = "frozen"   // its pieces are to be put
	Whole    State = "whole"    // its manifest is in walrus; its layers can be merged
	Done     State = "done"     // and are
	Leaving  State = "leaving"  // its manifest is gone; its layers can be merged
	Broken   State = "broken"   // it cannot be had
	Gone     State = "gone"     // nothing of it is left
)

// Snapshot is a snapshot in the making, made or removed.
type Snapshot struct {
	ID     id.Snapshot `gorm:"primaryKey"`
	Volume id.Volume
	State  State
	Layer  int         // the layers up to this one are what it has
	Parent id.Snapshot // and those up to Since are what this one has
	Since  int
	Frozen *time.Time // the instant whose bytes it has
	Reason string
}

// Unfinished reports whether the snapshot needs its layers as they are.
func (s Snapshot) Unfinished() bool {
	return s.State != Done && s.State != Broken && s.State != Gone
}

// Snapshots returns all snapshots, those of one volume in their order.
func (s *Store) Snapshots(ctx context.Context) ([]Snapshot, error) {
	return all[Snapshot](ctx, s, "volume, layer, id")
}

// Snapshot returns a snapshot; nil: there is no record of it.
func (s *Store) Snapshot(ctx context.Context, snap id.Snapshot) (*Snapshot, error) {
	return take[Snapshot](ctx, s, "id", string(snap))
}

// Unfinished returns the snapshots that are unfinished, of one volume or, when
// it is empty, of all.
func (s *Store) Unfinished(ctx context.Context, v id.Volume) ([]Snapshot, error) {
	var rows []Snapshot
	err := s.db.Read(ctx, func(tx *gorm.DB) error {
		tx = tx.Where("state NOT IN ?", []State{Done, Broken, Gone}).Order("layer, id")
		if v != "" {
			tx = tx.Where("volume = ?", v)
		}
		return tx.Find(&rows).Error
	})
	return rows, err
}

// Freezes is the fault of a plan to freeze a volume that is just being frozen.
var Freezes = fault.New(fault.Later, "SnapshotInProgress", "Another snapshot of the volume is just being taken.")

// Plan writes that a snapshot will freeze a layer of its volume, whose last
// snapshot it thereby becomes.
func (s *Store) Plan(ctx context.Context, snap id.Snapshot, v id.Volume, layer int) error {
	err := s.change(ctx, func(tx *gorm.DB) error {
		var vol Volume
		if err := tx.Where("id = ?", v).Take(&vol).Error; err != nil {
			return err
		}
		row := Snapshot{ID: snap, Volume: v, State: Freezing, Layer: layer, Parent: vol.LastSnapshot, Since: vol.LastLayer}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		vol.LastSnapshot, vol.LastLayer = snap, layer
		return put(tx, vol)
	})
	if errors.Is(err, db.ErrExists) {
		return Freezes.Because(err)
	}
	return err
}

// PutSnapshot writes a snapshot.
func (s *Store) PutSnapshot(ctx context.Context, row Snapshot) error {
	return s.change(ctx, func(tx *gorm.DB) error { return put(tx, row) })
}

// Bury marks a snapshot as gone and makes a sweep due.
func (s *Store) Bury(ctx context.Context, row Snapshot, sweep time.Time) error {
	row.State = Gone
	return s.change(ctx, func(tx *gorm.DB) error {
		if err := put(tx, row); err != nil {
			return err
		}
		return put(tx, Chore{Sweep, sweep.UTC()})
	})
}

// ForgetSnapshot removes the record of a snapshot that is gone.
func (s *Store) ForgetSnapshot(ctx context.Context, snap id.Snapshot) error {
	return s.change(ctx, func(tx *gorm.DB) error {
		return tx.Where("id = ? AND state = ?", snap, Gone).Delete(&Snapshot{}).Error
	})
}

// Chore is work that is due at a time.
type Chore struct {
	Name string `gorm:"primaryKey"`
	Due  time.Time
}

// Sweep is the chore of removing the pieces that no snapshot names.
const Sweep = "sweep"

// Due returns when a chore is due; zero: it is not.
func (s *Store) Due(ctx context.Context, chore string) (time.Time, error) {
	c, err := take[Chore](ctx, s, "name", chore)
	if err != nil || c == nil {
		return time.Time{}, err
	}
	return c.Due, nil
}

// SetDue writes when a chore is due; zero: it is done.
func (s *Store) SetDue(ctx context.Context, chore string, at time.Time) error {
	return s.change(ctx, func(tx *gorm.DB) error {
		if at.IsZero() {
			return tx.Where("name = ?", chore).Delete(&Chore{}).Error
		}
		return put(tx, Chore{chore, at.UTC()})
	})
}
