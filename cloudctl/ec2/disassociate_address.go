package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// DisassociateAddressInput names an association, or the address itself.
type DisassociateAddressInput struct {
	AssociationId *string
	PublicIp      *string
}

var _ = action.Add(Catalog, action.Def[*API, DisassociateAddressInput, action.Nothing]{
	Name:    "DisassociateAddress",
	Doc:     "Takes a public address from the instance that has it; the account keeps the address.",
	Example: DisassociateAddressInput{AssociationId: ptr("eipassoc-1a2b3c4d5e6f70819")},
	On: on(func(tx *store.Tx, u *uses, in *DisassociateAddressInput) error {
		a, err := associated(tx, u.who.Account, in)
		if err != nil {
			return err
		}
		u.add("elastic-ip", string(a.Allocation))
		if a.Interface == "" {
			return nil
		}
		e, err := tx.Interface(u.who.Account, a.Interface)
		if u.note(err, "network-interface", string(a.Interface)) == nil && e.Instance != "" {
			u.add("instance", string(e.Instance))
		}
		return err
	}),
	Run: disassociateAddress,
})

func disassociateAddress(ctx context.Context, api *API, who action.Caller, in *DisassociateAddressInput) (*action.Nothing, error) {
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := associated(tx, who.Account, in)
		if err != nil {
			return err
		}
		a.Interface, a.Association = "", ""
		return tx.Put(a)
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return nil, nil
}

// associated finds the address. One that is named by itself need not be
// associated, so that the same can be asked twice.
func associated(tx *store.Tx, account string, in *DisassociateAddressInput) (*store.Address, error) {
	if val(in.AssociationId) == "" && val(in.PublicIp) == "" {
		return nil, fault.New(fault.Invalid, "MissingParameter", "Either public IP or association id must be specified")
	}
	if val(in.AssociationId) == "" {
		return allocated(tx, account, nil, in.PublicIp)
	}
	if val(in.PublicIp) != "" {
		return nil, combination("You may specify public IP or association id, but not both in the same call")
	}
	name, err := parse[id.Association](*in.AssociationId)
	if err != nil {
		return nil, err
	}
	a, err := tx.AddressAssociated(account, name)
	if err == nil && a.Auto {
		return nil, fault.New(fault.Denied, "OperationNotPermitted", "The address %s is lent to its instance and goes back when the instance stops.", a.Address)
	}
	return a, err
}
