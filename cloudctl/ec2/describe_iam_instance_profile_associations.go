package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/wire"
)

// DescribeIamInstanceProfileAssociationsInput narrows the list.
type DescribeIamInstanceProfileAssociationsInput struct {
	AssociationIds []string
	Filters        []action.Filter
	MaxResults     *int
	NextToken      *string
}

// DescribeIamInstanceProfileAssociationsOutput is a page of associations.
type DescribeIamInstanceProfileAssociationsOutput struct {
	IamInstanceProfileAssociations []IamInstanceProfileAssociation
	NextToken                      *string
}

var profileFields = fields[IamInstanceProfileAssociation]{
	"instance-id": func(a IamInstanceProfileAssociation) []string { return is(a.InstanceId) },
	"state":       func(a IamInstanceProfileAssociation) []string { return is(a.State) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeIamInstanceProfileAssociationsInput, DescribeIamInstanceProfileAssociationsOutput]{
	Name:    "DescribeIamInstanceProfileAssociations",
	Doc:     "Lists which instances have roles, and by which profiles.",
	Example: DescribeIamInstanceProfileAssociationsInput{Filters: []action.Filter{{Name: "state", Values: []string{"associated"}}}},
	On:      action.Own[*API, DescribeIamInstanceProfileAssociationsInput],
	List:    &action.List{Filters: profileFields.names()},
	Run: func(ctx context.Context, api *API, who action.Caller, in *DescribeIamInstanceProfileAssociationsInput) (*DescribeIamInstanceProfileAssociationsOutput, error) {
		all := []IamInstanceProfileAssociation{}
		err := api.Store.View(ctx, func(tx *store.Tx) error {
			rows, err := tx.ProfileAssociations(who.Account)
			for _, a := range rows {
				i, err := tx.Instance(who.Account, a.Instance)
				if err != nil && fault.KindOf(err) != fault.Missing {
					return err
				}
				if err == nil && i.Want != wire.Gone {
					all = append(all, associationShape(&a, profileThere))
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		all, err = wanted(in.AssociationIds, all, func(a IamInstanceProfileAssociation) string { return a.AssociationId }, func(name string) error {
			return fault.New(fault.Missing, "InvalidAssociationID.NotFound", "An invalid association-id of '%s' was given", name)
		})
		if err != nil {
			return nil, err
		}
		all = profileFields.pick(in.Filters, all, noTags[IamInstanceProfileAssociation])
		page, next, err := action.Page(ctx, all, func(a IamInstanceProfileAssociation) string { return a.AssociationId })
		return &DescribeIamInstanceProfileAssociationsOutput{IamInstanceProfileAssociations: page, NextToken: next}, err
	},
})
