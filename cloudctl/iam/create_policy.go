package iam

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// CreatePolicyInput describes the new policy.
type CreatePolicyInput struct {
	PolicyName     string
	Path           *string
	PolicyDocument string
	Description    *string
	Tags           []Tag
}

// CreatePolicyOutput is the new policy.
type CreatePolicyOutput struct{ Policy *Policy }

var _ = action.Add(Catalog, action.Def[*API, CreatePolicyInput, CreatePolicyOutput]{
	Name:    "CreatePolicy",
	Doc:     "Makes a managed policy, which can be attached to users, groups and roles.",
	Example: CreatePolicyInput{PolicyName: "look", PolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}`},
	On: on(func(t *things, in *CreatePolicyInput) error {
		t.add(arn(t.who.Account, "policy", val(in.Path), in.PolicyName), nil)
		t.tagged("iam:TagPolicy", in.Tags)
		return nil
	}),
	Run: createPolicy,
})

func createPolicy(ctx context.Context, api *API, who action.Caller, in *CreatePolicyInput) (*CreatePolicyOutput, error) {
	if err := checkName("policyName", in.PolicyName); err != nil {
		return nil, err
	}
	path, err := checkPath(val(in.Path))
	if err != nil {
		return nil, err
	}
	if err := checkManaged(in.PolicyDocument); err != nil {
		return nil, err
	}
	now := api.Clock()
	p := &store.ManagedPolicy{
		Account: who.Account, Name: in.PolicyName, Folded: store.Fold(in.PolicyName), Path: path, ARN: arn(who.Account, "policy", path, in.PolicyName),
		Description: val(in.Description), DefaultVersion: 1, LastVersion: 1, Created: now, Updated: now,
	}
	if err := setTags(&p.Tags, in.Tags); err != nil {
		return nil, err
	}
	if p.ID, err = api.newID("ANPA"); err != nil {
		return nil, err
	}
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := quota.Check(tx, who, "iam:quota-policynumber", 1); err != nil {
			return err
		}
		p.Creator = quota.Creator(who)
		if err := tx.Add(p); store.Taken(err) {
			return fault.New(fault.Conflict, "EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", in.PolicyName)
		} else if err != nil {
			return err
		}
		if err := tx.Add(&store.PolicyVersion{Policy: p.ID, Number: 1, Account: p.Account, Document: in.PolicyDocument, Created: now}); err != nil {
			return err
		}
		return api.announcePolicy(tx, p, created)
	})
	if err != nil {
		return nil, err
	}
	return &CreatePolicyOutput{Policy: ptr(fullPolicy(p, store.PolicyUse{}))}, nil
}
