package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetInstanceProfileInput names a profile.
type GetInstanceProfileInput struct {
	InstanceProfileName string
}

// GetInstanceProfileOutput is the profile.
type GetInstanceProfileOutput struct{ InstanceProfile *InstanceProfile }

var _ = action.Add(Catalog, action.Def[*API, GetInstanceProfileInput, GetInstanceProfileOutput]{
	Name:    "GetInstanceProfile",
	Doc:     "Shows an instance profile with its role.",
	Example: GetInstanceProfileInput{InstanceProfileName: "web"},
	On:      on(onProfile(func(in *GetInstanceProfileInput) string { return in.InstanceProfileName })),
	Run:     getInstanceProfile,
})

func getInstanceProfile(ctx context.Context, api *API, who action.Caller, in *GetInstanceProfileInput) (*GetInstanceProfileOutput, error) {
	out := &GetInstanceProfileOutput{}
	return out, api.Store.View(ctx, func(tx *store.Tx) error {
		p, err := tx.InstanceProfile(who.Account, in.InstanceProfileName)
		if err != nil {
			return err
		}
		shown, err := showProfile(tx, p)
		out.InstanceProfile = &shown
		return err
	})
}
