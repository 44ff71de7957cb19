package ec2

import (
	"context"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/wire"
)

// DescribeAvailabilityZonesInput narrows the list of zones.
type DescribeAvailabilityZonesInput struct {
	AllAvailabilityZones *bool
	ZoneIds              []string
	ZoneNames            []string
	Filters              []action.Filter
}

// DescribeAvailabilityZonesOutput lists zones.
type DescribeAvailabilityZonesOutput struct{ AvailabilityZones []AvailabilityZone }

// AvailabilityZone is a cluster of nodes as clients see it.
type AvailabilityZone struct {
	GroupName          string
	Messages           []AvailabilityZoneMessage
	NetworkBorderGroup string
	OptInStatus        string
	RegionName         string
	State              string
	ZoneId             string
	ZoneName           string
	ZoneType           string
}

// AvailabilityZoneMessage is what is to be said of a zone.
type AvailabilityZoneMessage struct{ Message string }

var zoneFields = fields[AvailabilityZone]{
	"group-name":    func(z AvailabilityZone) []string { return is(z.GroupName) },
	"opt-in-status": func(z AvailabilityZone) []string { return is(z.OptInStatus) },
	"region-name":   func(z AvailabilityZone) []string { return is(z.RegionName) },
	"state":         func(z AvailabilityZone) []string { return is(z.State) },
	"zone-id":       func(z AvailabilityZone) []string { return is(z.ZoneId) },
	"zone-name":     func(z AvailabilityZone) []string { return is(z.ZoneName) },
	"zone-type":     func(z AvailabilityZone) []string { return is(z.ZoneType) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeAvailabilityZonesInput, DescribeAvailabilityZonesOutput]{
	Name:    "DescribeAvailabilityZones",
	Doc:     "Lists the zones of the region and whether they answer.",
	Example: DescribeAvailabilityZonesInput{ZoneNames: []string{"us-east-1a"}, Filters: []action.Filter{{Name: "state", Values: []string{"available"}}}},
	On:      action.Everyone[*API, DescribeAvailabilityZonesInput],
	List:    &action.List{Filters: zoneFields.names()},
	Run:     describeAvailabilityZones,
})

func describeAvailabilityZones(ctx context.Context, api *API, _ action.Caller, in *DescribeAvailabilityZonesInput) (*DescribeAvailabilityZonesOutput, error) {
	var names []string
	err := api.Store.View(ctx, func(tx *store.Tx) (err error) {
		names, err = tx.Zones()
		return err
	})
	if err != nil {
		return nil, err
	}
	all := []AvailabilityZone{}
	for _, name := range names {
		all = append(all, api.zone(name))
	}
	for _, by := range []struct {
		names []string
		name  func(AvailabilityZone) string
	}{
		{in.ZoneNames, func(z AvailabilityZone) string { return z.ZoneName }},
		{in.ZoneIds, func(z AvailabilityZone) string { return z.ZoneId }},
	} {
		all, err = wanted(by.names, all, by.name, func(name string) error {
			return fault.New(fault.Invalid, "InvalidParameterValue", "Invalid availability zone: [%s]", name)
		})
		if err != nil {
			return nil, err
		}
	}
	return &DescribeAvailabilityZonesOutput{AvailabilityZones: zoneFields.pick(in.Filters, all, noTags[AvailabilityZone])}, nil
}

func (api *API) zone(name string) AvailabilityZone {
	z := AvailabilityZone{
		GroupName: api.Region, Messages: []AvailabilityZoneMessage{}, NetworkBorderGroup: api.Region,
		OptInStatus: "opt-in-not-required", RegionName: api.Region, State: "available", ZoneId: zoneID(api.Region, name),
		ZoneName: name, ZoneType: "availability-zone",
	}
	r := api.Reports.Cluster(name)
	ready := 0
	for _, n := range r.Nodes {
		if n.State == wire.Ready {
			ready++
		}
	}
	switch {
	case api.Clock().Sub(r.Heard) > report.Old:
		z.State = "unavailable"
		z.Messages = append(z.Messages, AvailabilityZoneMessage{"The controller of the zone does not answer."})
	case ready == 0:
		z.State = "impaired"
		z.Messages = append(z.Messages, AvailabilityZoneMessage{"No node of the zone answers."})
	}
	return z
}

// zoneID is the name of a zone that is the same for all accounts: use1-az1 for
// the zone a of us-east-1. Here it differs from the name in form only.
func zoneID(region, zone string) string {
	letter := zone[len(zone)-1]
	short := ""
	word := true
	for _, c := range region {
		switch {
		case c == '-':
			word = true
		case c >= '0' && c <= '9', word:
			short += string(c)
			word = false
		}
	}
	if len(region) > 3 && region[2] == '-' { // us-east-1 is use1
		short = region[:2] + short[1:]
	}
	return short + "-az" + string('1'+(letter-'a')%9)
}
