package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ModifySubnetAttributeInput changes a subnet.
type ModifySubnetAttributeInput struct {
	MapPublicIpOnLaunch            *BoolValue
	PrivateDnsHostnameTypeOnLaunch *string
	SubnetId                       string
}

var _ = action.Add(Catalog, action.Def[*API, ModifySubnetAttributeInput, action.Nothing]{
	Name:    "ModifySubnetAttribute",
	Doc:     "Says whether new instances of a subnet are lent a public address.",
	Example: ModifySubnetAttributeInput{SubnetId: "subnet-1a2b3c4d5e6f70819", MapPublicIpOnLaunch: &BoolValue{ptr(false)}},
	On:      onSubnet(func(in *ModifySubnetAttributeInput) string { return in.SubnetId }),
	Run:     modifySubnetAttribute,
})

func modifySubnetAttribute(ctx context.Context, api *API, who action.Caller, in *ModifySubnetAttributeInput) (*action.Nothing, error) {
	if h := orElse(in.PrivateDnsHostnameTypeOnLaunch, "ip-name"); h != "ip-name" {
		return nil, unsupported("Hosts are named after their addresses; the host name type '%s' is not supported.", h)
	}
	if in.MapPublicIpOnLaunch == nil && in.PrivateDnsHostnameTypeOnLaunch == nil {
		return nil, combination("No attributes specified.")
	}
	return nil, api.Store.InTx(ctx, func(tx *store.Tx) error {
		s, err := subnetOf(tx, who.Account, in.SubnetId)
		if err != nil || in.MapPublicIpOnLaunch == nil {
			return err
		}
		if in.MapPublicIpOnLaunch.Value == nil {
			return lacking("MapPublicIpOnLaunch.Value")
		}
		s.Public = *in.MapPublicIpOnLaunch.Value
		return tx.Put(s)
	})
}
