package store

import "time"

// A Trail writes the events of an account into a bucket.
type Trail struct {
	ARN     string `gorm:"column:arn;primaryKey"`
	Account string
	Name    string
	Bucket  string
	Prefix  string
	Global  bool   // as it was asked for: IncludeGlobalServiceEvents
	Every   bool   // as it was asked for: IsMultiRegionTrail
	Tags    Labels `gorm:"serializer:json"`
	Created time.Time

	Logging bool
	Started *time.Time
	Stopped *time.Time

	Done      int64  // events up to this place are written, or not wanted
	UpTo      int64  // those up to this one are being written
	Object    string // under this key; "": none are
	Delivered *time.Time
	Failure   string // of the last try; "": none
	Tried     *time.Time
}

// TableName names the table.
func (Trail) TableName() string { return "trails" }

// Trail returns a trail of an account by name.
func (t *Tx) Trail(account, name string) (*Trail, error) {
	return one[Trail](t.g.Where("account = ? AND name = ?", account, name),
		missing("TrailNotFoundException", "Unknown trail: %s for the user: %s", name, account))
}

// Trails returns the trails of an account by name.
func (t *Tx) Trails(account string) ([]Trail, error) {
	return many[Trail](t.owned(account), "name, account")
}
