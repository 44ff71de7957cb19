package ec2

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/netip"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/id"
)

// reserved is how many addresses at the start of a subnet are not given out:
// its own, the router's and two more, as in EC2; the last one is kept, too.
const reserved = 4

// freeAddress returns a private address of a subnet that no interface has: the
// asked one, or the lowest when asked is the zero. The row that takes it must
// be written in the same transaction.
func freeAddress(tx *store.Tx, subnet *store.Subnet, asked netip.Addr) (netip.Addr, error) {
	p, err := netip.ParsePrefix(subnet.CIDR)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("subnet %s: %w", subnet.ID, err)
	}
	rows, err := tx.AddressesIn(subnet.ID)
	if err != nil {
		return netip.Addr{}, err
	}
	taken := map[string]bool{}
	for _, r := range rows {
		taken[r.Address] = true
	}
	a := p.Masked().Addr()
	for range reserved {
		a = a.Next()
	}
	found := false
	for ; p.Contains(a.Next()); a = a.Next() {
		if asked.IsValid() && a != asked {
			continue
		}
		if found = true; !taken[a.String()] {
			return a, nil
		}
	}
	switch {
	case asked.IsValid() && found:
		return a, fault.New(fault.Conflict, "InvalidIPAddress.InUse", "Address %s is in use.", asked)
	case asked.IsValid():
		return a, invalid("Address %s does not fall within the subnet's address range, or is reserved", asked)
	}
	return a, fault.New(fault.Full, "InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet '%s'.", subnet.ID)
}

// freeMAC returns a locally administered MAC address that no interface of the
// subnet has.
func (api *API) freeMAC(tx *store.Tx, subnet id.Subnet) (string, error) {
	rows, err := tx.AddressesIn(subnet)
	if err != nil {
		return "", err
	}
	taken := map[string]bool{}
	for _, r := range rows {
		taken[r.MAC] = true
	}
	src := api.Rand
	if src == nil {
		src = rand.Reader
	}
	for {
		var b [5]byte
		if _, err := io.ReadFull(src, b[:]); err != nil {
			return "", fmt.Errorf("choose a MAC address: %w", err)
		}
		mac := fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4])
		if !taken[mac] {
			return mac, nil
		}
	}
}

// FreePublic returns a public address of the pool that nobody has.
func (api *API) FreePublic(tx *store.Tx) (string, error) {
	rows, err := tx.AddressesOf(store.AnyAccount)
	if err != nil {
		return "", err
	}
	taken := map[string]bool{}
	for _, r := range rows {
		taken[r.Address] = true
	}
	for _, p := range api.Pool {
		for a := p.Masked().Addr(); p.Contains(a); a = a.Next() {
			if !taken[a.String()] {
				return a.String(), nil
			}
		}
	}
	return "", fault.New(fault.Full, "InsufficientAddressCapacity", "Not enough public addresses are free.")
}

// Lend gives an interface a public address for as long as its instance runs.
func (api *API) Lend(tx *store.Tx, e *store.Interface) error {
	address, err := api.FreePublic(tx)
	if err != nil {
		return err
	}
	return tx.Add(&store.Address{
		Address: address, Account: e.Account, Auto: true, Association: id.New[id.Association](api.Rand), Interface: e.ID, Created: api.Clock(),
	})
}
