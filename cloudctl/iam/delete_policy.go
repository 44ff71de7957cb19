package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// DeletePolicyInput names a policy.
type DeletePolicyInput struct {
	PolicyArn string
}

var _ = action.Add(Catalog, action.Def[*API, DeletePolicyInput, action.Nothing]{
	Name:    "DeletePolicy",
	Doc:     "Deletes a managed policy that nothing uses and that has no version but the one that counts.",
	Example: DeletePolicyInput{PolicyArn: "arn:aws:iam::111122223333:policy/look"},
	On:      on(onPolicy(func(in *DeletePolicyInput) string { return in.PolicyArn })),
	Run:     deletePolicy,
})

func deletePolicy(ctx context.Context, api *API, who action.Caller, in *DeletePolicyInput) (*action.Nothing, error) {
	return nil, api.withPolicy(ctx, who, in.PolicyArn, func(tx *store.Tx, p *store.ManagedPolicy) error {
		uses, err := tx.PolicyUses(p.Account)
		if err != nil {
			return err
		}
		versions, err := tx.PolicyVersions(p.ID)
		switch use := uses[p.ARN]; {
		case err != nil:
			return err
		case use.Attached > 0:
			return fault.New(fault.Conflict, "DeleteConflict", "Cannot delete a policy attached to entities.")
		case use.Bounds > 0:
			return fault.New(fault.Conflict, "DeleteConflict", "Cannot delete a policy that is used as a permissions boundary.")
		case len(versions) > 1:
			return fault.New(fault.Conflict, "DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		for i := range versions {
			if err := tx.Drop(&versions[i]); err != nil {
				return err
			}
		}
		if err := tx.Drop(p); err != nil {
			return err
		}
		return api.announcePolicy(tx, p, deleted)
	})
}
