package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListMFADevicesInput names a user.
type ListMFADevicesInput struct {
	UserName *string // absent: who calls
	Marker   *string
	MaxItems *int
}

// ListMFADevicesOutput is a page of devices.
type ListMFADevicesOutput struct {
	MFADevices  []MFADevice
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListMFADevicesInput, ListMFADevicesOutput]{
	Name:    "ListMFADevices",
	Doc:     "Lists the devices of a user, or of who calls.",
	Example: ListMFADevicesInput{UserName: ptr("ada")},
	On:      on(func(t *things, in *ListMFADevicesInput) error { return t.person(in.UserName) }),
	List:    &action.List{},
	Run:     listMFADevices,
})

func listMFADevices(ctx context.Context, api *API, who action.Caller, in *ListMFADevicesInput) (*ListMFADevicesOutput, error) {
	out := &ListMFADevicesOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		p, err := personOf(tx, who, in.UserName)
		if err != nil {
			return err
		}
		rows, err := tx.MFADevicesOf(p.id)
		if err != nil {
			return err
		}
		out.MFADevices, out.Marker, err = paged(ctx, rows, deviceKey, func(d *store.MFADevice) MFADevice {
			return MFADevice{UserName: p.name, SerialNumber: d.Serial, EnableDate: val(d.Enabled)}
		})
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
