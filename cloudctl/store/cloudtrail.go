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

	Proven          bool       // digests are written: EnableLogFileValidation
	DigestFrom      *time.Time // end of the last one
	DigestTo        *time.Time // end of the one that is being written
	DigestObject    string     // under this key; "": none is
	DigestDelivered *time.Time
	DigestFailure   string
	DigestTried     *time.Time
	// The last one that was written; "": none.
	LastBucket, LastObject, LastHash, LastSignature string
}

// A TrailFile is a file of a trail that no digest names yet, or the one that is
// being written.
type TrailFile struct {
	Trail  string `gorm:"primaryKey"` // ARN
	Object string `gorm:"primaryKey"`
	Bucket string
	Hash   string // of what is in it, in hexadecimal
	Oldest time.Time
	Newest time.Time
	Digest string // key of the digest; "": the next one
}

// TableName names the table.
func (TrailFile) TableName() string { return "trail_files" }

// A TrailKey signs digests.
type TrailKey struct {
	ID      string `gorm:"primaryKey"` // fingerprint
	Public  []byte // PKCS #1
	Sealed  []byte // the private key
	Created time.Time
	Expires time.Time
}

// TableName names the table.
func (TrailKey) TableName() string { return "trail_keys" }

// TrailKeys returns the keys that sign digests, the newest last.
func (t *Tx) TrailKeys() ([]TrailKey, error) { return many[TrailKey](t.g, "created, id") }

// TrailFiles returns the files of a trail that a digest names, in order.
func (t *Tx) TrailFiles(trail, digest string) ([]TrailFile, error) {
	return many[TrailFile](t.g.Where("trail = ? AND digest = ?", trail, digest), "newest, object")
}

// Digest puts the files of a trail that no digest names into one.
func (t *Tx) Digest(trail, digest string) error {
	return wrap("digest", &TrailFile{}, t.g.Model(&TrailFile{}).Where("trail = ? AND digest = ''", trail).Update("digest", digest).Error)
}

// Digested forgets the files that a digest names.
func (t *Tx) Digested(trail, digest string) error {
	return wrap("drop", &TrailFile{}, t.g.Where("trail = ? AND digest = ?", trail, digest).Delete(&TrailFile{}).Error)
}

// Undigest forgets all files of a trail.
func (t *Tx) Undigest(trail string) error {
	return wrap("drop", &TrailFile{}, t.g.Where("trail = ?", trail).Delete(&TrailFile{}).Error)
}

// DropTrail forgets a trail and its files.
func (t *Tx) DropTrail(trail *Trail) error {
	if err := t.Undigest(trail.ARN); err != nil {
		return err
	}
	return t.Drop(trail)
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
