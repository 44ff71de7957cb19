package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// TagMFADeviceInput names a device and tags.
type TagMFADeviceInput struct {
	SerialNumber string
	Tags         []Tag
}

var _ = action.Add(Catalog, action.Def[*API, TagMFADeviceInput, action.Nothing]{
	Name:    "TagMFADevice",
	Doc:     "Gives a device tags.",
	Example: TagMFADeviceInput{SerialNumber: "arn:aws:iam::123456789012:mfa/ada", Tags: []Tag{{Key: "team", Value: "lasers"}}},
	On: on(func(t *things, in *TagMFADeviceInput) error {
		t.device(in.SerialNumber)
		return nil
	}),
	Run: tagMFADevice,
})

func tagMFADevice(ctx context.Context, api *API, who action.Caller, in *TagMFADeviceInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		d, err := deviceOf(tx, who, in.SerialNumber)
		if err != nil {
			return err
		}
		if err := setTags(&d.Tags, in.Tags); err != nil {
			return err
		}
		return api.putDevice(tx, d)
	})
}
