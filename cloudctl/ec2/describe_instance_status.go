package ec2

import (
	"context"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// DescribeInstanceStatusInput narrows the list of instances.
type DescribeInstanceStatusInput struct {
	IncludeAllInstances *bool // those that do not run, too
	InstanceIds         []string
	Filters             []action.Filter
	MaxResults          *int
	NextToken           *string
}

// DescribeInstanceStatusOutput is a page of instances' health.
type DescribeInstanceStatusOutput struct {
	InstanceStatuses []InstanceStatus
	NextToken        *string
}

// InstanceStatus is the health of an instance: of the machine itself and of
// what it stands on.
type InstanceStatus struct {
	AvailabilityZone string
	Events           []Nothing
	InstanceId       string
	InstanceState    InstanceState
	InstanceStatus   StatusSummary
	SystemStatus     StatusSummary
}

// StatusSummary is a verdict with what it was made of.
type StatusSummary struct {
	Details []StatusDetail
	Status  string
}

var instanceStatusFields = fields[InstanceStatus]{
	"availability-zone":            func(s InstanceStatus) []string { return is(s.AvailabilityZone) },
	"instance-state-code":          func(s InstanceStatus) []string { return isInt(s.InstanceState.Code) },
	"instance-state-name":          func(s InstanceStatus) []string { return is(s.InstanceState.Name) },
	"instance-status.status":       func(s InstanceStatus) []string { return is(s.InstanceStatus.Status) },
	"instance-status.reachability": func(s InstanceStatus) []string { return reachability(s.InstanceStatus) },
	"system-status.status":         func(s InstanceStatus) []string { return is(s.SystemStatus.Status) },
	"system-status.reachability":   func(s InstanceStatus) []string { return reachability(s.SystemStatus) },
	"event.code":                   func(InstanceStatus) []string { return nil },
}

func reachability(s StatusSummary) []string {
	return each(s.Details, func(d StatusDetail) string { return d.Status })
}

var _ = action.Add(Catalog, action.Def[*API, DescribeInstanceStatusInput, DescribeInstanceStatusOutput]{
	Name:    "DescribeInstanceStatus",
	Doc:     "Tells the health of instances and of the hosts that they run on.",
	Example: DescribeInstanceStatusInput{IncludeAllInstances: ptr(true)},
	On:      action.Own[*API, DescribeInstanceStatusInput],
	List:    &action.List{Filters: instanceStatusFields.names()},
	Run:     describeInstanceStatus,
})

func describeInstanceStatus(ctx context.Context, api *API, who action.Caller, in *DescribeInstanceStatusInput) (*DescribeInstanceStatusOutput, error) {
	if len(in.InstanceIds) > 0 && in.MaxResults != nil {
		return nil, combination("The parameter instancesSet cannot be used with the parameter maxResults")
	}
	all := []InstanceStatus{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		_, instances, err := api.instances(tx, who.Account, in.InstanceIds)
		for _, d := range instances {
			if d.State.Name == string(report.Running) || val(in.IncludeAllInstances) {
				all = append(all, api.status(d))
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	all = instanceStatusFields.pick(in.Filters, all, noTags[InstanceStatus])
	page, next, err := action.Page(ctx, all, func(s InstanceStatus) string { return s.InstanceId })
	return &DescribeInstanceStatusOutput{InstanceStatuses: page, NextToken: next}, err
}

func (api *API) status(d *described) InstanceStatus {
	out := InstanceStatus{AvailabilityZone: d.row.Zone, Events: []Nothing{}, InstanceId: d.InstanceId, InstanceState: d.State}
	health := "not-applicable"
	if d.State.Name == string(report.Running) {
		health = api.Reports.Cluster(d.row.Zone).Health(d.row, api.Clock())
	}
	reach := map[string]string{"ok": "passed", "impaired": "failed", "initializing": "initializing"}[health]
	s := StatusSummary{Status: health, Details: []StatusDetail{}}
	if reach != "" {
		s.Details = append(s.Details, StatusDetail{Name: "reachability", Status: reach})
	}
	out.InstanceStatus, out.SystemStatus = s, s
	return out
}
