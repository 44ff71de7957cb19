package store

import (
	"time"

	"karri/shared/id"
	"karri/shared/wire"
)

// An Image is a disk that instances start from: a copy, in a bucket of the
// cloud's own, of an object that a user named.
type Image struct {
	ID           id.Image `gorm:"primaryKey"`
	Account      string
	Name         string // unique in the account while it is wanted
	Description  string
	Architecture string
	RootDevice   string    // /dev/sda1
	Bucket       string    // where the user's object was
	Key          string    // its key
	ETag         string    `gorm:"column:etag"` // of the version that was inspected and is to be copied
	Want         wire.Want // Present or Gone
	Created      time.Time

	Format  string // raw or qcow2, by inspection
	Bytes   int64
	GiB     int    `gorm:"column:gib"` // virtual size, rounded up
	Copied  bool   // the cloud's own copy is whole
	SHA256  string `gorm:"column:sha256"` // of the copy; not empty: the image can be used
	Failure string // why it cannot be had; not empty: it has failed for good
	Creator string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (Image) TableName() string { return "images" }

// Image returns an image by id; one being removed is no longer found.
func (t *Tx) Image(account string, image id.Image) (*Image, error) {
	return one[Image](t.owned(account).Where("id = ? AND want = ?", image, wire.Present),
		missing("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", image))
}

// ImagesOf returns the wanted images of an account.
func (t *Tx) ImagesOf(account string) ([]Image, error) {
	return many[Image](t.owned(account).Where("want = ?", wire.Present), "id")
}

// ImageRow returns an image by id, wanted or not; for its keeper.
func (t *Tx) ImageRow(image id.Image) (*Image, error) {
	return one[Image](t.g.Where("id = ?", image), missing("InvalidAMIID.NotFound", "The image id '[%s]' does not exist", image))
}

// UnsettledImages returns the images that have something to be done.
func (t *Tx) UnsettledImages() ([]Image, error) {
	return many[Image](t.g.Where("want = ? OR (sha256 = '' AND failure = '')", wire.Gone), "id")
}
