package iam

import (
	"cmp"
	"context"

	"karri/cloudctl/mfa"
	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// CreateVirtualMFADeviceInput describes the new device.
type CreateVirtualMFADeviceInput struct {
	Path                 *string
	VirtualMFADeviceName string
	Tags                 []Tag
}

// CreateVirtualMFADeviceOutput is the new device.
type CreateVirtualMFADeviceOutput struct{ VirtualMFADevice *VirtualMFADevice }

var _ = action.Add(Catalog, action.Def[*API, CreateVirtualMFADeviceInput, CreateVirtualMFADeviceOutput]{
	Name:    "CreateVirtualMFADevice",
	Doc:     "Makes a device for one-time codes; its seed and the picture of it are shown here only.",
	Example: CreateVirtualMFADeviceInput{VirtualMFADeviceName: "ada"},
	On: on(func(t *things, in *CreateVirtualMFADeviceInput) error {
		t.add(arn(t.who.Account, "mfa", val(in.Path), in.VirtualMFADeviceName), nil)
		t.tagged("iam:TagMFADevice", in.Tags)
		return nil
	}),
	Run: createVirtualMFADevice,
})

func createVirtualMFADevice(ctx context.Context, api *API, who action.Caller, in *CreateVirtualMFADeviceInput) (*CreateVirtualMFADeviceOutput, error) {
	if err := checkName("virtualMFADeviceName", in.VirtualMFADeviceName); err != nil {
		return nil, err
	}
	path, err := checkPath(val(in.Path))
	if err != nil {
		return nil, err
	}
	d := &store.MFADevice{Account: who.Account, Name: in.VirtualMFADeviceName, Path: path, Created: api.Clock()}
	if d.Serial = arn(who.Account, "mfa", path, d.Name); len(d.Serial) > 256 {
		return nil, validation("The path and the name of the device are longer than a serial number may be.")
	}
	if err := setTags(&d.Tags, in.Tags); err != nil {
		return nil, err
	}
	seed, err := mfa.NewSeed(api.random())
	if err != nil {
		return nil, err
	}
	mfa.Seal(api.Vault, d, seed)
	out := &VirtualMFADevice{SerialNumber: d.Serial, Base32StringSeed: []byte(seed), Tags: tagList(d.Tags)}
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.Account(who.Account)
		if err != nil {
			return err
		}
		if out.QRCodePNG, err = mfa.QR(seed, "Karri", d.Name+"@"+cmp.Or(a.Alias, a.Name)); err != nil {
			return err
		}
		if err := quota.Check(tx, who, "iam:quota-mfadevicenumber", 1); err != nil {
			return err
		}
		d.Creator = quota.Creator(who)
		if err := tx.Add(d); store.Taken(err) {
			return fault.New(fault.Conflict, "EntityAlreadyExists", "MFADevice entity at the same path and name already exists.")
		} else if err != nil {
			return err
		}
		return api.announceDevice(tx, d, created)
	})
	if err != nil {
		return nil, err
	}
	return &CreateVirtualMFADeviceOutput{VirtualMFADevice: out}, nil
}
