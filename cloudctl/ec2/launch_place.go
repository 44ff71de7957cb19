package ec2

import (
	"errors"

	"karri/cloudctl/choose"
	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/wire"
)

// findPlace resolves the subnet: the one that is named, else the default one
// of the zone that is named, else that of the zone with the most room.
func (l *launch) findPlace() (err error) {
	zones, err := l.tx.Zones()
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, z := range zones {
		known[z] = true
	}
	zone := l.spec.zone
	if zone != "" && !known[zone] {
		return invalid("Invalid availability zone: [%s]", zone)
	}
	if l.spec.subnet != "" {
		l.subnet, err = l.tx.Subnet(l.who.Account, l.spec.subnet)
		if err == nil && zone != "" && l.subnet.Zone != zone {
			err = invalid("The availability zone '%s' is not that of the subnet '%s'.", zone, l.subnet.ID)
		}
		return err
	}
	if l.in.placed != "" {
		l.subnet, err = l.tx.Subnet(l.who.Account, l.in.placed)
		return err
	}
	if zone == "" {
		if zone, err = l.roomiest(zones); err != nil {
			return err
		}
	}
	l.subnet, err = l.tx.DefaultSubnet(l.who.Account, zone)
	return err
}

// roomiest returns the zone with the most room among those where the account
// has a default subnet.
func (l *launch) roomiest(zones []string) (string, error) {
	var rooms []choose.Zone
	for _, z := range zones {
		if _, err := l.tx.DefaultSubnet(l.who.Account, z); err != nil {
			if fault.KindOf(err) == fault.Missing {
				continue
			}
			return "", err
		}
		room, err := l.room(z)
		if err != nil {
			return "", err
		}
		rooms = append(rooms, room)
	}
	if len(rooms) == 0 {
		return "", fault.New(fault.Missing, "MissingInput", "No subnets found for the default VPC. Please specify a subnet.")
	}
	name, _ := choose.Best(rooms, l.spec.typ.capacity(l.diskG), l.in.MaxCount)
	return name, nil
}

// room returns the room in a zone: what was reported, and what was promised
// and is not in the report yet.
func (l *launch) room(zone string) (choose.Zone, error) {
	z := choose.Zone{Name: zone}
	r := l.api.Reports.Cluster(zone)
	for _, n := range r.Nodes {
		z.Nodes = append(z.Nodes, n)
	}
	wishes, err := l.tx.InstancesIn(zone)
	for _, i := range wishes {
		if i.Want != wire.Gone && r.Instances[i.ID].Node == "" {
			z.Promised = append(z.Promised, wire.Capacity{VCPUs: i.VCPUs, MemoryMiB: i.MemoryMiB, DiskGiB: i.DiskGiB})
		}
	}
	return z, err
}

// findRoom decides how many instances there will be.
func (l *launch) findRoom() error {
	limit, err := l.allowed()
	if err != nil {
		return err
	}
	if l.api.Reports.Cluster(l.subnet.Zone).Heard.IsZero() {
		return fault.New(fault.Later, "Unavailable", "The zone %s has not been heard of yet.", l.subnet.Zone).
			Because(errors.New("no report since the start"))
	}
	room, err := l.room(l.subnet.Zone)
	if err != nil {
		return err
	}
	l.count = choose.Fit(room, l.spec.typ.capacity(l.diskG), min(l.in.MaxCount, limit))
	if l.count < l.in.MinCount {
		return InsufficientCapacity(l.spec.typ.name, l.subnet)
	}
	return nil
}

// allowed returns how many instances the limits let there be, up to MaxCount.
func (l *launch) allowed() (int, error) {
	n := int64(l.in.MaxCount)
	for _, per := range []struct {
		quota string
		each  int
	}{
		{quota.Instances, 1}, {quota.Active, 1}, {quota.Interfaces, 1},
		{quota.CPUs, l.spec.typ.vcpus}, {quota.Memory, l.spec.typ.memoryMiB}, {quota.Disk, l.diskG},
	} {
		b, err := l.quotas.Left(per.quota)
		if err != nil {
			return 0, err
		}
		if n = min(n, b.Left()/int64(max(per.each, 1))); n < int64(l.in.MinCount) {
			return 0, b.Exceeded(int64(l.in.MinCount * per.each))
		}
	}
	return int(n), nil
}

// InsufficientCapacity is the fault of a zone without room.
func InsufficientCapacity(typ string, subnet *store.Subnet) error {
	return fault.New(fault.Full, "InsufficientInstanceCapacity",
		"We currently do not have sufficient %s capacity in the Availability Zone you requested (%s).", typ, subnet.Zone)
}
