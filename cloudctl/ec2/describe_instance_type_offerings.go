package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DescribeInstanceTypeOfferingsInput narrows the list of offerings.
type DescribeInstanceTypeOfferingsInput struct {
	LocationType *string // region when absent
	Filters      []action.Filter
	MaxResults   *int
	NextToken    *string
}

// DescribeInstanceTypeOfferingsOutput is a page of offerings.
type DescribeInstanceTypeOfferingsOutput struct {
	InstanceTypeOfferings []InstanceTypeOffering
	NextToken             *string
}

// InstanceTypeOffering says that a type can be had in a place.
type InstanceTypeOffering struct {
	InstanceType string
	Location     string
	LocationType string
}

var offeringFields = fields[InstanceTypeOffering]{
	"instance-type": func(o InstanceTypeOffering) []string { return is(o.InstanceType) },
	"location":      func(o InstanceTypeOffering) []string { return is(o.Location) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeInstanceTypeOfferingsInput, DescribeInstanceTypeOfferingsOutput]{
	Name:    "DescribeInstanceTypeOfferings",
	Doc:     "Lists which instance types can be had where.",
	Example: DescribeInstanceTypeOfferingsInput{LocationType: ptr("availability-zone"), Filters: []action.Filter{{Name: "instance-type", Values: []string{"t1.*"}}}},
	On:      action.Everyone[*API, DescribeInstanceTypeOfferingsInput],
	List:    &action.List{Filters: offeringFields.names()},
	Run:     describeInstanceTypeOfferings,
})

func describeInstanceTypeOfferings(ctx context.Context, api *API, _ action.Caller, in *DescribeInstanceTypeOfferingsInput) (*DescribeInstanceTypeOfferingsOutput, error) {
	var zones []string
	err := api.Store.View(ctx, func(tx *store.Tx) (err error) {
		zones, err = tx.Zones()
		return err
	})
	if err != nil {
		return nil, err
	}
	kind := orElse(in.LocationType, "region")
	var places []string
	switch kind {
	case "region":
		places = []string{api.Region}
	case "availability-zone":
		places = zones
	case "availability-zone-id":
		for _, z := range zones {
			places = append(places, zoneID(api.Region, z))
		}
	case "outpost":
	default:
		return nil, invalid("Value (%s) for parameter locationType is invalid.", kind)
	}
	all := []InstanceTypeOffering{}
	for _, p := range places {
		for _, t := range instanceTypes {
			all = append(all, InstanceTypeOffering{InstanceType: t.name, Location: p, LocationType: kind})
		}
	}
	all = offeringFields.pick(in.Filters, all, noTags[InstanceTypeOffering])
	page, next, err := action.Page(ctx, all, func(o InstanceTypeOffering) string { return o.Location + " " + typeOrder(o.InstanceType) })
	return &DescribeInstanceTypeOfferingsOutput{InstanceTypeOfferings: page, NextToken: next}, err
}
