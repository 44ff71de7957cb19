package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// PutUserPermissionsBoundaryInput names a user and a policy.
type PutUserPermissionsBoundaryInput struct {
	UserName            string
	PermissionsBoundary string
}

var _ = action.Add(Catalog, action.Def[*API, PutUserPermissionsBoundaryInput, action.Nothing]{
	Name:    "PutUserPermissionsBoundary",
	Doc:     "Bounds what a user may, whatever its policies allow, by a managed policy.",
	Example: PutUserPermissionsBoundaryInput{UserName: "ada", PermissionsBoundary: "arn:aws:iam::aws:policy/ReadOnlyAccess"},
	On: on(func(t *things, in *PutUserPermissionsBoundaryInput) error {
		err := t.user(&in.UserName)
		for i := range t.all {
			onBoundary(&t.all[i], in.PermissionsBoundary)
		}
		return err
	}),
	Run: putUserPermissionsBoundary,
})

func putUserPermissionsBoundary(ctx context.Context, api *API, who action.Caller, in *PutUserPermissionsBoundaryInput) (*action.Nothing, error) {
	return nil, api.withUser(ctx, who, in.UserName, func(tx *store.Tx, u *store.User) (err error) {
		if u.Boundary, err = api.bound(tx, who.Account, in.PermissionsBoundary); err != nil {
			return err
		}
		return api.putUser(tx, u)
	})
}
