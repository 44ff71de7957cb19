package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/identity"
)

// SimulatePrincipalPolicyInput names a user, group or role, further policies,
// and what to ask.
type SimulatePrincipalPolicyInput struct {
	ActionNames                        []string
	CallerArn                          *string
	ContextEntries                     []ContextEntry
	Marker                             *string
	MaxItems                           *int
	PermissionsBoundaryPolicyInputList []string
	PolicyInputList                    []string
	PolicySourceArn                    string
	ResourceArns                       []string
	ResourceOwner                      *string
	ResourcePolicy                     *string
}

var _ = action.Add(Catalog, action.Def[*API, SimulatePrincipalPolicyInput, SimulatePolicyOutput]{
	Name: "SimulatePrincipalPolicy",
	Doc:  "Says what a user, group or role may do, and which statement decides.",
	Example: SimulatePrincipalPolicyInput{
		PolicySourceArn: "arn:aws:iam::111122223333:user/ada", ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::pond/key"},
	},
	On:   onSource(func(in *SimulatePrincipalPolicyInput) string { return in.PolicySourceArn }),
	List: &action.List{},
	Run: func(ctx context.Context, api *API, who action.Caller, in *SimulatePrincipalPolicyInput) (*SimulatePolicyOutput, error) {
		var i *identity.Identity
		err := api.Store.View(ctx, func(tx *store.Tx) (err error) {
			i, err = source(tx, who.Account, in.PolicySourceArn)
			return err
		})
		if err != nil {
			return nil, err
		}
		more, err := documents("PolicyInputList", in.PolicyInputList)
		if err != nil {
			return nil, err
		}
		i.Policies = append(i.Policies, more...)
		if len(in.PermissionsBoundaryPolicyInputList) > 0 {
			if i.Boundary, err = documents("PermissionsBoundaryPolicyInputList", in.PermissionsBoundaryPolicyInputList); err != nil {
				return nil, err
			}
		}
		s := &simulation{
			actions: in.ActionNames, resources: in.ResourceArns, context: in.ContextEntries, caller: in.CallerArn,
			owner: in.ResourceOwner, resource: in.ResourcePolicy, who: i,
		}
		return s.run(ctx)
	},
})
