// Package access decides who may do what with a bucket and its objects.
//
// Four things have a say, always together and in one function, Decide: who
// owns the bucket and the object, the bucket's policy (package policy), the
// access control lists of bucket and object, and the two settings that take
// their force away, public access block and object ownership. What none of
// them allows is refused.
//
// The package also knows these settings: it reads their documents strictly,
// with S3's errors, and renders them in one canonical form. It is pure: it
// knows no clock, disk or network, what it makes is never changed afterwards,
// and a crash has nothing to undo.
package access

import (
	"crypto/sha256"
	"encoding/hex"

	"karri/shared/fault"
)

// Canonical returns the name that access control lists have for an account: 64
// digits that are always the same for it. "" has none.
func Canonical(account string) string {
	if account == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("karri canonical user " + account))
	return hex.EncodeToString(sum[:])
}

// What is refused here. Texts are those that S3's clients look for.
var (
	// ACLsDisabled answers who sets a list where only the bucket's owner counts.
	ACLsDisabled = fault.New(fault.Invalid, "AccessControlListNotSupported", "The bucket does not allow ACLs")
	// MalformedACL answers a list that cannot be read.
	MalformedACL = fault.New(fault.Invalid, "MalformedACLError", "The XML you provided was not well-formed or did not validate against our published schema")
	// MalformedXML answers another document that cannot be read.
	MalformedXML = fault.New(fault.Invalid, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	// NoSuchAddress answers a grant by e-mail address, since accounts have none here.
	NoSuchAddress = fault.New(fault.Invalid, "UnresolvableGrantByEmailAddress", "The e-mail address you provided does not match any account on record.")
	// Blocked answers who would make public what a public access block keeps.
	Blocked = fault.New(fault.Denied, "AccessDenied", "Access Denied: the bucket's public access block does not allow this.")
)

func invalidArgument(format string, args ...any) error {
	return fault.New(fault.Invalid, "InvalidArgument", format, args...)
}

func invalidRequest(format string, args ...any) error {
	return fault.New(fault.Invalid, "InvalidRequest", format, args...)
}
