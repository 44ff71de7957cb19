package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// AssociateIamInstanceProfileInput names an instance and a profile.
type AssociateIamInstanceProfileInput struct {
	IamInstanceProfile IamInstanceProfileSpecification
	InstanceId         string
}

// AssociateIamInstanceProfileOutput is the association.
type AssociateIamInstanceProfileOutput struct {
	IamInstanceProfileAssociation IamInstanceProfileAssociation
}

var _ = action.Add(Catalog, action.Def[*API, AssociateIamInstanceProfileInput, AssociateIamInstanceProfileOutput]{
	Name:    "AssociateIamInstanceProfile",
	Doc:     "Gives an instance the role that an instance profile carries.",
	Example: AssociateIamInstanceProfileInput{InstanceId: "i-1a2b3c4d5e6f70819", IamInstanceProfile: IamInstanceProfileSpecification{Name: ptr("web")}},
	On: on(func(tx *store.Tx, u *uses, in *AssociateIamInstanceProfileInput) error {
		i, err := parse[id.Instance](in.InstanceId)
		if err != nil {
			return err
		}
		u.add("instance", string(i))
		if _, err := tx.Instance(u.who.Account, i); err != nil {
			return err
		}
		return u.addRole(tx, &in.IamInstanceProfile)
	}),
	Run: func(ctx context.Context, api *API, who action.Caller, in *AssociateIamInstanceProfileInput) (*AssociateIamInstanceProfileOutput, error) {
		out := &AssociateIamInstanceProfileOutput{}
		err := api.Store.InTx(ctx, func(tx *store.Tx) error {
			i, err := tx.Instance(who.Account, id.Instance(in.InstanceId))
			if err != nil {
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
