package iam

import (
	"context"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetMFADeviceInput names a device.
type GetMFADeviceInput struct {
	SerialNumber string
	UserName     *string
}

// GetMFADeviceOutput is the device.
type GetMFADeviceOutput struct {
	UserName     string
	SerialNumber string
	EnableDate   *time.Time
}

var _ = action.Add(Catalog, action.Def[*API, GetMFADeviceInput, GetMFADeviceOutput]{
	Name:    "GetMFADevice",
	Doc:     "Shows whose a device is.",
	Example: GetMFADeviceInput{SerialNumber: "arn:aws:iam::123456789012:mfa/ada", UserName: ptr("ada")},
	On: on(func(t *things, in *GetMFADeviceInput) error {
		t.device(in.SerialNumber)
		return nil
	}),
	Run: getMFADevice,
})

func getMFADevice(ctx context.Context, api *API, who action.Caller, in *GetMFADeviceInput) (*GetMFADeviceOutput, error) {
	out := &GetMFADeviceOutput{}
	return out, api.Store.View(ctx, func(tx *store.Tx) error {
		d, p, err := heldDevice(tx, who, in.UserName, in.SerialNumber)
		if err == nil {
			*out = GetMFADeviceOutput{UserName: p.name, SerialNumber: d.Serial, EnableDate: d.Enabled}
		}
		return err
	})
}
