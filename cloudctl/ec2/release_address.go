package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ReleaseAddressInput names an address of the account.
type ReleaseAddressInput struct {
	AllocationId       *string
	NetworkBorderGroup *string
	PublicIp           *string
}

var _ = action.Add(Catalog, action.Def[*API, ReleaseAddressInput, action.Nothing]{
	Name:    "ReleaseAddress",
	Doc:     "Gives an address back to the cloud; it must not be associated.",
	Example: ReleaseAddressInput{AllocationId: ptr("eipalloc-1a2b3c4d5e6f70819")},
	On:      onAddress(func(in *ReleaseAddressInput) (*string, *string) { return in.AllocationId, in.PublicIp }),
	Run:     releaseAddress,
})

func releaseAddress(ctx context.Context, api *API, who action.Caller, in *ReleaseAddressInput) (*action.Nothing, error) {
	if g := orElse(in.NetworkBorderGroup, api.Region); g != api.Region {
		return nil, invalid("Value (%s) for parameter NetworkBorderGroup is invalid. Expecting %s.", g, api.Region)
	}
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := allocated(tx, who.Account, in.AllocationId, in.PublicIp)
		if err != nil {
			return err
		}
		if a.Association != "" {
			return inUse(a.Address)
		}
		if err := tx.DropTagsOn(string(a.Allocation)); err != nil {
			return err
		}
		return tx.Drop(a)
	})
}
