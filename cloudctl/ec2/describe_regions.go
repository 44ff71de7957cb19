package ec2

import (
	"context"

	"karri/shared/action"
	"karri/shared/fault"
)

// DescribeRegionsInput narrows the list of regions.
type DescribeRegionsInput struct {
	AllRegions  *bool
	RegionNames []string
	Filters     []action.Filter
}

// DescribeRegionsOutput lists the one region that a cloud is.
type DescribeRegionsOutput struct{ Regions []Region }

// Region is a cloud as clients see it.
type Region struct {
	Endpoint    string
	OptInStatus string
	RegionName  string
}

var regionFields = fields[Region]{
	"endpoint":      func(r Region) []string { return is(r.Endpoint) },
	"opt-in-status": func(r Region) []string { return is(r.OptInStatus) },
	"region-name":   func(r Region) []string { return is(r.RegionName) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeRegionsInput, DescribeRegionsOutput]{
	Name:    "DescribeRegions",
	Doc:     "Lists the region that this cloud is.",
	Example: DescribeRegionsInput{AllRegions: ptr(true), RegionNames: []string{"us-east-1"}},
	On:      action.Everyone[*API, DescribeRegionsInput],
	List:    &action.List{Filters: regionFields.names()},
	Run: func(_ context.Context, api *API, _ action.Caller, in *DescribeRegionsInput) (*DescribeRegionsOutput, error) {
		all := []Region{{Endpoint: api.Endpoint, OptInStatus: "opt-in-not-required", RegionName: api.Region}}
		all, err := wanted(in.RegionNames, all, func(r Region) string { return r.RegionName }, func(name string) error {
			return fault.New(fault.Invalid, "InvalidParameterValue", "Invalid region: [%s]", name)
		})
		return &DescribeRegionsOutput{Regions: regionFields.pick(in.Filters, all, noTags[Region])}, err
	},
})

// noTags is the tags of what has none.
func noTags[T any](T) []Tag { return nil }
