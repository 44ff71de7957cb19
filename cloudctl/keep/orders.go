package keep

import (
	"net/netip"

	"karri/cloudctl/ec2"
	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/pki"
	"karri/shared/wire"
)

// ClusterOrders returns what is wanted of the clusterctl of a zone. Instances
// that are ended stay in it, wished gone, for as long as they are listed.
func ClusterOrders(tx *store.Tx, region, zone string) (wire.ClusterOrders, error) {
	o := wire.ClusterOrders{
		Instances: map[id.Instance]wire.Instance{}, Networks: map[id.VPC]wire.Network{}, Groups: map[id.Group]wire.Group{},
	}
	rows, err := tx.ListedIn(zone)
	if err != nil {
		return o, err
	}
	interfaces, err := interfacesByInstance(tx, region, zone)
	if err != nil {
		return o, err
	}
	disks, err := disksByInstance(tx, zone)
	if err != nil {
		return o, err
	}
	roles, err := tx.RolesIn(zone)
	if err != nil {
		return o, err
	}
	vpcs := map[id.VPC]bool{}
	for _, i := range rows {
		w := wireInstance(&i)
		for _, e := range interfaces[i.ID] {
			w.Interfaces = append(w.Interfaces, e.Interface)
			w.Groups = append(w.Groups, e.names...)
			vpcs[e.VPC] = true
		}
		w.Volumes = disks[i.ID]
		if r, ok := roles[i.ID]; ok && i.Want != wire.Gone {
			w.Profile = &wire.Profile{Association: r.Association, ARN: r.ProfileARN, ID: r.ProfileID, Role: r.RoleName}
		}
		o.Instances[i.ID] = w
	}
	if err := addNetworks(tx, &o, region, vpcs); err != nil {
		return o, err
	}
	return o, addGroups(tx, &o, zone, vpcs)
}

func wireInstance(i *store.Instance) wire.Instance {
	return wire.Instance{
		Account: i.Account, Reservation: i.Reservation, Index: i.Number, Want: i.Want, Force: i.Force, Reboots: i.Reboots,
		Launched: i.Launched.UTC(), Type: i.Type, VCPUs: i.VCPUs, MemoryMiB: i.MemoryMiB, DiskGiB: i.DiskGiB, Image: i.Image,
		Interfaces: []wire.Interface{}, KeyName: i.KeyName, PublicKey: i.PublicKey, UserData: i.UserData, Metadata: i.Metadata,
	}
}

// named is an interface with the names of its security groups.
type named struct {
	wire.Interface
	names []string
}

func interfacesByInstance(tx *store.Tx, region, zone string) (map[id.Instance][]named, error) {
	rows, err := tx.InterfacesInZone(zone)
	if err != nil {
		return nil, err
	}
	cidrs, err := subnetCIDRs(tx)
	if err != nil {
		return nil, err
	}
	public := map[id.Interface]netip.Addr{}
	addresses, err := tx.AddressesOf(store.AnyAccount)
	if err != nil {
		return nil, err
	}
	for _, a := range addresses {
		if public[a.Interface], err = netip.ParseAddr(a.Address); err != nil {
			return nil, err
		}
	}
	groups, err := tx.GroupsOf(store.AnyAccount)
	if err != nil {
		return nil, err
	}
	names := map[id.Group]string{}
	for _, g := range groups {
		names[g.ID] = g.Name
	}
	out := map[id.Instance][]named{}
	for _, e := range rows {
		if e.Instance == "" {
			continue
		}
		address, err := netip.ParseAddr(e.Address)
		if err != nil {
			return nil, err
		}
		n := named{Interface: wire.Interface{
			ID: e.ID, VPC: e.VPC, Subnet: e.Subnet, CIDR: cidrs[e.Subnet], MAC: e.MAC, Address: address,
			Hostname: ec2.Hostname(e.Address), Public: public[e.ID], Groups: e.Groups, SourceCheck: e.SourceCheck,
		}}
		for _, g := range e.Groups {
			n.names = append(n.names, names[g])
		}
		out[e.Instance] = append(out[e.Instance], n)
	}
	return out, nil
}

func subnetCIDRs(tx *store.Tx) (map[id.Subnet]netip.Prefix, error) {
	rows, err := tx.SubnetsOf(store.AnyAccount)
	if err != nil {
		return nil, err
	}
	out := map[id.Subnet]netip.Prefix{}
	for _, s := range rows {
		if out[s.ID], err = netip.ParsePrefix(s.CIDR); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// disksByInstance returns the volumes of instances: those that are served, and
// those that are to be let go.
func disksByInstance(tx *store.Tx, zone string) (map[id.Instance]map[id.Volume]wire.Attachment, error) {
	rows, err := tx.AttachmentsIn(zone)
	if err != nil {
		return nil, err
	}
	volumes, err := tx.VolumesIn(zone)
	if err != nil {
		return nil, err
	}
	sizes := map[id.Volume]int{}
	for _, v := range volumes {
		sizes[v.ID] = v.SizeGiB
	}
	out := map[id.Instance]map[id.Volume]wire.Attachment{}
	for _, a := range rows {
		if a.Exported == "" || a.Unplugged {
			continue
		}
		if out[a.Instance] == nil {
			out[a.Instance] = map[id.Volume]wire.Attachment{}
		}
		out[a.Instance][a.Volume] = wire.Attachment{
			Want: a.Want, Device: a.Device, Epoch: a.Epoch, Address: a.Exported, Export: a.Export, SizeGiB: sizes[a.Volume], Force: a.Force,
		}
	}
	return out, nil
}

func addNetworks(tx *store.Tx, o *wire.ClusterOrders, region string, vpcs map[id.VPC]bool) error {
	rows, err := tx.VPCsOf(store.AnyAccount)
	if err != nil {
		return err
	}
	subnets, err := tx.SubnetsOf(store.AnyAccount)
	if err != nil {
		return err
	}
	for _, v := range rows {
		if !vpcs[v.ID] {
			continue
		}
		n := wire.Network{Account: v.Account, VNI: v.VNI, Subnets: map[id.Subnet]netip.Prefix{}, Domain: ec2.Domain(region)}
		if n.CIDR, err = netip.ParsePrefix(v.CIDR); err != nil {
			return err
		}
		for _, s := range subnets {
			if s.VPC != v.ID {
				continue
			}
			if n.Subnets[s.ID], err = netip.ParsePrefix(s.CIDR); err != nil {
				return err
			}
		}
		o.Networks[v.ID] = n
	}
	return nil
}

func addGroups(tx *store.Tx, o *wire.ClusterOrders, zone string, vpcs map[id.VPC]bool) error {
	rows, err := tx.GroupsOf(store.AnyAccount)
	if err != nil {
		return err
	}
	for _, g := range rows {
		if vpcs[g.VPC] {
			o.Groups[g.ID] = wire.Group{VPC: g.VPC, Ingress: []wire.Rule{}, Egress: []wire.Rule{}}
		}
	}
	rules, err := tx.RulesOf(store.AnyAccount)
	if err != nil {
		return err
	}
	named := map[id.Group]bool{}
	for _, r := range rules {
		g, ok := o.Groups[r.Group]
		if !ok {
			continue
		}
		w := wire.Rule{Protocol: r.Protocol, From: r.From, To: r.To, Group: r.Peer}
		if r.CIDR != "" {
			if w.CIDR, err = netip.ParsePrefix(r.CIDR); err != nil {
				return err
			}
		}
		if r.Egress {
			g.Egress = append(g.Egress, w)
		} else {
			g.Ingress = append(g.Ingress, w)
		}
		o.Groups[r.Group] = g
		named[r.Peer] = true
	}
	return addFar(tx, o, zone, named)
}

// addFar gives the groups that a rule names their members in other zones.
func addFar(tx *store.Tx, o *wire.ClusterOrders, zone string, named map[id.Group]bool) error {
	rows, err := tx.InterfacesElsewhere(zone)
	if err != nil {
		return err
	}
	for _, e := range rows {
		for _, name := range e.Groups {
			g, here := o.Groups[name]
			if !here || !named[name] {
				continue
			}
			address, err := netip.ParseAddr(e.Address)
			if err != nil {
				return err
			}
			g.Far = append(g.Far, address)
			o.Groups[name] = g
		}
	}
	return nil
}

// authorityOf returns the certificate of who vouches for the nodes of a zone,
// and what it has revoked; "" while none has joined.
func authorityOf(tx *store.Tx, zone string) (string, error) {
	c, err := tx.Component(pki.Identity{Role: pki.Clusterctl, Zone: zone}.String())
	if fault.KindOf(err) == fault.Missing && err != nil {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return c.Certificate + c.Revoked, nil
}

// BlockOrders returns what is wanted of the blockstore of a zone. A snapshot
// that volumes are still being made from is not told to go yet, and a volume
// that has failed for good is not asked for again: it would come back empty.
func BlockOrders(tx *store.Tx, zone string) (wire.BlockOrders, error) {
	o := wire.BlockOrders{
		Volumes: map[id.Volume]wire.Volume{}, Exports: map[id.Volume]wire.Export{}, Snapshots: map[id.Snapshot]wire.Snapshot{},
	}
	volumes, err := tx.VolumesIn(zone)
	if err != nil {
		return o, err
	}
	attachments, err := tx.AttachmentsIn(zone)
	if err != nil {
		return o, err
	}
	authority, err := authorityOf(tx, zone)
	if err != nil {
		return o, err
	}
	held := map[id.Volume]bool{}
	for _, a := range attachments {
		held[a.Volume] = true
		if a.Epoch > 0 && !a.Unplugged {
			o.Exports[a.Volume] = wire.Export{Node: a.Node, Epoch: a.Epoch, Authority: authority}
		}
	}
	for _, v := range volumes {
		if v.Failure != "" && v.Want == wire.Present {
			continue
		}
		w := wire.Volume{Account: v.Account, Want: v.Want, SizeGiB: v.SizeGiB, From: v.From, Zone: v.FromZone}
		if held[v.ID] { // its bytes go only when nobody has it any more
			w.Want = wire.Present
		}
		o.Volumes[v.ID] = w
	}
	snapshots, err := tx.SnapshotsIn(zone)
	if err != nil {
		return o, err
	}
	for _, s := range snapshots {
		users, err := tx.VolumesFrom(s.ID)
		if err != nil {
			return o, err
		}
		w := wire.Snapshot{Account: s.Account, Volume: s.Volume, Want: s.Want}
		if len(users) > 0 {
			w.Want = wire.Present
		}
		o.Snapshots[s.ID] = w
	}
	return o, nil
}
