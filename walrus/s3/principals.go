package s3

import (
	"context"
	"slices"
	"strings"

	"karri/shared/policy"
)

// Principals knows the users and roles of the cloud. A policy that names some
// is kept with their unique ids in the place of the names, so that who comes
// later under the name of one that was deleted is not meant.
type Principals interface {
	// Pin returns a policy as it is kept. It refuses one that names somebody who is
	// not there.
	Pin(ctx context.Context, document []byte) ([]byte, error)
	// Show returns a policy as it is read, from how it is kept.
	Show(ctx context.Context, document []byte) ([]byte, error)
}

// policyKept returns the policy of a bucket as it is kept.
func (c *call) policyKept(p *policy.Policy, document []byte) ([]byte, error) {
	if c.Principals == nil || !speaksOf(p, byARN) {
		return document, nil
	}
	return c.Principals.Pin(c.ctx, document)
}

// policyShown returns the policy of a bucket as it is read.
func (c *call) policyShown(document []byte) ([]byte, error) {
	p, err := policy.Parse(document, policy.Rules{Resource: true})
	if err != nil || c.Principals == nil || !speaksOf(p, policy.PrincipalRef.ByID) {
		return document, err
	}
	return c.Principals.Show(c.ctx, document)
}

func speaksOf(p *policy.Policy, is func(policy.PrincipalRef) bool) bool {
	return slices.ContainsFunc(p.Statements, func(s *policy.Statement) bool { return slices.ContainsFunc(s.Principals, is) })
}

// byARN reports whether a principal is a user, a role or a session of a role.
func byARN(r policy.PrincipalRef) bool {
	_, who, _ := strings.Cut(r.Value, "::")
	_, who, _ = strings.Cut(who, ":")
	return r.ByID() || r.Kind == "AWS" && (strings.HasPrefix(who, "user/") || strings.HasPrefix(who, "role/") || strings.HasPrefix(who, "assumed-role/"))
}
