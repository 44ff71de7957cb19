package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListInstanceProfilesForRoleInput names a role.
type ListInstanceProfilesForRoleInput struct {
	RoleName string
	Marker   *string
	MaxItems *int
}

// ListInstanceProfilesForRoleOutput is a page of profiles.
type ListInstanceProfilesForRoleOutput struct {
	InstanceProfiles []InstanceProfile
	IsTruncated      bool
	Marker           *string
}

var _ = action.Add(Catalog, action.Def[*API, ListInstanceProfilesForRoleInput, ListInstanceProfilesForRoleOutput]{
	Name:    "ListInstanceProfilesForRole",
	Doc:     "Lists the instance profiles that carry a role.",
	Example: ListInstanceProfilesForRoleInput{RoleName: "web"},
	On:      on(onRole(func(in *ListInstanceProfilesForRoleInput) string { return in.RoleName })),
	List:    &action.List{},
	Run:     listInstanceProfilesForRole,
})

func listInstanceProfilesForRole(ctx context.Context, api *API, who action.Caller, in *ListInstanceProfilesForRoleInput) (*ListInstanceProfilesForRoleOutput, error) {
	out := &ListInstanceProfilesForRoleOutput{}
	err := api.viewRole(ctx, who, in.RoleName, func(tx *store.Tx, r *store.Role) error {
		rows, err := tx.InstanceProfilesOfRole(r.ID)
		if err != nil {
			return err
		}
		out.InstanceProfiles, out.Marker, err = profilePage(ctx, tx, rows)
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
