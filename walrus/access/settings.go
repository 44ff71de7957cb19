package access

import (
	"encoding/xml"
	"slices"
)

// A PublicAccessBlock takes the force of public lists and policies away, or
// refuses them. That of a bucket that has none takes and refuses nothing.
type PublicAccessBlock struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ PublicAccessBlockConfiguration"`
	BlockPublicAcls       bool     // lists that are public are refused
	IgnorePublicAcls      bool     // grants to everyone do not count
	BlockPublicPolicy     bool     // policies that are public are refused
	RestrictPublicBuckets bool     // with a public policy, only the owner's account and services are let in
}

// ParsePublicAccessBlock reads the document.
func ParsePublicAccessBlock(doc []byte) (*PublicAccessBlock, error) {
	root, ok := readXML(doc, "PublicAccessBlockConfiguration")
	if !ok {
		return nil, MalformedXML
	}
	b := &PublicAccessBlock{}
	all := map[string]*bool{"BlockPublicAcls": &b.BlockPublicAcls, "IgnorePublicAcls": &b.IgnorePublicAcls,
		"BlockPublicPolicy": &b.BlockPublicPolicy, "RestrictPublicBuckets": &b.RestrictPublicBuckets}
	f, ok := root.fields("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
	if !ok || len(f) == 0 {
		return nil, MalformedXML
	}
	for name, n := range f {
		v, ok := leaf(n)
		if !ok || !slices.Contains([]string{"true", "false", "TRUE", "FALSE", "True", "False", "1", "0"}, v) {
			return nil, MalformedXML
		}
		*all[name] = v[0] == 't' || v[0] == 'T' || v == "1"
	}
	return b, nil
}

// Render returns the canonical document.
func (b *PublicAccessBlock) Render() ([]byte, error) { return render(b) }

// An Ownership says who owns the objects that other accounts put.
type Ownership string

// The ownerships. Where the bucket's owner is enforced, there are no lists.
const (
	OwnerEnforced  Ownership = "BucketOwnerEnforced"
	OwnerPreferred Ownership = "BucketOwnerPreferred" // of those put with bucket-owner-full-control, the bucket's owner
	ObjectWriter   Ownership = "ObjectWriter"
)

// ParseOwnership reads the word.
func ParseOwnership(word string) (Ownership, error) {
	o := Ownership(word)
	if !slices.Contains([]Ownership{OwnerEnforced, OwnerPreferred, ObjectWriter}, o) {
		return "", invalidArgument("Invalid x-amz-object-ownership header: %s", word)
	}
	return o, nil
}

// OwnershipXML is the document of the ownership controls.
type OwnershipXML struct {
	XMLName xml.Name  `xml:"http://s3.amazonaws.com/doc/2006-03-01/ OwnershipControls"`
	Rule    Ownership `xml:"Rule>ObjectOwnership"`
}

// ParseOwnershipControls reads the document.
func ParseOwnershipControls(doc []byte) (*Ownership, error) {
	root, ok := readXML(doc, "OwnershipControls")
	if !ok {
		return nil, MalformedXML
	}
	f, ok := root.fields("Rule")
	if !ok || f["Rule"] == nil {
		return nil, MalformedXML
	}
	rule, ok := f["Rule"].fields("ObjectOwnership")
	word, plain := leaf(rule["ObjectOwnership"])
	o, err := ParseOwnership(word)
	if !ok || !plain || err != nil {
		return nil, MalformedXML
	}
	return &o, nil
}

// Render returns the canonical document.
func (o Ownership) Render() ([]byte, error) { return render(OwnershipXML{Rule: o}) }

// Of returns who owns an object that a writer, an account, puts with a list
// (nil: it named none) into a bucket.
func (o Ownership) Of(writer, bucketOwner string, acl *ACL) string {
	switch {
	case o == OwnerEnforced,
		o == OwnerPreferred && acl != nil && slices.Contains(acl.Grants, Grant{ID: Canonical(bucketOwner), Permission: FullControl}),
		writer == "": // what nobody owned, nobody could take away
		return bucketOwner
	}
	return writer
}
