package iam

import (
	"context"

	"karri/cloudctl/managed"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// GetPolicyVersionInput names a version of a policy.
type GetPolicyVersionInput struct {
	PolicyArn string
	VersionId string
}

// GetPolicyVersionOutput is the version.
type GetPolicyVersionOutput struct{ PolicyVersion *PolicyVersion }

var _ = action.Add(Catalog, action.Def[*API, GetPolicyVersionInput, GetPolicyVersionOutput]{
	Name:    "GetPolicyVersion",
	Doc:     "Shows a version of a managed policy; the document is percent-encoded.",
	Example: GetPolicyVersionInput{PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess", VersionId: "v1"},
	On:      on(onReadPolicy(func(in *GetPolicyVersionInput) string { return in.PolicyArn })),
	Run:     getPolicyVersion,
})

func getPolicyVersion(ctx context.Context, api *API, who action.Caller, in *GetPolicyVersionInput) (*GetPolicyVersionOutput, error) {
	out := &GetPolicyVersionOutput{}
	if m := managed.Of(in.PolicyArn); m != nil {
		n, err := parseVersion(in.VersionId)
		if err == nil && n != managed.Version {
			err = fault.New(fault.Missing, "NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", m.ARN, in.VersionId)
		}
		out.PolicyVersion = ptr(managedVersion(m))
		return out, err
	}
	return out, api.Store.View(ctx, func(tx *store.Tx) error {
		p, err := ownPolicy(tx, who.Account, in.PolicyArn)
		if err != nil {
			return err
		}
		v, err := version(tx, p, in.VersionId)
		if err == nil {
			out.PolicyVersion = ptr(showVersion(p, v))
		}
		return err
	})
}
