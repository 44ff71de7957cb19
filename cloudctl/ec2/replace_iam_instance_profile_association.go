package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ReplaceIamInstanceProfileAssociationInput names an association and the
// profile that is to take the place of its own.
type ReplaceIamInstanceProfileAssociationInput struct {
	AssociationId      string
	IamInstanceProfile IamInstanceProfileSpecification
}

// ReplaceIamInstanceProfileAssociationOutput is the new association.
type ReplaceIamInstanceProfileAssociationOutput struct {
	IamInstanceProfileAssociation IamInstanceProfileAssociation
}

var _ = action.Add(Catalog, action.Def[*API, ReplaceIamInstanceProfileAssociationInput, ReplaceIamInstanceProfileAssociationOutput]{
	Name:    "ReplaceIamInstanceProfileAssociation",
	Doc:     "Gives an instance another role in place of the one that it has.",
	Example: ReplaceIamInstanceProfileAssociationInput{AssociationId: "iip-assoc-1a2b3c4d5e6f70819", IamInstanceProfile: IamInstanceProfileSpecification{Name: ptr("web")}},
	On: on(func(tx *store.Tx, u *uses, in *ReplaceIamInstanceProfileAssociationInput) error {
		a, err := association(tx, u.who.Account, in.AssociationId)
		if err != nil {
			return err
		}
		u.add("instance", string(a.Instance))
		return u.addRole(tx, &in.IamInstanceProfile)
	}),
	Run: func(ctx context.Context, api *API, who action.Caller, in *ReplaceIamInstanceProfileAssociationInput) (*ReplaceIamInstanceProfileAssociationOutput, error) {
		out := &ReplaceIamInstanceProfileAssociationOutput{}
		err := api.Store.InTx(ctx, func(tx *store.Tx) error {
			old, err := association(tx, who.Account, in.AssociationId)
			if err != nil {
				return err
			}
			i, err := tx.Instance(who.Account, old.Instance)
			if err != nil {
				return err
			}
			if err := tx.Drop(old); err != nil {
				return err
			}
			a, err := api.carry(tx, i, &in.IamInstanceProfile)
			if err == nil {
				out.IamInstanceProfileAssociation = associationShape(a, profileComing)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		api.Nudge()
		return out, nil
	},
})
