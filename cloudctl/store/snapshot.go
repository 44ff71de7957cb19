package store

import (
	"time"

	"karri/shared/id"
	"karri/shared/wire"
)

// A Snapshot is the bytes of a volume at one instant, kept in walrus.
type Snapshot struct {
	ID          id.Snapshot `gorm:"primaryKey"`
	Account     string
	Volume      id.Volume
	Zone        string // whose blockstore made it
	SizeGiB     int    `gorm:"column:size_gib"` // of the volume
	Description string
	Want        wire.Want // Present or Gone
	Started     time.Time

	Done    bool   // seen whole in walrus: from then on it is completed
	Failure string // why it cannot be had; not empty: it has failed for good
	Creator string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (Snapshot) TableName() string { return "snapshots" }

// Snapshot returns a snapshot by id; one that is being removed is not found.
func (t *Tx) Snapshot(account string, snapshot id.Snapshot) (*Snapshot, error) {
	return one[Snapshot](t.owned(account).Where("id = ? AND want = ?", snapshot, wire.Present),
		missing("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", snapshot))
}

// SnapshotsOf returns the wanted snapshots of an account.
func (t *Tx) SnapshotsOf(account string) ([]Snapshot, error) {
	return many[Snapshot](t.owned(account).Where("want = ?", wire.Present), "started, id")
}

// SnapshotsIn returns the snapshots that the blockstore of a zone must know
// of, those to be removed included.
func (t *Tx) SnapshotsIn(zone string) ([]Snapshot, error) {
	return many[Snapshot](t.g.Where("zone = ?", zone), "id")
}

// SnapshotRow returns a snapshot by id, wanted or not; for its keeper.
func (t *Tx) SnapshotRow(snapshot id.Snapshot) (*Snapshot, error) {
	return one[Snapshot](t.g.Where("id = ?", snapshot),
		missing("InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", snapshot))
}

// VolumesFrom returns the volumes that are still being made from a snapshot:
// it may not go before they have its bytes.
func (t *Tx) VolumesFrom(snapshot id.Snapshot) ([]Volume, error) {
	return many[Volume](t.g.Where("snapshot = ? AND want = ? AND NOT ready", snapshot, wire.Present), "id")
}

// UnsettledSnapshots returns the snapshots that have something to be waited for.
func (t *Tx) UnsettledSnapshots() ([]Snapshot, error) {
	return many[Snapshot](t.g.Where("want = ? OR (NOT done AND failure = '')", wire.Gone), "id")
}
