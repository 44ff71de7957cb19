package iam

import (
	"context"

	"karri/cloudctl/managed"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetPolicyInput names a policy.
type GetPolicyInput struct {
	PolicyArn string
}

// GetPolicyOutput is the policy.
type GetPolicyOutput struct{ Policy *Policy }

var _ = action.Add(Catalog, action.Def[*API, GetPolicyInput, GetPolicyOutput]{
	Name:    "GetPolicy",
	Doc:     "Shows a managed policy, of the account or of the cloud; GetPolicyVersion shows its document.",
	Example: GetPolicyInput{PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess"},
	On:      on(onReadPolicy(func(in *GetPolicyInput) string { return in.PolicyArn })),
	Run:     getPolicy,
})

func getPolicy(ctx context.Context, api *API, who action.Caller, in *GetPolicyInput) (*GetPolicyOutput, error) {
	out := &GetPolicyOutput{}
	return out, api.Store.View(ctx, func(tx *store.Tx) error {
		uses, err := tx.PolicyUses(who.Account)
		if err != nil {
			return err
		}
		if m := managed.Of(in.PolicyArn); m != nil {
			out.Policy = ptr(showManaged(m, uses[m.ARN]))
			out.Policy.Description = ptr(m.Description)
			return nil
		}
		p, err := ownPolicy(tx, who.Account, in.PolicyArn)
		if err == nil {
			out.Policy = ptr(fullPolicy(p, uses[p.ARN]))
		}
		return err
	})
}
