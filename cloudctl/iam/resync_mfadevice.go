package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ResyncMFADeviceInput names a user and a device, with two codes.
type ResyncMFADeviceInput struct {
	UserName            string
	SerialNumber        string
	AuthenticationCode1 string
	AuthenticationCode2 string
}

var _ = action.Add(Catalog, action.Def[*API, ResyncMFADeviceInput, action.Nothing]{
	Name:    "ResyncMFADevice",
	Doc:     "Learns by how much the clock of a device is off, from two codes in a row.",
	Example: ResyncMFADeviceInput{UserName: "ada", SerialNumber: "arn:aws:iam::123456789012:mfa/ada", AuthenticationCode1: "123456", AuthenticationCode2: "654321"},
	On:      on(func(t *things, in *ResyncMFADeviceInput) error { return t.person(&in.UserName) }),
	Run:     resyncMFADevice,
})

func resyncMFADevice(ctx context.Context, api *API, who action.Caller, in *ResyncMFADeviceInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		d, _, err := heldDevice(tx, who, &in.UserName, in.SerialNumber)
		if err != nil {
			return err
		}
		if err := api.syncDevice(d, in.AuthenticationCode1, in.AuthenticationCode2); err != nil {
			return err
		}
		return api.putDevice(tx, d)
	})
}
