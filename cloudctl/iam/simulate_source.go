package iam

import (
	"context"
	"strings"

	"karri/cloudctl/rights"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/identity"
)

// source returns the user, group or role that an ARN of the account names, with
// all of its policies.
func source(tx *store.Tx, account, arn string) (*identity.Identity, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "iam" {
		return nil, fault.New(fault.Invalid, "InvalidInput", "Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	kind, _, _ := strings.Cut(parts[5], "/")
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	none := fault.New(fault.Missing, "NoSuchEntity", "The entity %s cannot be found.", arn)
	if parts[4] != account {
		return nil, none
	}
	a, err := tx.Account(account)
	if err != nil {
		return nil, err
	}
	var i *identity.Identity
	switch kind {
	case "user":
		u, err := tx.User(account, name)
		if err != nil {
			return nil, err
		}
		if u.ARN() != arn {
			return nil, none
		}
		i, err = rights.User(tx, a, u)
		if err != nil {
			return nil, err
		}
	case "group":
		g, err := tx.UserGroup(account, name)
		if err != nil {
			return nil, err
		}
		if g.ARN() != arn {
			return nil, none
		}
		if i, err = rights.Group(tx, a, g); err != nil {
			return nil, err
		}
	case "role":
		r, err := tx.RoleByARN(arn)
		if err != nil {
			return nil, err
		}
		if i, err = rights.Role(tx, a, r); err != nil {
			return nil, err
		}
	default:
		return nil, fault.New(fault.Invalid, "InvalidInput", "Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	return i, nil
}

// onSource is the On of an action on what an ARN names.
func onSource[In any](arn func(in *In) string) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return func(_ context.Context, _ *API, who action.Caller, in *In) ([]action.Resource, error) {
		return []action.Resource{{ARN: arn(in), Owner: who.Account}}, nil
	}
}
