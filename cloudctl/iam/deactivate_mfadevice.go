package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DeactivateMFADeviceInput names a user and a device.
type DeactivateMFADeviceInput struct {
	UserName     string
	SerialNumber string
}

var _ = action.Add(Catalog, action.Def[*API, DeactivateMFADeviceInput, action.Nothing]{
	Name:    "DeactivateMFADevice",
	Doc:     "Takes a device from a user.",
	Example: DeactivateMFADeviceInput{UserName: "ada", SerialNumber: "arn:aws:iam::123456789012:mfa/ada"},
	On:      on(func(t *things, in *DeactivateMFADeviceInput) error { return t.person(&in.UserName) }),
	Run:     deactivateMFADevice,
})

func deactivateMFADevice(ctx context.Context, api *API, who action.Caller, in *DeactivateMFADeviceInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		d, _, err := heldDevice(tx, who, &in.UserName, in.SerialNumber)
		if err != nil {
			return err
		}
		d.Holder, d.Enabled = "", nil
		return api.putDevice(tx, d)
	})
}
