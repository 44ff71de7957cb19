package store

import (
	"time"

	"karri/shared/id"
	"karri/shared/wire"
)

// A Volume is a disk of its own that can be attached to instances of its zone.
type Volume struct {
	ID      id.Volume `gorm:"primaryKey"`
	Account string
	Zone    string
	SizeGiB int         `gorm:"column:size_gib"`
	Type    string      // gp2, gp3, standard: a name only
	From    id.Snapshot `gorm:"column:snapshot"` // made from this one, or empty
	// FromZone is the zone that made the snapshot: where its pieces are.
	FromZone string
	Want     wire.Want // Present or Gone
	Created  time.Time
	Epoch    uint64 // the last that an attachment was given; only grows

	Ready   bool   // seen whole: from then on it is available or in-use
	Failure string // why it cannot be had; not empty: it has failed for good
	Creator string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (Volume) TableName() string { return "volumes" }

// An Attachment is the wish that an instance has a volume. There is at most
// one for each volume, and one for each device name of an instance.
type Attachment struct {
	Volume              id.Volume `gorm:"primaryKey"`
	Instance            id.Instance
	Account             string
	Zone                string
	Device              string    // /dev/sdf
	Want                wire.Want // Attached or Detached
	Force               bool
	Epoch               uint64 // of the export that the instance is to use; 0: none was asked for yet
	DeleteOnTermination bool
	Created             time.Time
	Changed             time.Time // when Want was last changed

	Exported  string // host:port where blockstore serves Epoch; empty: not yet
	Export    string // its name there
	Node      string // the node that the export is for
	Plugged   bool   // the instance was seen to have it
	Unplugged bool   // the instance no longer has it; only the export is left to end
}

// TableName names the table.
func (Attachment) TableName() string { return "attachments" }

// Volume returns a volume by id; one that is being removed is still found.
func (t *Tx) Volume(account string, volume id.Volume) (*Volume, error) {
	return one[Volume](t.owned(account).Where("id = ?", volume),
		missing("InvalidVolume.NotFound", "The volume '%s' does not exist.", volume))
}

// VolumesOf returns the volumes of an account.
func (t *Tx) VolumesOf(account string) ([]Volume, error) {
	return many[Volume](t.owned(account), "created, id")
}

// VolumesIn returns the volumes of a zone.
func (t *Tx) VolumesIn(zone string) ([]Volume, error) {
	return many[Volume](t.g.Where("zone = ?", zone), "id")
}

// VolumeRow returns a volume by id, or nil; for keepers.
func (t *Tx) VolumeRow(volume id.Volume) (*Volume, error) {
	rows, err := many[Volume](t.g.Where("id = ?", volume), "id")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// Attachment returns the attachment of a volume, or nil when it is free.
func (t *Tx) Attachment(volume id.Volume) (*Attachment, error) {
	rows, err := many[Attachment](t.g.Where("volume = ?", volume), "volume")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// AttachmentsOf returns the attachments of an account.
func (t *Tx) AttachmentsOf(account string) ([]Attachment, error) {
	return many[Attachment](t.owned(account), "volume")
}

// AttachmentsOn returns the attachments of an instance.
func (t *Tx) AttachmentsOn(instance id.Instance) ([]Attachment, error) {
	return many[Attachment](t.g.Where("instance = ?", instance), "volume")
}

// AttachmentsIn returns the attachments of a zone.
func (t *Tx) AttachmentsIn(zone string) ([]Attachment, error) {
	return many[Attachment](t.g.Where("zone = ?", zone), "volume")
}
