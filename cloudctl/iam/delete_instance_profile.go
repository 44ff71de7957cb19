package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteInstanceProfileInput names a profile.
type DeleteInstanceProfileInput struct {
	InstanceProfileName string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteInstanceProfileInput, action.Nothing]{
	Name:    "DeleteInstanceProfile",
	Doc:     "Deletes an instance profile that has no role any more.",
	Example: DeleteInstanceProfileInput{InstanceProfileName: "web"},
	On:      on(onProfile(func(in *DeleteInstanceProfileInput) string { return in.InstanceProfileName })),
	Run:     deleteInstanceProfile,
})

func deleteInstanceProfile(ctx context.Context, api *API, who action.Caller, in *DeleteInstanceProfileInput) (*action.Nothing, error) {
	return nil, api.withProfile(ctx, who, in.InstanceProfileName, func(tx *store.Tx, p *store.InstanceProfile) error {
		if p.Role != "" {
			return conflict("remove roles from instance profile")
		}
		if err := tx.Drop(p); err != nil {
			return err
		}
		return api.announceProfile(tx, p, deleted)
	})
}
