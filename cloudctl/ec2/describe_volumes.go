package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DescribeVolumesInput narrows the list of volumes.
type DescribeVolumesInput struct {
	VolumeIds  []string
	Filters    []action.Filter
	MaxResults *int
	NextToken  *string
}

// DescribeVolumesOutput is a page of volumes.
type DescribeVolumesOutput struct {
	Volumes   []Volume
	NextToken *string
}

var volumeFields = fields[Volume]{
	"availability-zone":    func(v Volume) []string { return is(v.AvailabilityZone) },
	"create-time":          func(v Volume) []string { return is(v.CreateTime.UTC().Format("2006-01-02T15:04:05.000Z")) },
	"encrypted":            func(v Volume) []string { return isBool(v.Encrypted) },
	"multi-attach-enabled": func(v Volume) []string { return isBool(v.MultiAttachEnabled) },
	"size":                 func(v Volume) []string { return isInt(v.Size) },
	"snapshot-id":          func(v Volume) []string { return is(v.SnapshotId) },
	"status":               func(v Volume) []string { return is(v.State) },
	"volume-id":            func(v Volume) []string { return is(v.VolumeId) },
	"volume-type":          func(v Volume) []string { return is(v.VolumeType) },
	"attachment.device": func(v Volume) []string {
		return each(v.Attachments, func(a VolumeAttachment) string { return a.Device })
	},
	"attachment.instance-id": func(v Volume) []string {
		return each(v.Attachments, func(a VolumeAttachment) string { return a.InstanceId })
	},
	"attachment.status": func(v Volume) []string {
		return each(v.Attachments, func(a VolumeAttachment) string { return a.State })
	},
	"attachment.delete-on-termination": func(v Volume) []string {
		if len(v.Attachments) == 0 {
			return nil
		}
		return isBool(v.Attachments[0].DeleteOnTermination)
	},
}

var _ = action.Add(Catalog, action.Def[*API, DescribeVolumesInput, DescribeVolumesOutput]{
	Name:    "DescribeVolumes",
	Doc:     "Lists volumes and what they are attached to.",
	Example: DescribeVolumesInput{Filters: []action.Filter{{Name: "status", Values: []string{"available"}}}},
	On:      action.Own[*API, DescribeVolumesInput],
	List:    &action.List{Filters: volumeFields.names()},
	Run: func(ctx context.Context, api *API, who action.Caller, in *DescribeVolumesInput) (*DescribeVolumesOutput, error) {
		if len(in.VolumeIds) > 0 && in.MaxResults != nil {
			return nil, combination("The parameter volumeSet cannot be used with the parameter maxResults")
		}
		var all []Volume
		err := api.Store.View(ctx, func(tx *store.Tx) (err error) {
			all, err = api.volumes(tx, who.Account, in.VolumeIds)
			return err
		})
		if err != nil {
			return nil, err
		}
		all = volumeFields.pick(in.Filters, all, func(v Volume) []Tag { return v.Tags })
		page, next, err := action.Page(ctx, all, func(v Volume) string { return v.VolumeId })
		return &DescribeVolumesOutput{Volumes: page, NextToken: next}, err
	},
})
