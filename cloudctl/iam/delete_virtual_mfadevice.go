package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// DeleteVirtualMFADeviceInput names a device.
type DeleteVirtualMFADeviceInput struct {
	SerialNumber string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteVirtualMFADeviceInput, action.Nothing]{
	Name:    "DeleteVirtualMFADevice",
	Doc:     "Deletes a device that nobody has any more.",
	Example: DeleteVirtualMFADeviceInput{SerialNumber: "arn:aws:iam::123456789012:mfa/ada"},
	On: on(func(t *things, in *DeleteVirtualMFADeviceInput) error {
		t.device(in.SerialNumber)
		return nil
	}),
	Run: deleteVirtualMFADevice,
})

func deleteVirtualMFADevice(ctx context.Context, api *API, who action.Caller, in *DeleteVirtualMFADeviceInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		d, err := deviceOf(tx, who, in.SerialNumber)
		if err != nil {
			return err
		}
		if d.Holder != "" {
			return fault.New(fault.Conflict, "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.")
		}
		if err := tx.Drop(d); err != nil {
			return err
		}
		return api.announceDevice(tx, d, deleted)
	})
}
