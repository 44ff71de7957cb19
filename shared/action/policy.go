package action

import (
	"context"
	"time"

	"karri/shared/fault"
)

// A Policy decides whether a caller may do what it asks for. It answers a
// Denied fault when not.
type Policy interface {
	Allow(ctx context.Context, ask *Ask) error
}

// An Ask is what a Policy decides: may the caller use all of these resources
// for a permission such as ec2:RunInstances.
type Ask struct {
	Who        Caller
	Service    string // "ec2"; it says in which form a refusal is told
	Permission string // of the resources that name none of their own
	On         []Resource
	Facts      Facts
	Tags       Tags
}

// Facts are what a decision needs of the HTTP request.
type Facts struct {
	SourceIP  string
	Secure    bool // over TLS
	UserAgent string
	At        time.Time // when it came
	Region    string    // that it was sent to
}

// OwnerOnly lets an account use what it owns and what is public, and an
// administrator everything.
type OwnerOnly struct{}

// Allow implements Policy.
func (OwnerOnly) Allow(_ context.Context, ask *Ask) error {
	if ask.Who.Admin {
		return nil
	}
	for _, r := range ask.On {
		if !r.Public && (ask.Who.Account == "" || r.Owner != ask.Who.Account) {
			return fault.New(fault.Denied, "UnauthorizedOperation", "You are not authorized to perform %s on %s.", r.permission(ask), r.ARN)
		}
	}
	return nil
}

func (r *Resource) permission(ask *Ask) string {
	if r.Permission != "" {
		return r.Permission
	}
	return ask.Permission
}
