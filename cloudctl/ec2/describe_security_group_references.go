package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// DescribeSecurityGroupReferencesInput names groups.
type DescribeSecurityGroupReferencesInput struct{ GroupId []string }

// DescribeSecurityGroupReferencesOutput lists VPCs whose rules refer to them.
type DescribeSecurityGroupReferencesOutput struct{ SecurityGroupReferenceSet []Nothing }

var _ = action.Add(Catalog, action.Def[*API, DescribeSecurityGroupReferencesInput, DescribeSecurityGroupReferencesOutput]{
	Name:    "DescribeSecurityGroupReferences",
	Doc:     "Lists other VPCs whose rules refer to security groups: none, as VPCs have no peers.",
	Example: DescribeSecurityGroupReferencesInput{GroupId: []string{"sg-1a2b3c4d5e6f70819"}},
	On: on(func(tx *store.Tx, u *uses, in *DescribeSecurityGroupReferencesInput) error {
		groups, err := parseAll[id.Group](in.GroupId)
		for _, g := range groups {
			u.add("security-group", string(g))
			if _, err := tx.Group(u.who.Account, g); err != nil {
				return err
			}
		}
		return err
	}),
	List: &action.List{},
	Run: func(context.Context, *API, action.Caller, *DescribeSecurityGroupReferencesInput) (*DescribeSecurityGroupReferencesOutput, error) {
		return nil, nil
	},
})
