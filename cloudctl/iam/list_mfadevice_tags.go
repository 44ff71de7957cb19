package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ListMFADeviceTagsInput names a device.
type ListMFADeviceTagsInput struct {
	SerialNumber string
	Marker       *string
	MaxItems     *int
}

// ListMFADeviceTagsOutput is a page of tags.
type ListMFADeviceTagsOutput struct {
	Tags        []Tag
	IsTruncated bool
	Marker      *string
}

var _ = action.Add(Catalog, action.Def[*API, ListMFADeviceTagsInput, ListMFADeviceTagsOutput]{
	Name:    "ListMFADeviceTags",
	Doc:     "Lists the tags of a device.",
	Example: ListMFADeviceTagsInput{SerialNumber: "arn:aws:iam::123456789012:mfa/ada"},
	On: on(func(t *things, in *ListMFADeviceTagsInput) error {
		t.device(in.SerialNumber)
		return nil
	}),
	List: &action.List{},
	Run:  listMFADeviceTags,
})

func listMFADeviceTags(ctx context.Context, api *API, who action.Caller, in *ListMFADeviceTagsInput) (*ListMFADeviceTagsOutput, error) {
	out := &ListMFADeviceTagsOutput{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		d, err := deviceOf(tx, who, in.SerialNumber)
		if err != nil {
			return err
		}
		out.Tags, out.Marker, err = tagPage(ctx, d.Tags)
		return err
	})
	out.IsTruncated = out.Marker != nil
	return out, err
}
