package iam

import (
	"context"
	"slices"

	"karri/cloudctl/managed"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetAccountAuthorizationDetailsInput narrows the answer.
type GetAccountAuthorizationDetailsInput struct {
	Filter   []string // User, Role, Group, LocalManagedPolicy, AWSManagedPolicy; none: all
	Marker   *string
	MaxItems *int
}

// GetAccountAuthorizationDetailsOutput is a page of who may what.
type GetAccountAuthorizationDetailsOutput struct {
	UserDetailList  []UserDetail
	GroupDetailList []GroupDetail
	RoleDetailList  []RoleDetail
	Policies        []ManagedPolicyDetail
	IsTruncated     bool
	Marker          *string
}

var _ = action.Add(Catalog, action.Def[*API, GetAccountAuthorizationDetailsInput, GetAccountAuthorizationDetailsOutput]{
	Name:    "GetAccountAuthorizationDetails",
	Doc:     "Shows all users, groups, roles and policies of the account with what decides their rights.",
	Example: GetAccountAuthorizationDetailsInput{Filter: []string{"Role"}, MaxItems: ptr(10)},
	On:      onEverything,
	List:    &action.List{},
	Run:     getAccountAuthorizationDetails,
})

// onEverything is the On of an action on all of IAM.
func onEverything(_ context.Context, _ *API, who action.Caller, _ *GetAccountAuthorizationDetailsInput) ([]action.Resource, error) {
	return []action.Resource{{ARN: "*", Owner: who.Account}}, nil
}

// A detail is one thing of the list: where it stands in it, and how it is added
// to a page.
type detail struct {
	key  string
	show func() error
}

func getAccountAuthorizationDetails(ctx context.Context, api *API, who action.Caller, in *GetAccountAuthorizationDetailsInput) (*GetAccountAuthorizationDetailsOutput, error) {
	out := &GetAccountAuthorizationDetailsOutput{
		UserDetailList: []UserDetail{}, GroupDetailList: []GroupDetail{}, RoleDetailList: []RoleDetail{}, Policies: []ManagedPolicyDetail{},
	}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		var all []detail
		for kind, list := range map[string]func(*store.Tx, string) ([]detail, error){
			"User": out.users, "Group": out.groups, "Role": out.roles, "LocalManagedPolicy": out.local, "AWSManagedPolicy": out.cloud,
		} {
			if len(in.Filter) > 0 && !slices.Contains(in.Filter, kind) {
				continue
			}
			some, err := list(tx, who.Account)
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
		page, next, err := action.Page(ctx, all, func(d detail) string { return d.key })
		out.Marker = next
		for i := 0; i < len(page) && err == nil; i++ {
			err = page[i].show()
		}
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}

// into returns a detail whose thing is read when it is shown.
func into[T any](key string, to *[]T, read func() (T, error)) detail {
	return detail{key, func() error {
		d, err := read()
		*to = append(*to, d)
		return err
	}}
}

func (out *GetAccountAuthorizationDetailsOutput) users(tx *store.Tx, account string) (all []detail, err error) {
	rows, err := tx.Users(account, "", "", 0)
	for i := range rows {
		all = append(all, into("user "+rows[i].Folded, &out.UserDetailList, func() (UserDetail, error) { return userDetail(tx, &rows[i]) }))
	}
	return all, err
}

func (out *GetAccountAuthorizationDetailsOutput) groups(tx *store.Tx, account string) (all []detail, err error) {
	rows, err := tx.UserGroups(account, "", "", 0)
	for i := range rows {
		all = append(all, into("group "+rows[i].Folded, &out.GroupDetailList, func() (GroupDetail, error) { return groupDetail(tx, &rows[i]) }))
	}
	return all, err
}

func (out *GetAccountAuthorizationDetailsOutput) roles(tx *store.Tx, account string) (all []detail, err error) {
	rows, err := tx.Roles(account, "", "", 0)
	for i := range rows {
		all = append(all, into("role "+rows[i].Folded, &out.RoleDetailList, func() (RoleDetail, error) { return roleDetail(tx, &rows[i]) }))
	}
	return all, err
}

func (out *GetAccountAuthorizationDetailsOutput) local(tx *store.Tx, account string) (all []detail, err error) {
	rows, err := tx.ManagedPolicies(account, "", "", 0)
	if err != nil {
		return nil, err
	}
	uses, err := tx.PolicyUses(account)
	for i := range rows {
		all = append(all, into("local "+rows[i].Folded, &out.Policies, func() (ManagedPolicyDetail, error) { return localDetail(tx, &rows[i], uses[rows[i].ARN]) }))
	}
	return all, err
}

// cloud are the policies of the cloud that the account uses.
func (out *GetAccountAuthorizationDetailsOutput) cloud(tx *store.Tx, account string) (all []detail, err error) {
	uses, err := tx.PolicyUses(account)
	for _, p := range managed.All() {
		if use, used := uses[p.ARN]; used {
			all = append(all, into("cloud "+store.Fold(p.Name), &out.Policies, func() (ManagedPolicyDetail, error) { return cloudDetail(p, use), nil }))
		}
	}
	return all, err
}
