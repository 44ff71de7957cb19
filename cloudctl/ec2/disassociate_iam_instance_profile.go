package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DisassociateIamInstanceProfileInput names an association.
type DisassociateIamInstanceProfileInput struct{ AssociationId string }

// DisassociateIamInstanceProfileOutput is what it was.
type DisassociateIamInstanceProfileOutput struct {
	IamInstanceProfileAssociation IamInstanceProfileAssociation
}

var _ = action.Add(Catalog, action.Def[*API, DisassociateIamInstanceProfileInput, DisassociateIamInstanceProfileOutput]{
	Name:    "DisassociateIamInstanceProfile",
	Doc:     "Takes its role from an instance; credentials that it has already are good until they end.",
	Example: DisassociateIamInstanceProfileInput{AssociationId: "iip-assoc-1a2b3c4d5e6f70819"},
	On: on(func(tx *store.Tx, u *uses, in *DisassociateIamInstanceProfileInput) error {
		a, err := association(tx, u.who.Account, in.AssociationId)
		if err == nil {
			u.add("instance", string(a.Instance))
		}
		return err
	}),
	Run: func(ctx context.Context, api *API, who action.Caller, in *DisassociateIamInstanceProfileInput) (*DisassociateIamInstanceProfileOutput, error) {
		out := &DisassociateIamInstanceProfileOutput{}
		err := api.Store.InTx(ctx, func(tx *store.Tx) error {
			a, err := association(tx, who.Account, in.AssociationId)
			if err != nil {
				return err
			}
			out.IamInstanceProfileAssociation = associationShape(a, profileGoing)
			return tx.Drop(a)
		})
		if err != nil {
			return nil, err
		}
		api.Nudge()
		return out, nil
	},
})
