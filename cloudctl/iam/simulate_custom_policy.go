package iam

import (
	"context"

	"karri/shared/action"
	"karri/shared/identity"
)

// SimulateCustomPolicyInput holds policies, and what to ask of them.
type SimulateCustomPolicyInput struct {
	ActionNames                        []string
	CallerArn                          *string
	ContextEntries                     []ContextEntry
	Marker                             *string
	MaxItems                           *int
	PermissionsBoundaryPolicyInputList []string
	PolicyInputList                    []string
	ResourceArns                       []string
	ResourceOwner                      *string
	ResourcePolicy                     *string
}

var _ = action.Add(Catalog, action.Def[*API, SimulateCustomPolicyInput, SimulatePolicyOutput]{
	Name: "SimulateCustomPolicy",
	Doc:  "Says what policies would allow, without giving them to anybody.",
	Example: SimulateCustomPolicyInput{
		PolicyInputList: []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"}]}`},
		ActionNames:     []string{"ec2:DescribeInstances", "ec2:RunInstances"},
	},
	On:   action.Own[*API, SimulateCustomPolicyInput],
	List: &action.List{},
	Run: func(ctx context.Context, _ *API, who action.Caller, in *SimulateCustomPolicyInput) (*SimulatePolicyOutput, error) {
		i := &identity.Identity{Kind: identity.User, Account: who.Account, ARN: "arn:aws:iam::" + who.Account + ":user/simulated"}
		var err error
		if i.Policies, err = documents("PolicyInputList", in.PolicyInputList); err != nil {
			return nil, err
		}
		if i.Boundary, err = documents("PermissionsBoundaryPolicyInputList", in.PermissionsBoundaryPolicyInputList); err != nil {
			return nil, err
		}
		s := &simulation{
			actions: in.ActionNames, resources: in.ResourceArns, context: in.ContextEntries, caller: in.CallerArn,
			owner: in.ResourceOwner, resource: in.ResourcePolicy, who: i,
		}
		return s.run(ctx)
	},
})
