package iam

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// UntagMFADeviceInput names a device and keys of tags.
type UntagMFADeviceInput struct {
	SerialNumber string
	TagKeys      []string
}

var _ = action.Add(Catalog, action.Def[*API, UntagMFADeviceInput, action.Nothing]{
	Name:    "UntagMFADevice",
	Doc:     "Takes tags from a device.",
	Example: UntagMFADeviceInput{SerialNumber: "arn:aws:iam::123456789012:mfa/ada", TagKeys: []string{"team"}},
	On: on(func(t *things, in *UntagMFADeviceInput) error {
		t.device(in.SerialNumber)
		return nil
	}),
	Run: untagMFADevice,
})

func untagMFADevice(ctx context.Context, api *API, who action.Caller, in *UntagMFADeviceInput) (*action.Nothing, error) {
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		d, err := deviceOf(tx, who, in.SerialNumber)
		if err != nil {
			return err
		}
		for _, key := range in.TagKeys {
			dropTag(&d.Tags, key)
		}
		return api.putDevice(tx, d)
	})
}
