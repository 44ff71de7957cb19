package ec2

import (
	"context"
	"net/netip"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// allocated finds the address that a request names by its allocation id or by
// itself. A lent one is not the account's to name.
func allocated(tx *store.Tx, account string, allocation, address *string) (*store.Address, error) {
	switch {
	case val(allocation) != "" && val(address) != "":
		return nil, combination("You may specify public IP or allocation id, but not both in the same call")
	case val(allocation) != "":
		a, err := parse[id.Allocation](*allocation)
		if err != nil {
			return nil, err
		}
		return tx.Address(account, a)
	case val(address) != "":
		a, err := addressOf(*address)
		if err != nil {
			return nil, err
		}
		row, err := tx.AddressNumbered(account, a.String())
		if err == nil && row.Auto {
			return nil, noAddress(*address)
		}
		return row, err
	}
	return nil, fault.New(fault.Invalid, "MissingParameter", "Either public IP or allocation id must be specified")
}

func noAddress(address string) error {
	return fault.New(fault.Missing, "InvalidAddress.NotFound", "Address '%s' not found.", address)
}

func addressOf(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() {
		return a, invalid("Invalid value '%s' for publicIp. Invalid IPv4 address.", s)
	}
	return a, nil
}

// onAddress is the On of an action on one allocated address.
func onAddress[In any](names func(*In) (allocation, address *string)) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return on(func(tx *store.Tx, u *uses, in *In) error {
		allocation, address := names(in)
		a, err := allocated(tx, u.who.Account, allocation, address)
		if err == nil {
			u.add("elastic-ip", string(a.Allocation))
		}
		return err
	})
}
