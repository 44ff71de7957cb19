package ec2

import (
	"context"
	"net/netip"
	"slices"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// AllocateAddressInput asks for a public address.
type AllocateAddressInput struct {
	Address            *string // this very one
	Domain             *string
	NetworkBorderGroup *string
	TagSpecifications  []TagSpecification
}

// AllocateAddressOutput is the address.
type AllocateAddressOutput struct {
	AllocationId       string
	Domain             string
	NetworkBorderGroup string
	PublicIp           string
	PublicIpv4Pool     string
}

var _ = action.Add(Catalog, action.Def[*API, AllocateAddressInput, AllocateAddressOutput]{
	Name:    "AllocateAddress",
	Doc:     "Takes a public address for the account, until it is released.",
	Example: AllocateAddressInput{Domain: ptr("vpc")},
	On:      on(func(_ *store.Tx, u *uses, _ *AllocateAddressInput) error { u.fresh("elastic-ip"); return nil }),
	Run:     allocateAddress,
})

func allocateAddress(ctx context.Context, api *API, who action.Caller, in *AllocateAddressInput) (*AllocateAddressOutput, error) {
	if orElse(in.Domain, "vpc") != "vpc" {
		return nil, unsupported("The domain '%s' is not supported: every address is for a VPC.", *in.Domain)
	}
	if g := orElse(in.NetworkBorderGroup, api.Region); g != api.Region {
		return nil, invalid("Value (%s) for parameter NetworkBorderGroup is invalid. Expecting %s.", g, api.Region)
	}
	tags, err := newTags(in.TagSpecifications, "elastic-ip")
	if err != nil {
		return nil, err
	}
	a := &store.Address{Account: who.Account, Creator: quota.Creator(who), Created: api.Clock()}
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := quota.Check(tx, who, quota.Addresses, 1); err != nil {
			return err
		}
		if a.Address, err = api.publicAddress(tx, val(in.Address)); err != nil {
			return err
		}
		a.Allocation = id.New[id.Allocation](api.Rand)
		if err := tx.Add(a); err != nil {
			return err
		}
		return putTags(tx, who.Account, "elastic-ip", string(a.Allocation), tags["elastic-ip"])
	})
	return &AllocateAddressOutput{
		AllocationId: string(a.Allocation), Domain: "vpc", NetworkBorderGroup: api.Region, PublicIp: a.Address, PublicIpv4Pool: lender,
	}, err
}

// publicAddress returns a free address of the pool: the asked one, if any.
func (api *API) publicAddress(tx *store.Tx, asked string) (string, error) {
	if asked == "" {
		return api.FreePublic(tx)
	}
	a, err := addressOf(asked)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(api.Pool, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return "", noAddress(asked)
	}
	_, err = tx.AddressNumbered(store.AnyAccount, a.String())
	if err == nil {
		return "", inUse(asked)
	}
	if fault.KindOf(err) != fault.Missing {
		return "", err
	}
	return a.String(), nil
}

func inUse(address string) error {
	return fault.New(fault.Conflict, "InvalidIPAddress.InUse", "Address %s is in use.", address)
}
