package action

import (
	"context"

	"karri/shared/fault"
)

// A Policy decides whether a caller may use resources for a permission such as
// ec2:RunInstances. It answers a Denied fault when not.
type Policy interface {
	Allow(ctx context.Context, who Caller, permission string, on []Resource) error
}

// OwnerOnly lets an account use what it owns and what is public, and an
// administrator everything.
type OwnerOnly struct{}

// Allow implements Policy.
func (OwnerOnly) Allow(_ context.Context, who Caller, permission string, on []Resource) error {
	if who.Admin {
		return nil
	}
	for _, r := range on {
		if !r.Public && (who.Account == "" || r.Owner != who.Account) {
			return fault.New(fault.Denied, "UnauthorizedOperation", "You are not authorized to perform %s on %s.", permission, r.ARN)
		}
	}
	return nil
}
