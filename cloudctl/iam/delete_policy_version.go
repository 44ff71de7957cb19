package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// DeletePolicyVersionInput names a version of a policy.
type DeletePolicyVersionInput struct {
	PolicyArn string
	VersionId string
}

var _ = action.Add(Catalog, action.Def[*API, DeletePolicyVersionInput, action.Nothing]{
	Name:    "DeletePolicyVersion",
	Doc:     "Deletes a version of a managed policy, but not the one that counts.",
	Example: DeletePolicyVersionInput{PolicyArn: "arn:aws:iam::111122223333:policy/look", VersionId: "v1"},
	On:      on(onPolicy(func(in *DeletePolicyVersionInput) string { return in.PolicyArn })),
	Run:     deletePolicyVersion,
})

func deletePolicyVersion(ctx context.Context, api *API, who action.Caller, in *DeletePolicyVersionInput) (*action.Nothing, error) {
	return nil, api.withPolicy(ctx, who, in.PolicyArn, func(tx *store.Tx, p *store.ManagedPolicy) error {
		v, err := version(tx, p, in.VersionId)
		if err != nil {
			return err
		}
		if v.Number == p.DefaultVersion {
			return fault.New(fault.Conflict, "DeleteConflict", "Cannot delete the default version of a policy.")
		}
		if err := tx.Drop(v); err != nil {
			return err
		}
		p.Updated = api.Clock()
		return api.putPolicy(tx, p)
	})
}
