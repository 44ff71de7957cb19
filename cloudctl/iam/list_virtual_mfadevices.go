package iam

import (
	"context"
	"slices"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListVirtualMFADevicesInput narrows the list.
type ListVirtualMFADevicesInput struct {
	AssignmentStatus *string
	Marker           *string
	MaxItems         *int
}

// ListVirtualMFADevicesOutput is a page of devices.
type ListVirtualMFADevicesOutput struct {
	VirtualMFADevices []VirtualMFADevice
	IsTruncated       bool
	Marker            *string
}

var _ = action.Add(Catalog, action.Def[*API, ListVirtualMFADevicesInput, ListVirtualMFADevicesOutput]{
	Name:    "ListVirtualMFADevices",
	Doc:     "Lists the devices of the account, those of a user or of nobody.",
	Example: ListVirtualMFADevicesInput{AssignmentStatus: ptr("Assigned")},
	On:      onAccount[ListVirtualMFADevicesInput]("mfa"),
	List:    &action.List{},
	Run:     listVirtualMFADevices,
})

func listVirtualMFADevices(ctx context.Context, api *API, who action.Caller, in *ListVirtualMFADevicesInput) (*ListVirtualMFADevicesOutput, error) {
	out := &ListVirtualMFADevicesOutput{VirtualMFADevices: []VirtualMFADevice{}}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.MFADevices(who.Account)
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(d store.MFADevice) bool {
			return val(in.AssignmentStatus) == "Assigned" && d.Holder == "" || val(in.AssignmentStatus) == "Unassigned" && d.Holder != ""
		})
		rows, out.Marker, err = action.Page(ctx, rows, deviceKey)
		for _, d := range rows {
			shown, err := showDevice(tx, &d)
			if err != nil {
				return err
			}
			out.VirtualMFADevices = append(out.VirtualMFADevices, shown)
		}
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}

func deviceKey(d store.MFADevice) string { return shortKey(d.Name, d.Serial) }
