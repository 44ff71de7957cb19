package ec2

import (
	"context"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// DescribeVolumeStatusInput narrows the list of volumes.
type DescribeVolumeStatusInput struct {
	VolumeIds  []string
	Filters    []action.Filter
	MaxResults *int
	NextToken  *string
}

// DescribeVolumeStatusOutput is a page of volumes' health.
type DescribeVolumeStatusOutput struct {
	VolumeStatuses []VolumeStatusItem
	NextToken      *string
}

// VolumeStatusItem is the health of a volume.
type VolumeStatusItem struct {
	Actions          []Nothing
	AvailabilityZone string
	Events           []Nothing
	VolumeId         string
	VolumeStatus     VolumeStatusInfo
}

// VolumeStatusInfo is a verdict with what it was made of.
type VolumeStatusInfo struct {
	Details []StatusDetail
	Status  string
}

// StatusDetail is the verdict of one check.
type StatusDetail struct {
	Name   string
	Status string
}

var volumeStatusFields = fields[VolumeStatusItem]{
	"availability-zone":    func(v VolumeStatusItem) []string { return is(v.AvailabilityZone) },
	"volume-status.status": func(v VolumeStatusItem) []string { return is(v.VolumeStatus.Status) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeVolumeStatusInput, DescribeVolumeStatusOutput]{
	Name:    "DescribeVolumeStatus",
	Doc:     "Tells the health of volumes as their zone reports it.",
	Example: DescribeVolumeStatusInput{VolumeIds: []string{"vol-1a2b3c4d5e6f70819"}},
	On:      action.Own[*API, DescribeVolumeStatusInput],
	List:    &action.List{Filters: volumeStatusFields.names()},
	Run:     describeVolumeStatus,
})

func describeVolumeStatus(ctx context.Context, api *API, who action.Caller, in *DescribeVolumeStatusInput) (*DescribeVolumeStatusOutput, error) {
	var volumes []Volume
	err := api.Store.View(ctx, func(tx *store.Tx) (err error) {
		volumes, err = api.volumes(tx, who.Account, in.VolumeIds)
		return err
	})
	if err != nil {
		return nil, err
	}
	all := []VolumeStatusItem{}
	for _, v := range volumes {
		status, io := "ok", "passed"
		old := api.Clock().Sub(api.Reports.Block(v.AvailabilityZone).Heard) > report.Old
		switch {
		case v.State == "error":
			status, io = "impaired", "failed"
		case old || v.State == "creating" || v.State == "deleting":
			status, io = "insufficient-data", "insufficient-data"
		}
		all = append(all, VolumeStatusItem{
			Actions: []Nothing{}, AvailabilityZone: v.AvailabilityZone, Events: []Nothing{}, VolumeId: v.VolumeId,
			VolumeStatus: VolumeStatusInfo{Status: status, Details: []StatusDetail{{"io-enabled", io}, {"io-performance", "not-applicable"}}},
		})
	}
	all = volumeStatusFields.pick(in.Filters, all, noTags[VolumeStatusItem])
	page, next, err := action.Page(ctx, all, func(v VolumeStatusItem) string { return v.VolumeId })
	return &DescribeVolumeStatusOutput{VolumeStatuses: page, NextToken: next}, err
}
