package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// GetSubnetCidrReservationsInput names a subnet.
type GetSubnetCidrReservationsInput struct {
	Filters    []action.Filter
	MaxResults *int
	NextToken  *string
	SubnetId   string
}

// GetSubnetCidrReservationsOutput lists the ranges that are set apart in it.
type GetSubnetCidrReservationsOutput struct {
	NextToken                  *string
	SubnetIpv4CidrReservations []Nothing
	SubnetIpv6CidrReservations []Nothing
}

var _ = action.Add(Catalog, action.Def[*API, GetSubnetCidrReservationsInput, GetSubnetCidrReservationsOutput]{
	Name:    "GetSubnetCidrReservations",
	Doc:     "Lists the ranges of a subnet that are set apart: none, as none can be.",
	Example: GetSubnetCidrReservationsInput{SubnetId: "subnet-1a2b3c4d5e6f70819"},
	On:      onSubnet(func(in *GetSubnetCidrReservationsInput) string { return in.SubnetId }),
	List:    &action.List{Filters: []string{"reservationType", "subnet-id", "tag"}},
	Run: func(context.Context, *API, action.Caller, *GetSubnetCidrReservationsInput) (*GetSubnetCidrReservationsOutput, error) {
		return nil, nil
	},
})

// subnetOf finds a subnet by the text of its id.
func subnetOf(tx *store.Tx, account, name string) (*store.Subnet, error) {
	s, err := parse[id.Subnet](name)
	if err != nil {
		return nil, err
	}
	return tx.Subnet(account, s)
}

// onSubnet is the On of an action on one subnet.
func onSubnet[In any](name func(*In) string) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return on(func(tx *store.Tx, u *uses, in *In) error {
		_, err := subnetOf(tx, u.who.Account, name(in))
		return u.note(err, "subnet", name(in))
	})
}
