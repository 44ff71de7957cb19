package admin

import (
	"context"
	"strings"
	"time"

	"karri/shared/action"
)

// ListBucketsInput narrows it to some buckets, or to those of an account.
type ListBucketsInput struct {
	BucketNames []string
	AccountId   *string // or its name, or its alias
}

// ListBucketsOutput lists the buckets by name.
type ListBucketsOutput struct{ Buckets []Bucket }

// Bucket is a bucket as the administrator sees it; a bound that is not set is absent.
type Bucket struct {
	BucketName string
	AccountId  string
	Created    time.Time
	Versioning string
	Settings   string // names, by commas
	Objects    int64
	Bytes      int64
	MaxObjects *int64
	MaxBytes   *int64
}

var _ = action.Add(Catalog, action.Def[*API, ListBucketsInput, ListBucketsOutput]{
	Name:    "ListBuckets",
	Doc:     "Tells of buckets how much they hold, may hold, and which settings they have.",
	Example: ListBucketsInput{BucketNames: []string{"pond"}},
	On:      action.AdminOnly[*API, ListBucketsInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *ListBucketsInput) (*ListBucketsOutput, error) {
		names := in.BucketNames
		if len(names) == 0 {
			names = []string{""}
		}
		account, err := api.called(ctx, in.AccountId, "")
		if err != nil {
			return nil, err
		}
		out := &ListBucketsOutput{}
		for _, name := range names {
			held, err := api.Buckets.Describe(ctx, account, name)
			if err != nil {
				return nil, err
			}
			for _, b := range held {
				out.Buckets = append(out.Buckets, Bucket{BucketName: b.Name, AccountId: b.Owner, Created: b.Created, Versioning: b.Versioning, Settings: strings.Join(b.Settings, ","),
					Objects: b.Used.Objects, Bytes: b.Used.Bytes, MaxObjects: bound(b.Quota.Objects), MaxBytes: bound(b.Quota.Bytes)})
			}
		}
		return out, nil
	},
})

// bound returns a quota as it is shown: nil when there is none.
func bound(quota int64) *int64 {
	if quota == 0 {
		return nil
	}
	return &quota
}
