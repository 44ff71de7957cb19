package s3

import (
	"slices"
	"strings"

	"karri/shared/fault"
	"karri/walrus/access"
	"karri/walrus/index"
	"karri/walrus/setting"
)

// owner gives an account in the form that S3 names users by.
func owner(account string) ownerXML {
	return ownerXML{ID: access.Canonical(account), DisplayName: account}
}

// names returns what a list calls those whose accounts are known anyway.
func names(accounts ...string) func(id string) string {
	return func(id string) string {
		for _, a := range accounts {
			if a != "" && access.Canonical(a) == id {
				return a
			}
		}
		return ""
	}
}

// header returns the values of a header, joined.
func (c *call) header(name string) string { return strings.Join(c.r.Header.Values(name), ",") }

// enforced reports whether the bucket allows no lists.
func (c *call) enforced() bool { return c.ownership(c.settings) == access.OwnerEnforced }

// wantedACL reads the list that a request to set one brings, in headers or as
// its body. The owners are accounts.
func (c *call) wantedACL(owner string, object bool) (*access.ACL, error) {
	acl, err := access.Asked(c.header, owner, c.b.Owner, object)
	if err != nil {
		return nil, err
	}
	doc, err := c.readDocument()
	switch {
	case err != nil:
		return nil, err
	case acl != nil && len(doc) > 0:
		return nil, fault.New(fault.Invalid, "UnexpectedContent", "This request does not support content")
	case acl == nil && len(doc) == 0:
		return nil, fault.New(fault.Invalid, "MissingSecurityHeader", "Your request was missing a required header")
	case acl == nil:
		if acl, err = access.ParseACL(doc); err != nil {
			return nil, err
		}
		if acl.Owner != access.Canonical(owner) { // who owns a thing cannot be changed
			return nil, accessDenied
		}
	}
	return acl, c.admits(acl, c.settings)
}

// admits refuses a list that a bucket with these settings does not take.
func (c *call) admits(acl *access.ACL, s *setting.All) error {
	switch block := s.PublicAccess; {
	case c.ownership(s) == access.OwnerEnforced && !acl.OwnerHasAll(c.b.Owner):
		return access.ACLsDisabled
	case block != nil && block.BlockPublicAcls && acl.Public():
		return access.Blocked
	}
	return nil
}

// readDocument reads a body whole, and proves its digests.
func (c *call) readDocument() ([]byte, error) {
	d, err := c.digests()
	if err != nil {
		return nil, err
	}
	doc, err := c.readBody(d)
	if err != nil {
		return nil, err
	}
	return doc, d.prove(c.body)
}

// ownerOf returns the account that an object is of.
func (c *call) ownerOf(e *index.Entry) string {
	if e.Owner == "" || c.enforced() {
		return c.b.Owner
	}
	return e.Owner
}

// disown leaves out of a listing who put the objects, where all of them are the
// bucket owner's.
func (c *call) disown(entries []index.Entry) {
	if c.enforced() {
		for i := range entries {
			entries[i].Owner = ""
		}
	}
}

// given returns who will own the object that the request makes, and the list
// that its headers give it; nil for the owner's alone.
func (c *call) given() (owner string, acl *access.ACL, err error) {
	writer := c.principal(true).Account
	rule := c.ownership(c.settings)
	name := writer
	if name == "" {
		name = c.b.Owner
	}
	if acl, err = access.Asked(c.header, name, c.b.Owner, true); err != nil {
		return "", nil, err
	}
	owner = rule.Of(writer, c.b.Owner, acl)
	if acl == nil {
		return owner, nil, nil
	}
	if err := c.admits(acl, c.settings); err != nil {
		return "", nil, err
	}
	// A service of the cloud that gives the bucket's owner all gives nobody else
	// anything; policies that let it in name the put alone.
	if c.who.Service == "" || !acl.OwnerHasAll(c.b.Owner) {
		if err := c.demand("s3:PutObjectAcl"); err != nil {
			return "", nil, err
		}
	}
	if private := access.Private(owner); owner != name || c.enforced() || slices.Equal(acl.Grants, private.Grants) {
		return owner, nil, nil
	}
	return owner, acl, nil
}
