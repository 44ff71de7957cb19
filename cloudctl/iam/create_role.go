package iam

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// CreateRoleInput describes the new role.
type CreateRoleInput struct {
	Path                     *string
	RoleName                 string
	AssumeRolePolicyDocument string
	Description              *string
	MaxSessionDuration       *int // seconds; absent: an hour
	PermissionsBoundary      *string
	Tags                     []Tag
}

// CreateRoleOutput is the new role.
type CreateRoleOutput struct{ Role *Role }

var _ = action.Add(Catalog, action.Def[*API, CreateRoleInput, CreateRoleOutput]{
	Name: "CreateRole",
	Doc:  "Makes a role, which those may take whom its trust policy names; it may nothing until policies say otherwise.",
	Example: CreateRoleInput{RoleName: "web", Description: ptr("what web servers may"),
		AssumeRolePolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`},
	On: on(func(t *things, in *CreateRoleInput) error {
		t.add(arn(t.who.Account, "role", val(in.Path), in.RoleName), nil)
		onBoundary(&t.all[0], val(in.PermissionsBoundary))
		t.tagged("iam:TagRole", in.Tags)
		return nil
	}),
	Run: createRole,
})

func createRole(ctx context.Context, api *API, who action.Caller, in *CreateRoleInput) (*CreateRoleOutput, error) {
	if err := checkName("roleName", in.RoleName); err != nil {
		return nil, err
	}
	path, err := checkPath(val(in.Path))
	if err != nil {
		return nil, err
	}
	r := &store.Role{
		Account: who.Account, Name: in.RoleName, Folded: store.Fold(in.RoleName), Path: path, Description: val(in.Description),
		MaxSession: lifeOfSession, Created: api.Clock(),
	}
	if in.MaxSessionDuration != nil {
		r.MaxSession = *in.MaxSessionDuration
		if err := checkMaxSession(r.MaxSession); err != nil {
			return nil, err
		}
	}
	if err := setTags(&r.Tags, in.Tags); err != nil {
		return nil, err
	}
	if r.ID, err = api.newID("AROA"); err != nil {
		return nil, err
	}
	out := &CreateRoleOutput{}
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Role(who.Account, in.RoleName); err == nil {
			return fault.New(fault.Conflict, "EntityAlreadyExists", "Role with name %s already exists.", in.RoleName)
		}
		if r.Trust, err = pinTrust(tx, in.AssumeRolePolicyDocument); err != nil {
			return err
		}
		if r.Boundary, err = api.bound(tx, who.Account, val(in.PermissionsBoundary)); err != nil {
			return err
		}
		if err := quota.Check(tx, who, "iam:quota-rolenumber", 1); err != nil {
			return err
		}
		r.Creator = quota.Creator(who)
		if err := tx.Add(r); err != nil {
			return err
		}
		if out.Role, err = fullRole(tx, r); err != nil {
			return err
		}
		return api.announceRole(tx, r, created)
	})
	return out, err
}
