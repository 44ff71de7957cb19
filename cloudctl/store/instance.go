package store

import (
	"time"

	"karri/shared/id"
	"karri/shared/wire"
)

// An Instance is a virtual machine: what its owner wants, and what must be
// remembered of what was seen after the report that said it is gone.
type Instance struct {
	ID          id.Instance `gorm:"primaryKey"`
	Account     string
	Reservation id.Reservation
	Number      int // ami-launch-index
	Zone        string
	ClientToken string

	Want      wire.Want // Running, Stopped or Gone
	Force     bool      // stop without asking the guest
	Reboots   uint64    // how often a reboot was asked
	Launched  time.Time // last asked to run
	Created   time.Time
	Asked     string // state reason code of the last wish to stop or end: Client.UserInitiatedShutdown
	AskedText string // its sentence
	AskedAt   time.Time

	Type      string
	VCPUs     int `gorm:"column:vcpus"`
	MemoryMiB int `gorm:"column:memory_mib"`
	DiskGiB   int `gorm:"column:disk_gib"`
	// Image is the image as it was when the instance was made; it stays usable
	// when its owner deregisters it.
	Image      wire.Image `gorm:"serializer:json"`
	ImageID    id.Image
	RootDevice string

	KeyName   string
	PublicKey string
	UserData  []byte
	Metadata  wire.MetadataOptions `gorm:"serializer:json"`
	OnShut    string               // what a shutdown from within means: stop or terminate
	Protected bool                 // DisableApiTermination
	Unstopped bool                 // DisableApiStop

	Ran     bool      // seen running since Launched
	Started time.Time // when that was first seen
	Node    string    // where it was last seen
	Rested  bool      // seen stopped since it was asked to stop
	Failure string    // state reason code of a failure for good: Server.InternalError
	Freed   bool      // ended, and all that it held was given back
	Ended   time.Time // when that was; zero: not yet

	Creator   string     // id of the user or role that made it; "": the account itself
	Expires   *time.Time // when a policy ends it; nil: never
	ExpiresBy string     // name of that policy
}

// TableName names the table.
func (Instance) TableName() string { return "instances" }

// Instance returns an instance by id, terminated ones included while they are
// still listed.
func (t *Tx) Instance(account string, instance id.Instance) (*Instance, error) {
	return one[Instance](t.owned(account).Where("id = ?", instance),
		missing("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", instance))
}

// InstancesOf returns the instances of an account, in the order in which they
// were made.
func (t *Tx) InstancesOf(account string) ([]Instance, error) {
	return many[Instance](t.owned(account), "created, reservation, number")
}

// InstancesIn returns the instances of a zone that its cluster must still know
// of: all but those that are ended.
func (t *Tx) InstancesIn(zone string) ([]Instance, error) {
	return many[Instance](t.g.Where("zone = ? AND NOT freed", zone), "id")
}

// InstancesOfReservation returns what one RunInstances made.
func (t *Tx) InstancesOfReservation(account string, r id.Reservation) ([]Instance, error) {
	return many[Instance](t.owned(account).Where("reservation = ?", r), "number")
}

// InstancesUsing counts the instances that were made from an image and may
// still need its bytes.
func (t *Tx) InstancesUsing(image id.Image) (int, error) {
	return count[Instance](t.g.Where("image_id = ? AND NOT freed", image))
}

// ListedIn returns the instances of a zone, those that are ended and still
// listed included.
func (t *Tx) ListedIn(zone string) ([]Instance, error) {
	return many[Instance](t.g.Where("zone = ?", zone), "id")
}
