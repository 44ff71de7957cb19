package admin

import (
	"context"

	"karri/shared/action"
	"karri/shared/bucket"
)

// SetBucketQuotaInput names the bucket and its bounds; one of 0 is none.
type SetBucketQuotaInput struct {
	BucketName string
	MaxObjects *int64
	MaxBytes   *int64
}

var _ = action.Add(Catalog, action.Def[*API, SetBucketQuotaInput, action.Nothing]{
	Name:    "SetBucketQuota",
	Doc:     "Bounds how many objects and bytes a bucket may hold; bounds that are not given are none.",
	Example: SetBucketQuotaInput{BucketName: "pond", MaxBytes: new(int64(1 << 30))},
	On:      action.AdminOnly[*API, SetBucketQuotaInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *SetBucketQuotaInput) (*action.Nothing, error) {
		return nil, api.Buckets.SetQuota(ctx, in.BucketName, amount(in.MaxObjects, in.MaxBytes))
	},
})

// amount is a quota; what is not given is no bound.
func amount(objects, bytes *int64) (a bucket.Amount) {
	if objects != nil {
		a.Objects = *objects
	}
	if bytes != nil {
		a.Bytes = *bytes
	}
	return a
}
