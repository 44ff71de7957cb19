package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeleteNetworkInterfaceInput names a network interface.
type DeleteNetworkInterfaceInput struct{ NetworkInterfaceId string }

var _ = action.Add(Catalog, action.Def[*API, DeleteNetworkInterfaceInput, action.Nothing]{
	Name:    "DeleteNetworkInterface",
	Doc:     "Removes a network interface that outlived its instance.",
	Example: DeleteNetworkInterfaceInput{NetworkInterfaceId: "eni-1a2b3c4d5e6f70819"},
	On:      onInterface(func(in *DeleteNetworkInterfaceInput) string { return in.NetworkInterfaceId }),
	Run:     deleteNetworkInterface,
})

// deleteNetworkInterface gives an allocated address back to its owner, who
// keeps it.
func deleteNetworkInterface(ctx context.Context, api *API, who action.Caller, in *DeleteNetworkInterfaceInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := interfaceOf(tx, who.Account, in.NetworkInterfaceId)
		if err != nil {
			return err
		}
		if e.Instance != "" {
			return invalid("Network interface '%s' is currently in use.", e.ID)
		}
		a, err := tx.AddressOn(e.ID)
		if err != nil {
			return err
		}
		if a != nil {
			a.Interface, a.Association = "", ""
			if err := tx.Put(a); err != nil {
				return err
			}
		}
		if err := tx.DropTagsOn(string(e.ID)); err != nil {
			return err
		}
		return tx.Drop(e)
	})
}
