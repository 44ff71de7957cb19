package access

import "slices"

// A Permission is what a grant gives.
type Permission string

// The permissions.
const (
	FullControl Permission = "FULL_CONTROL"
	Read        Permission = "READ"
	Write       Permission = "WRITE"
	ReadACP     Permission = "READ_ACP"  // read the list itself
	WriteACP    Permission = "WRITE_ACP" // replace it
)

// The groups that a grant may be to, as they are written.
const (
	AllUsers           = "http://acs.amazonaws.com/groups/global/AllUsers"
	AuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
	LogDelivery        = "http://acs.amazonaws.com/groups/s3/LogDelivery"
)

var (
	permissions = []Permission{FullControl, Read, Write, ReadACP, WriteACP}
	groups      = []string{AllUsers, AuthenticatedUsers, LogDelivery}
)

const maxGrants = 100

// A Grant gives one permission to an account or a group.
type Grant struct {
	ID         string     `json:"id,omitempty"` // canonical id of the account
	Group      string     `json:"group,omitempty"`
	Permission Permission `json:"permission"`
}

// An ACL is an access control list. That of an object without one says that
// its owner has full control.
type ACL struct {
	Owner  string  `json:"owner"` // canonical id
	Grants []Grant `json:"grants,omitempty"`
}

// Private returns the list that gives the owner, an account, full control.
func Private(owner string) *ACL {
	id := Canonical(owner)
	return &ACL{Owner: id, Grants: []Grant{{ID: id, Permission: FullControl}}}
}

// Canned makes the list that a name stands for. The owner and the owner of the
// bucket are accounts; for the list of a bucket they are the same and object
// is false. ok is false when there is no such name.
func Canned(name, owner, bucketOwner string, object bool) (acl *ACL, ok bool) {
	acl = Private(owner)
	group := func(g string, ps ...Permission) {
		for _, p := range ps {
			acl.Grants = append(acl.Grants, Grant{Group: g, Permission: p})
		}
	}
	other := func(account string, p Permission) {
		if id := Canonical(account); id != acl.Owner {
			acl.Grants = append(acl.Grants, Grant{ID: id, Permission: p})
		}
	}
	switch name {
	case "private":
	case "public-read":
		group(AllUsers, Read)
	case "public-read-write":
		group(AllUsers, Read, Write)
	case "authenticated-read":
		group(AuthenticatedUsers, Read)
	case "aws-exec-read":
		other(cloudAccount, Read)
	case "bucket-owner-read":
		other(bucketOwner, Read) // that of a bucket: its owner, so nothing
	case "bucket-owner-full-control":
		other(bucketOwner, FullControl)
	case "log-delivery-write":
		if object {
			return nil, false
		}
		group(LogDelivery, Write, ReadACP)
	default:
		return nil, false
	}
	return acl, true
}

// cloudAccount is the account of the cloud itself, which reads images.
const cloudAccount = "000000000000"

// Public reports whether the list lets more than named accounts in.
func (a *ACL) Public() bool {
	return a != nil && slices.ContainsFunc(a.Grants, Grant.public)
}

func (g Grant) public() bool { return g.Group == AllUsers || g.Group == AuthenticatedUsers }

// gives reports whether the list gives a caller the permission.
func (a *ACL) gives(id string, logging bool, p Permission, ignorePublic bool) bool {
	for _, g := range a.Grants {
		if g.Permission != p && g.Permission != FullControl || ignorePublic && g.public() {
			continue
		}
		switch {
		case g.Group == AllUsers,
			g.Group == AuthenticatedUsers && id != "",
			g.Group == LogDelivery && logging,
			g.ID != "" && g.ID == id:
			return true
		}
	}
	return false
}

// OwnerHasAll reports whether the list is nothing but the owner's full
// control, or, of an object in the bucket of another account, gives that
// account full control too. A bucket that does not allow lists takes these.
func (a *ACL) OwnerHasAll(bucketOwner string) bool {
	owner := Canonical(bucketOwner)
	for _, g := range a.Grants {
		if g.Group != "" || g.Permission != FullControl || g.ID != owner && g.ID != a.Owner {
			return false
		}
	}
	return a.Owner == owner || slices.Contains(a.Grants, Grant{ID: owner, Permission: FullControl})
}
