package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// DescribeRouteTablesInput narrows the list of route tables.
type DescribeRouteTablesInput struct {
	Filters       []action.Filter
	MaxResults    *int
	NextToken     *string
	RouteTableIds []string
}

// DescribeRouteTablesOutput is a page of route tables.
type DescribeRouteTablesOutput struct {
	NextToken   *string
	RouteTables []RouteTable
}

// RouteTable says where the packets of its subnets go.
type RouteTable struct {
	Associations    []RouteTableAssociation
	OwnerId         string
	PropagatingVgws []Nothing
	RouteTableId    string
	Routes          []Route
	Tags            []Tag
	VpcId           string
}

// RouteTableAssociation ties a table to a subnet, or to the VPC as its main one.
type RouteTableAssociation struct {
	AssociationState        RouteTableAssociationState
	Main                    bool
	RouteTableAssociationId string
	RouteTableId            string
	SubnetId                *string
}

// RouteTableAssociationState says that the association is in force.
type RouteTableAssociationState struct{ State string }

// Route is one line of a table.
type Route struct {
	DestinationCidrBlock string
	GatewayId            string
	Origin               string
	State                string
}

func eachAssociation(value func(RouteTableAssociation) string) func(RouteTable) []string {
	return func(t RouteTable) []string { return each(t.Associations, value) }
}

func eachRoute(value func(Route) string) func(RouteTable) []string {
	return func(t RouteTable) []string { return each(t.Routes, value) }
}

func none(RouteTable) []string { return nil }

var tableFields = fields[RouteTable]{
	"association.gateway-id":                 none,
	"association.main":                       eachAssociation(func(a RouteTableAssociation) string { return isBool(a.Main)[0] }),
	"association.route-table-association-id": eachAssociation(func(a RouteTableAssociation) string { return a.RouteTableAssociationId }),
	"association.route-table-id":             eachAssociation(func(a RouteTableAssociation) string { return a.RouteTableId }),
	"association.subnet-id":                  eachAssociation(func(a RouteTableAssociation) string { return val(a.SubnetId) }),
	"owner-id":                               func(t RouteTable) []string { return is(t.OwnerId) },
	"route-table-id":                         func(t RouteTable) []string { return is(t.RouteTableId) },
	"route.destination-cidr-block":           eachRoute(func(r Route) string { return r.DestinationCidrBlock }),
	"route.destination-ipv6-cidr-block":      none,
	"route.destination-prefix-list-id":       none,
	"route.egress-only-internet-gateway-id":  none,
	"route.gateway-id":                       eachRoute(func(r Route) string { return r.GatewayId }),
	"route.instance-id":                      none,
	"route.nat-gateway-id":                   none,
	"route.origin":                           eachRoute(func(r Route) string { return r.Origin }),
	"route.state":                            eachRoute(func(r Route) string { return r.State }),
	"route.transit-gateway-id":               none,
	"route.vpc-peering-connection-id":        none,
	"vpc-id":                                 func(t RouteTable) []string { return is(t.VpcId) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeRouteTablesInput, DescribeRouteTablesOutput]{
	Name:    "DescribeRouteTables",
	Doc:     "Lists route tables.",
	Example: DescribeRouteTablesInput{Filters: []action.Filter{{Name: "association.main", Values: []string{"true"}}}},
	On:      action.Own[*API, DescribeRouteTablesInput],
	List:    &action.List{Filters: tableFields.names(), Max: 100},
	Run:     describeRouteTables,
})

var tableListing = listing[id.RouteTable, RouteTable]{
	name: func(t RouteTable) string { return t.RouteTableId }, tags: func(t RouteTable) []Tag { return t.Tags }, fields: tableFields,
	missing: "InvalidRouteTableID.NotFound", what: "routeTable", rows: tableRows,
}

func describeRouteTables(ctx context.Context, api *API, who action.Caller, in *DescribeRouteTablesInput) (*DescribeRouteTablesOutput, error) {
	page, next, err := tableListing.page(ctx, api, who, in.RouteTableIds, in.Filters)
	return &DescribeRouteTablesOutput{RouteTables: page, NextToken: next}, err
}

func tableRows(tx *store.Tx, l *looker) ([]RouteTable, error) {
	rows, err := tx.RouteTablesOf(l.account)
	if err != nil {
		return nil, err
	}
	vpcs, err := tx.VPCsOf(l.account)
	if err != nil {
		return nil, err
	}
	ranges := map[id.VPC]string{}
	for _, v := range vpcs {
		ranges[v.ID] = v.CIDR
	}
	ties, err := tx.RouteAssociationsOf(l.account)
	all := []RouteTable{}
	for _, t := range rows {
		out := RouteTable{
			Associations: []RouteTableAssociation{}, OwnerId: t.Account, PropagatingVgws: []Nothing{}, RouteTableId: string(t.ID),
			Routes: []Route{{ranges[t.VPC], "local", "CreateRouteTable", "active"}}, Tags: tagSet(l.tags[string(t.ID)]), VpcId: string(t.VPC),
		}
		for _, r := range t.Routes {
			out.Routes = append(out.Routes, Route{r.CIDR, string(r.Gateway), "CreateRoute", "active"})
		}
		if t.Main != "" {
			out.Associations = append(out.Associations, tie(t.ID, t.Main, ""))
		}
		for _, a := range ties {
			if a.Table == t.ID {
				out.Associations = append(out.Associations, tie(t.ID, a.ID, a.Subnet))
			}
		}
		all = append(all, out)
	}
	return all, err
}

// tie is an association of a table: its main one when there is no subnet.
func tie(table id.RouteTable, name id.RouteAssoc, subnet id.Subnet) RouteTableAssociation {
	return RouteTableAssociation{
		AssociationState: RouteTableAssociationState{"associated"}, Main: subnet == "", RouteTableAssociationId: string(name),
		RouteTableId: string(table), SubnetId: opt(subnet),
	}
}
