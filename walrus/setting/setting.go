// Package setting knows what the settings of a bucket mean.
//
// Each setting is a type that is read from the document that S3 defines for
// it, strictly: an element that S3 does not know is an error, and so is one
// that this store knows and does not obey. What is kept is the canonical form
// of what was read (Render), so that reading and rendering once more changes
// nothing. The methods of a type are the pure functions that obey it: they know
// no clock and no disk, and the service and the mill call the same ones.
//
// A setting is kept in the bucket's row under the name of its sub-resource
// ("cors", "lifecycle"), of which there may be several under names that go on
// ("inventory/ID"). Cache reads the documents of a row once. A document in a row
// that cannot be read is damage: the bucket is refused, never served as if the
// setting were absent.
package setting

import (
	"slices"
	"strings"

	"karri/shared/fault"
	"karri/walrus/access"
	"karri/walrus/index"
)

// All is every setting of one bucket; what is not set is nil. It is shared and
// must not be changed.
type All struct {
	Policy       *access.Policy
	ACL          *access.ACL
	PublicAccess *access.PublicAccessBlock
	Ownership    *access.Ownership

	CORS         *CORS
	Encryption   *Encryption
	Inventories  []*Inventory // by id
	Lifecycle    *Lifecycle
	Lock         *Lock // of every bucket with object lock, even without default retention
	Logging      *Logging
	Notification *Notification
	Replication  *Replication
	Tags         []Tag
	Website      *Website
}

// inventories is how the names of inventories begin.
const inventories = "inventory/"

// InventoryName returns the name that an inventory is kept under.
func InventoryName(id string) string { return inventories + id }

// kinds reads each setting by its name.
var kinds = map[string]func(*All, []byte) error{
	"acl":               plain(access.ParseACL, func(a *All) **access.ACL { return &a.ACL }),
	"publicAccessBlock": plain(access.ParsePublicAccessBlock, func(a *All) **access.PublicAccessBlock { return &a.PublicAccess }),
	"ownershipControls": plain(access.ParseOwnershipControls, func(a *All) **access.Ownership { return &a.Ownership }),

	"cors":         kind(func(a *All) **CORS { return &a.CORS }),
	"encryption":   kind(func(a *All) **Encryption { return &a.Encryption }),
	"lifecycle":    kind(func(a *All) **Lifecycle { return &a.Lifecycle }),
	"object-lock":  kind(func(a *All) **Lock { return &a.Lock }),
	"logging":      kind(func(a *All) **Logging { return &a.Logging }),
	"notification": kind(func(a *All) **Notification { return &a.Notification }),
	"replication":  kind(func(a *All) **Replication { return &a.Replication }),
	"website":      kind(func(a *All) **Website { return &a.Website }),
	"tagging": func(a *All, doc []byte) error {
		t, err := Parse[BucketTagging](doc)
		if err == nil {
			a.Tags = t.TagSet.Tags
		}
		return err
	},
}

func kind[T any, P Document[T]](field func(*All) **T) func(*All, []byte) error {
	return plain(Parse[T, P], field)
}

func plain[T any](parse func([]byte) (*T, error), field func(*All) **T) func(*All, []byte) error {
	return func(a *All, doc []byte) error {
		v, err := parse(doc)
		*field(a) = v
		return err
	}
}

// Read reads all settings of a bucket from the documents in its row.
func Read(b *index.Bucket) (*All, error) {
	a := &All{}
	for name, doc := range b.Settings {
		read := kinds[name]
		switch {
		case name == "policy": // which speaks of the bucket by name
			read = plain(func(doc []byte) (*access.Policy, error) { return access.ParsePolicy(doc, b.Name) }, func(a *All) **access.Policy { return &a.Policy })
		case strings.HasPrefix(name, inventories):
			read = (*All).readInventory
		}
		if read == nil {
			return nil, fault.New(fault.Broken, "InternalError", "The bucket has a setting that is not known: %s.", name)
		}
		if err := read(a, doc); err != nil {
			return nil, fault.New(fault.Broken, "InternalError", "The bucket's setting %s is damaged.", name).Because(err)
		}
	}
	if b.Locked && a.Lock == nil {
		a.Lock = &Lock{Status: "Enabled"}
	}
	slices.SortFunc(a.Inventories, func(x, y *Inventory) int { return strings.Compare(x.ID, y.ID) })
	return a, nil
}

func (a *All) readInventory(doc []byte) error {
	v, err := Parse[Inventory](doc)
	a.Inventories = append(a.Inventories, v)
	return err
}

// A Switch is on or off.
type Switch string

// What a Switch can be.
const (
	Enabled  Switch = "Enabled"
	Disabled Switch = "Disabled"
)

func (Switch) values() string { return "Enabled Disabled" }

func invalidArgument(format string, args ...any) error {
	return fault.New(fault.Invalid, "InvalidArgument", format, args...)
}

func invalidRequest(format string, args ...any) error {
	return fault.New(fault.Invalid, "InvalidRequest", format, args...)
}

func notImplemented(format string, args ...any) error {
	return fault.New(fault.Invalid, "NotImplemented", format, args...)
}

// longID refuses the id of a rule that is longer than S3 allows.
func longID(id string) error {
	if len([]rune(id)) > 255 {
		return invalidArgument("ID length should not exceed allowed limit of 255")
	}
	return nil
}
