package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// CreatePolicyVersionInput is a new text of a policy.
type CreatePolicyVersionInput struct {
	PolicyArn      string
	PolicyDocument string
	SetAsDefault   *bool
}

// CreatePolicyVersionOutput is the new version.
type CreatePolicyVersionOutput struct{ PolicyVersion *PolicyVersion }

var _ = action.Add(Catalog, action.Def[*API, CreatePolicyVersionInput, CreatePolicyVersionOutput]{
	Name:    "CreatePolicyVersion",
	Doc:     "Writes a new version of a managed policy, which counts at once when asked for; five are kept at most.",
	Example: CreatePolicyVersionInput{PolicyArn: "arn:aws:iam::111122223333:policy/look", SetAsDefault: ptr(true), PolicyDocument: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}`},
	On:      on(onPolicy(func(in *CreatePolicyVersionInput) string { return in.PolicyArn })),
	Run:     createPolicyVersion,
})

func createPolicyVersion(ctx context.Context, api *API, who action.Caller, in *CreatePolicyVersionInput) (*CreatePolicyVersionOutput, error) {
	if err := checkManaged(in.PolicyDocument); err != nil {
		return nil, err
	}
	out := &CreatePolicyVersionOutput{}
	return out, api.withPolicy(ctx, who, in.PolicyArn, func(tx *store.Tx, p *store.ManagedPolicy) error {
		has, err := tx.PolicyVersions(p.ID)
		if err != nil {
			return err
		}
		if len(has) >= maxVersions {
			return fault.New(fault.Full, "LimitExceeded",
				"A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		p.LastVersion++
		p.Updated = api.Clock()
		v := &store.PolicyVersion{Policy: p.ID, Number: p.LastVersion, Account: p.Account, Document: in.PolicyDocument, Created: p.Updated}
		if val(in.SetAsDefault) {
			p.DefaultVersion = v.Number
		}
		if err := tx.Add(v); err != nil {
			return err
		}
		out.PolicyVersion = ptr(showVersion(p, v))
		out.PolicyVersion.Document = nil
		return api.putPolicy(tx, p)
	})
}
