package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// RemoveRoleFromInstanceProfileInput names a profile and a role.
type RemoveRoleFromInstanceProfileInput struct {
	InstanceProfileName string
	RoleName            string
}

var _ = action.Add(Catalog, action.Def[*API, RemoveRoleFromInstanceProfileInput, action.Nothing]{
	Name:    "RemoveRoleFromInstanceProfile",
	Doc:     "Takes the role from an instance profile; its instances get no new credentials.",
	Example: RemoveRoleFromInstanceProfileInput{InstanceProfileName: "web", RoleName: "web"},
	On:      on(onProfile(func(in *RemoveRoleFromInstanceProfileInput) string { return in.InstanceProfileName })),
	Run:     removeRoleFromInstanceProfile,
})

func removeRoleFromInstanceProfile(ctx context.Context, api *API, who action.Caller, in *RemoveRoleFromInstanceProfileInput) (*action.Nothing, error) {
	return nil, api.withProfile(ctx, who, in.InstanceProfileName, func(tx *store.Tx, p *store.InstanceProfile) error {
		r, err := tx.Role(who.Account, in.RoleName)
		if err != nil {
			return err
		}
		if p.Role != r.ID {
			return fault.New(fault.Missing, "NoSuchEntity", "Role %s is not in the instance profile %s.", r.Name, p.Name)
		}
		p.Role = ""
		return api.putProfile(tx, p)
	})
}
