package ec2

import (
	"time"

	"karri/cloudctl/quota"
	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// A launch writes the records of one RunInstances in one transaction.
type launch struct {
	api  *API
	tx   *store.Tx
	who  action.Caller
	in   *RunInstancesInput
	spec *launchSpec

	image  *store.Image
	key    *store.Key
	diskG  int
	extra  []newDisk
	subnet *store.Subnet
	groups []id.Group
	count  int
	now    time.Time
	quotas *quota.Desk
}

func (l *launch) run() (id.Reservation, error) {
	l.now = l.api.Clock()
	var err error
	if l.quotas, err = quota.For(l.tx, l.who); err != nil {
		return "", err
	}
	for _, step := range []func() error{l.findImage, l.findKey, l.findDisks, l.findPlace, l.findGroups, l.findRoom} {
		if err := step(); err != nil {
			return "", err
		}
	}
	r := id.New[id.Reservation](l.api.Rand)
	for n := range l.count {
		if err := l.write(r, n); err != nil {
			return "", err
		}
	}
	return r, nil
}

func (l *launch) findImage() error {
	var err error
	if l.image, err = l.tx.Image(l.who.Account, l.spec.image); err != nil {
		return err
	}
	if s := report.ImageState(l.image); s != "available" {
		return fault.New(fault.Conflict, "InvalidAMIID.Unavailable", "The image '%s' is %s, not available.", l.image.ID, s)
	}
	return nil
}

func (l *launch) findKey() (err error) {
	if name := val(l.in.KeyName); name != "" {
		l.key, err = l.tx.KeyNamed(l.who.Account, name)
	}
	return err
}

// findGroups resolves security groups: those of the subnet's VPC, the default
// one when none is named.
func (l *launch) findGroups() error {
	for _, g := range l.spec.groups {
		group, err := l.tx.Group(l.who.Account, g)
		if err != nil {
			return err
		}
		if group.VPC != l.subnet.VPC {
			return fault.New(fault.Invalid, "InvalidGroup.NotFound", "The security group '%s' does not exist in VPC '%s'", g, l.subnet.VPC)
		}
		l.groups = append(l.groups, g)
	}
	names := l.spec.names
	if len(names)+len(l.groups) == 0 {
		names = []string{"default"}
	}
	for _, name := range names {
		group, err := l.tx.GroupNamed(l.who.Account, l.subnet.VPC, name)
		if err != nil {
			return err
		}
		l.groups = append(l.groups, group.ID)
	}
	if len(l.groups) > maxGroups {
		return fault.New(fault.Full, "SecurityGroupsPerInterfaceLimitExceeded", "An interface may be in %d security groups.", maxGroups)
	}
	return nil
}

// maxGroups is how many security groups an interface may be in.
const maxGroups = 5

// write writes one instance with its interface, address, volumes and tags.
func (l *launch) write(r id.Reservation, n int) error {
	i := &store.Instance{
		ID: id.New[id.Instance](l.api.Rand), Account: l.who.Account, Creator: quota.Creator(l.who), Reservation: r, Number: n, Zone: l.subnet.Zone,
		ClientToken: val(l.in.ClientToken), Want: wire.Running, Launched: l.now, Created: l.now,
		Type: l.spec.typ.name, VCPUs: l.spec.typ.vcpus, MemoryMiB: l.spec.typ.memoryMiB, DiskGiB: l.diskG,
		Image: wire.Image{
			ID: l.image.ID, Bucket: ImageBucket, Key: string(l.image.ID), SHA256: l.image.SHA256,
			Format: l.image.Format, Bytes: l.image.Bytes, GiB: l.image.GiB,
		},
		ImageID: l.image.ID, RootDevice: l.image.RootDevice, UserData: l.spec.userData, Metadata: l.spec.metadata, OnShut: l.spec.onShut,
		Protected: val(l.in.DisableApiTermination), Unstopped: val(l.in.DisableApiStop),
	}
	if l.key != nil {
		i.KeyName, i.PublicKey = l.key.Name, l.key.Public
	}
	i.Expires, i.ExpiresBy = l.quotas.Expiry(l.now)
	if err := l.tx.Add(i); err != nil {
		return err
	}
	if err := putTags(l.tx, i.Account, "instance", string(i.ID), l.spec.tags["instance"]); err != nil {
		return err
	}
	if l.in.IamInstanceProfile != nil {
		if _, err := l.api.carry(l.tx, i, l.in.IamInstanceProfile); err != nil {
			return err
		}
	}
	if err := l.writeInterface(i); err != nil {
		return err
	}
	for _, d := range l.extra {
		if err := l.writeVolume(i, d); err != nil {
			return err
		}
	}
	return nil
}

func (l *launch) writeInterface(i *store.Instance) error {
	address, err := freeAddress(l.tx, l.subnet, l.spec.address)
	if err != nil {
		return err
	}
	mac, err := l.api.freeMAC(l.tx, l.subnet.ID)
	if err != nil {
		return err
	}
	e := &store.Interface{
		ID: id.New[id.Interface](l.api.Rand), Account: i.Account, Creator: i.Creator, VPC: l.subnet.VPC, Subnet: l.subnet.ID, Zone: i.Zone,
		MAC: mac, Address: address.String(), Groups: l.groups, SourceCheck: true, Description: l.spec.description,
		Created: l.now, Instance: i.ID, Attachment: id.New[id.Attachment](l.api.Rand), Attached: l.now,
		DeleteOnTermination: !l.spec.keep,
	}
	asked := l.spec.public != nil && *l.spec.public
	e.Lends = asked || l.spec.public == nil && l.subnet.Public && len(l.api.Pool) > 0
	if err := l.tx.Add(e); err != nil {
		return err
	}
	if err := putTags(l.tx, i.Account, "network-interface", string(e.ID), l.spec.tags["network-interface"]); err != nil {
		return err
	}
	if !e.Lends {
		return nil
	}
	return l.api.Lend(l.tx, e)
}
