package account

import (
	"context"
	"fmt"
	"net/netip"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/id"
)

// defaultCIDR is the range of each account's default VPC; those of different
// accounts never meet.
const defaultCIDR = "172.31.0.0/16"

const subnetBits = 20

// addDefaultVPC gives an account the network that it starts with, as EC2 does:
// a VPC with an internet gateway, a main route table that leads to it, a
// default security group, and a public subnet in each zone.
func (b *Book) addDefaultVPC(tx *store.Tx, account string) error {
	now := b.Clock()
	vni, err := tx.NextVNI()
	if err != nil {
		return err
	}
	vpc := &store.VPC{ID: id.New[id.VPC](b.Rand), Account: account, CIDR: defaultCIDR, Default: true, VNI: vni, Support: true, Hostnames: true,
		ACL: id.New[id.NetworkACL](b.Rand), DHCP: id.New[id.DHCPOptions](b.Rand), Created: now}
	gateway := &store.Gateway{ID: id.New[id.InternetGateway](b.Rand), Account: account, VPC: vpc.ID, Created: now}
	table := &store.RouteTable{ID: id.New[id.RouteTable](b.Rand), Account: account, VPC: vpc.ID, Main: id.New[id.RouteAssoc](b.Rand),
		Routes: []store.Route{{CIDR: "0.0.0.0/0", Gateway: gateway.ID}}, Created: now}
	group := &store.Group{ID: id.New[id.Group](b.Rand), Account: account, VPC: vpc.ID, Name: "default", Description: "default VPC security group", Created: now}
	in := &store.Rule{ID: id.New[id.Rule](b.Rand), Account: account, Group: group.ID, Protocol: "-1", From: -1, To: -1, Peer: group.ID, Created: now}
	out := &store.Rule{ID: id.New[id.Rule](b.Rand), Account: account, Group: group.ID, Egress: true, Protocol: "-1", From: -1, To: -1, CIDR: "0.0.0.0/0", Created: now}
	for _, r := range []store.Record{vpc, gateway, table, group, in, out} {
		if err := tx.Add(r); err != nil {
			return err
		}
	}
	zones, err := tx.Zones()
	if err != nil {
		return err
	}
	for _, zone := range zones {
		if err := b.addDefaultSubnet(tx, vpc, zone); err != nil {
			return err
		}
	}
	return nil
}

// AddZone gives the default VPC of each account a subnet in a zone, where it
// has none; it is called when the zone's clusterctl joins.
func (b *Book) AddZone(ctx context.Context, zone string) error {
	return b.Store.InTx(ctx, func(tx *store.Tx) error {
		vpcs, err := tx.VPCsOf(store.AnyAccount)
		if err != nil {
			return err
		}
		for _, v := range vpcs {
			if !v.Default {
				continue
			}
			_, err := tx.DefaultSubnet(v.Account, zone)
			if fault.KindOf(err) == fault.Missing {
				err = b.addDefaultSubnet(tx, &v, zone)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// addDefaultSubnet takes the first part of the VPC that no subnet has.
func (b *Book) addDefaultSubnet(tx *store.Tx, vpc *store.VPC, zone string) error {
	taken := map[string]bool{}
	subnets, err := tx.SubnetsOf(vpc.Account)
	if err != nil {
		return err
	}
	for _, s := range subnets {
		if s.VPC == vpc.ID {
			taken[s.CIDR] = true
		}
	}
	whole, err := netip.ParsePrefix(vpc.CIDR)
	if err != nil {
		return fmt.Errorf("the range of %s: %w", vpc.ID, err)
	}
	for n := range 1 << (subnetBits - whole.Bits()) {
		cidr := part(whole, n).String()
		if !taken[cidr] {
			return tx.Add(&store.Subnet{ID: id.New[id.Subnet](b.Rand), Account: vpc.Account, VPC: vpc.ID, Zone: zone, CIDR: cidr, Default: true, Public: true, Created: b.Clock()})
		}
	}
	return fmt.Errorf("%s has no room for a subnet in %s", vpc.ID, zone)
}

// part returns the n-th part of whole that has subnetBits.
func part(whole netip.Prefix, n int) netip.Prefix {
	a := whole.Masked().Addr().As4()
	v := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	v += uint32(n) << (32 - subnetBits)
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), subnetBits)
}
