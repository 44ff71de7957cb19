package iam

import (
	"context"
	"slices"
	"strings"

	"karri/cloudctl/managed"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListEntitiesForPolicyInput names a policy and narrows the list.
type ListEntitiesForPolicyInput struct {
	PolicyArn         string
	EntityFilter      *string // User, Group or Role
	PathPrefix        *string
	PolicyUsageFilter *string // PermissionsPolicy, the default, or PermissionsBoundary
	Marker            *string
	MaxItems          *int
}

// ListEntitiesForPolicyOutput is a page of what uses the policy.
type ListEntitiesForPolicyOutput struct {
	PolicyGroups []PolicyGroup
	PolicyUsers  []PolicyUser
	PolicyRoles  []PolicyRole
	IsTruncated  bool
	Marker       *string
}

// PolicyGroup is a group that has a policy.
type PolicyGroup struct{ GroupName, GroupId string }

// PolicyUser is a user that has a policy, or is bound by one.
type PolicyUser struct{ UserName, UserId string }

// PolicyRole is a role that has a policy, or is bound by one.
type PolicyRole struct{ RoleName, RoleId string }

var _ = action.Add(Catalog, action.Def[*API, ListEntitiesForPolicyInput, ListEntitiesForPolicyOutput]{
	Name:    "ListEntitiesForPolicy",
	Doc:     "Lists the users, groups and roles of the account that have a managed policy, or are bound by it.",
	Example: ListEntitiesForPolicyInput{PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess", EntityFilter: ptr("User")},
	On:      on(onReadPolicy(func(in *ListEntitiesForPolicyInput) string { return in.PolicyArn })),
	List:    &action.List{},
	Run:     listEntitiesForPolicy,
})

func listEntitiesForPolicy(ctx context.Context, api *API, who action.Caller, in *ListEntitiesForPolicyInput) (*ListEntitiesForPolicyOutput, error) {
	if err := checkPrefix(val(in.PathPrefix)); err != nil {
		return nil, err
	}
	out := &ListEntitiesForPolicyOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		if managed.Of(in.PolicyArn) == nil {
			if _, err := ownPolicy(tx, who.Account, in.PolicyArn); err != nil {
				return err
			}
		}
		all, err := in.users(tx, who.Account)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(e entity) bool {
			return !strings.HasPrefix(e.path, val(in.PathPrefix)) || in.EntityFilter != nil && *in.EntityFilter != e.kind
		})
		all, out.Marker, err = action.Page(ctx, all, func(e entity) string { return e.kind + " " + store.Fold(e.name) })
		for _, e := range all {
			switch e.kind {
			case "Group":
				out.PolicyGroups = append(out.PolicyGroups, PolicyGroup{e.name, e.id})
			case "User":
				out.PolicyUsers = append(out.PolicyUsers, PolicyUser{e.name, e.id})
			default:
				out.PolicyRoles = append(out.PolicyRoles, PolicyRole{e.name, e.id})
			}
		}
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}

// An entity is what may use a policy: a User, Group or Role.
type entity struct{ kind, name, id, path string }

// users returns all that uses the policy in the way that is asked for.
func (in *ListEntitiesForPolicyInput) users(tx *store.Tx, account string) ([]entity, error) {
	var all []entity
	users, roles := tx.UsersHolding, tx.RolesHolding
	if val(in.PolicyUsageFilter) == "PermissionsBoundary" {
		users, roles = tx.UsersBoundBy, tx.RolesBoundBy
	} else {
		groups, err := tx.GroupsHolding(account, in.PolicyArn)
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			all = append(all, entity{"Group", g.Name, g.ID, g.Path})
		}
	}
	us, err := users(account, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	for _, u := range us {
		all = append(all, entity{"User", u.Name, u.ID, u.Path})
	}
	rs, err := roles(account, in.PolicyArn)
	for _, r := range rs {
		all = append(all, entity{"Role", r.Name, r.ID, r.Path})
	}
	return all, err
}
