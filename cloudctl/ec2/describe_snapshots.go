package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DescribeSnapshotsInput narrows the list of snapshots.
type DescribeSnapshotsInput struct {
	OwnerIds            []string
	RestorableByUserIds []string
	SnapshotIds         []string
	Filters             []action.Filter
	MaxResults          *int
	NextToken           *string
}

// DescribeSnapshotsOutput is a page of snapshots.
type DescribeSnapshotsOutput struct {
	Snapshots []Snapshot
	NextToken *string
}

var snapshotFields = fields[Snapshot]{
	"description":  func(s Snapshot) []string { return is(s.Description) },
	"encrypted":    func(s Snapshot) []string { return isBool(s.Encrypted) },
	"owner-alias":  func(Snapshot) []string { return []string{"self"} },
	"owner-id":     func(s Snapshot) []string { return is(s.OwnerId) },
	"progress":     func(s Snapshot) []string { return is(s.Progress) },
	"snapshot-id":  func(s Snapshot) []string { return is(s.SnapshotId) },
	"start-time":   func(s Snapshot) []string { return is(s.StartTime.UTC().Format("2006-01-02T15:04:05.000Z")) },
	"status":       func(s Snapshot) []string { return is(s.State) },
	"storage-tier": func(s Snapshot) []string { return is(s.StorageTier) },
	"volume-id":    func(s Snapshot) []string { return is(s.VolumeId) },
	"volume-size":  func(s Snapshot) []string { return isInt(s.VolumeSize) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeSnapshotsInput, DescribeSnapshotsOutput]{
	Name:    "DescribeSnapshots",
	Doc:     "Lists snapshots and how far they are.",
	Example: DescribeSnapshotsInput{OwnerIds: []string{"self"}},
	On:      action.Own[*API, DescribeSnapshotsInput],
	List:    &action.List{Filters: snapshotFields.names()},
	Run: func(ctx context.Context, api *API, who action.Caller, in *DescribeSnapshotsInput) (*DescribeSnapshotsOutput, error) {
		if len(in.SnapshotIds) > 0 && in.MaxResults != nil {
			return nil, combination("The parameter snapshotSet cannot be used with the parameter maxResults")
		}
		var all []Snapshot
		err := api.Store.View(ctx, func(tx *store.Tx) (err error) {
			all, err = api.snapshots(tx, who.Account, in.SnapshotIds)
			return err
		})
		if err != nil {
			return nil, err
		}
		if !ownsOne(in.OwnerIds, who.Account) || !ownsOne(in.RestorableByUserIds, who.Account) {
			all = []Snapshot{}
		}
		all = snapshotFields.pick(in.Filters, all, func(s Snapshot) []Tag { return s.Tags })
		page, next, err := action.Page(ctx, all, func(s Snapshot) string { return s.SnapshotId })
		return &DescribeSnapshotsOutput{Snapshots: page, NextToken: next}, err
	},
})
