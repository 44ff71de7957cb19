package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// AddRoleToInstanceProfileInput names a profile and a role.
type AddRoleToInstanceProfileInput struct {
	InstanceProfileName string
	RoleName            string
}

var _ = action.Add(Catalog, action.Def[*API, AddRoleToInstanceProfileInput, action.Nothing]{
	Name:    "AddRoleToInstanceProfile",
	Doc:     "Gives an instance profile its one role; the caller must be allowed to pass that role.",
	Example: AddRoleToInstanceProfileInput{InstanceProfileName: "web", RoleName: "web"},
	On: on(func(t *things, in *AddRoleToInstanceProfileInput) error {
		if err := t.profile(in.InstanceProfileName); err != nil {
			return err
		}
		if err := t.role(in.RoleName); err != nil {
			return err
		}
		passed := &t.all[len(t.all)-1]
		passed.Permission, passed.Keys = "iam:PassRole", map[string][]string{"iam:PassedToService": {"ec2.amazonaws.com"}}
		return nil
	}),
	Run: addRoleToInstanceProfile,
})

func addRoleToInstanceProfile(ctx context.Context, api *API, who action.Caller, in *AddRoleToInstanceProfileInput) (*action.Nothing, error) {
	return nil, api.withProfile(ctx, who, in.InstanceProfileName, func(tx *store.Tx, p *store.InstanceProfile) error {
		r, err := tx.Role(who.Account, in.RoleName)
		if err != nil {
			return err
		}
		if p.Role != "" {
			return fault.New(fault.Full, "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
		}
		p.Role = r.ID
		return api.putProfile(tx, p)
	})
}
