package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// EnableMFADeviceInput names a user and a device, with two codes.
type EnableMFADeviceInput struct {
	UserName            string
	SerialNumber        string
	AuthenticationCode1 string
	AuthenticationCode2 string
}

var _ = action.Add(Catalog, action.Def[*API, EnableMFADeviceInput, action.Nothing]{
	Name:    "EnableMFADevice",
	Doc:     "Gives a device to a user, who shows two codes in a row from it.",
	Example: EnableMFADeviceInput{UserName: "ada", SerialNumber: "arn:aws:iam::123456789012:mfa/ada", AuthenticationCode1: "123456", AuthenticationCode2: "654321"},
	On:      on(func(t *things, in *EnableMFADeviceInput) error { return t.person(&in.UserName) }),
	Run:     enableMFADevice,
})

func enableMFADevice(ctx context.Context, api *API, who action.Caller, in *EnableMFADeviceInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		p, err := personOf(tx, who, &in.UserName)
		if err != nil {
			return err
		}
		d, err := deviceOf(tx, who, in.SerialNumber)
		if err != nil {
			return err
		}
		if d.Holder != "" {
			return fault.New(fault.Conflict, "EntityAlreadyExists", "MFA Device is already in use.")
		}
		has, err := tx.MFADevicesOf(p.id)
		if err != nil {
			return err
		}
		if len(has) >= maxDevices {
			return fault.New(fault.Full, "LimitExceeded", "Cannot exceed quota for MfaDevicesPerUser: %d", maxDevices)
		}
		if err := api.syncDevice(d, in.AuthenticationCode1, in.AuthenticationCode2); err != nil {
			return err
		}
		d.Holder, d.Enabled = p.id, ptr(api.Clock())
		return api.putDevice(tx, d)
	})
}
