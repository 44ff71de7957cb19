package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ResetNetworkInterfaceAttributeInput names an interface and what to reset.
type ResetNetworkInterfaceAttributeInput struct {
	NetworkInterfaceId string
	SourceDestCheck    *string // any text: the source check is on again
}

var _ = action.Add(Catalog, action.Def[*API, ResetNetworkInterfaceAttributeInput, action.Nothing]{
	Name:    "ResetNetworkInterfaceAttribute",
	Doc:     "Turns the source check of a network interface on again.",
	Example: ResetNetworkInterfaceAttributeInput{NetworkInterfaceId: "eni-1a2b3c4d5e6f70819", SourceDestCheck: ptr("true")},
	On:      onInterface(func(in *ResetNetworkInterfaceAttributeInput) string { return in.NetworkInterfaceId }),
	Run:     resetNetworkInterfaceAttribute,
})

func resetNetworkInterfaceAttribute(ctx context.Context, api *API, who action.Caller, in *ResetNetworkInterfaceAttributeInput) (*action.Nothing, error) {
	if in.SourceDestCheck == nil {
		return nil, combination("No attributes specified.")
	}
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := interfaceOf(tx, who.Account, in.NetworkInterfaceId)
		if err != nil {
			return err
		}
		e.SourceCheck = true
		return tx.Put(e)
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return nil, nil
}
