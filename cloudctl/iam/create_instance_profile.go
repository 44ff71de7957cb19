package iam

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// CreateInstanceProfileInput describes the new profile.
type CreateInstanceProfileInput struct {
	InstanceProfileName string
	Path                *string
	Tags                []Tag
}

// CreateInstanceProfileOutput is the new profile.
type CreateInstanceProfileOutput struct{ InstanceProfile *InstanceProfile }

var _ = action.Add(Catalog, action.Def[*API, CreateInstanceProfileInput, CreateInstanceProfileOutput]{
	Name:    "CreateInstanceProfile",
	Doc:     "Makes an instance profile, which carries a role to instances, without a role yet.",
	Example: CreateInstanceProfileInput{InstanceProfileName: "web"},
	On: on(func(t *things, in *CreateInstanceProfileInput) error {
		t.add(arn(t.who.Account, "instance-profile", val(in.Path), in.InstanceProfileName), nil)
		t.tagged("iam:TagInstanceProfile", in.Tags)
		return nil
	}),
	Run: createInstanceProfile,
})

func createInstanceProfile(ctx context.Context, api *API, who action.Caller, in *CreateInstanceProfileInput) (*CreateInstanceProfileOutput, error) {
	if err := checkName("instanceProfileName", in.InstanceProfileName); err != nil {
		return nil, err
	}
	path, err := checkPath(val(in.Path))
	if err != nil {
		return nil, err
	}
	p := &store.InstanceProfile{Account: who.Account, Name: in.InstanceProfileName, Folded: store.Fold(in.InstanceProfileName), Path: path, Created: api.Clock()}
	if err := setTags(&p.Tags, in.Tags); err != nil {
		return nil, err
	}
	if p.ID, err = api.newID("AIPA"); err != nil {
		return nil, err
	}
	out := &CreateInstanceProfileOutput{}
	return out, api.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.InstanceProfile(who.Account, in.InstanceProfileName); err == nil {
			return fault.New(fault.Conflict, "EntityAlreadyExists", "Instance Profile %s already exists.", in.InstanceProfileName)
		}
		if err := quota.Check(tx, who, "iam:quota-instanceprofilenumber", 1); err != nil {
			return err
		}
		p.Creator = quota.Creator(who)
		if err := tx.Add(p); err != nil {
			return err
		}
		shown, err := showProfile(tx, p)
		if err != nil {
			return err
		}
		out.InstanceProfile = &shown
		return api.announceProfile(tx, p, created)
	})
}
