package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// SetDefaultPolicyVersionInput names a version of a policy.
type SetDefaultPolicyVersionInput struct {
	PolicyArn string
	VersionId string
}

var _ = action.Add(Catalog, action.Def[*API, SetDefaultPolicyVersionInput, action.Nothing]{
	Name:    "SetDefaultPolicyVersion",
	Doc:     "Makes a version of a managed policy the one that counts.",
	Example: SetDefaultPolicyVersionInput{PolicyArn: "arn:aws:iam::111122223333:policy/look", VersionId: "v2"},
	On:      on(onPolicy(func(in *SetDefaultPolicyVersionInput) string { return in.PolicyArn })),
	Run:     setDefaultPolicyVersion,
})

func setDefaultPolicyVersion(ctx context.Context, api *API, who action.Caller, in *SetDefaultPolicyVersionInput) (*action.Nothing, error) {
	return nil, api.withPolicy(ctx, who, in.PolicyArn, func(tx *store.Tx, p *store.ManagedPolicy) error {
		v, err := version(tx, p, in.VersionId)
		if err != nil {
			return err
		}
		p.DefaultVersion, p.Updated = v.Number, api.Clock()
		return api.putPolicy(tx, p)
	})
}
