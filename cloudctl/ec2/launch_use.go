package ec2

import (
	"strconv"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// launchUses collects all that a RunInstances uses and makes.
type launchUses struct {
	*uses
	in   *RunInstancesInput
	vpc  id.VPC
	zone string
	made map[string][]string // keys of what is made: where it will be
}

// useLaunch notes the image, the subnet, the groups, the key pair and the role
// that a launch uses, and the instances, interfaces and volumes that it makes.
func useLaunch(tx *store.Tx, u *uses, in *RunInstancesInput) error {
	if in.ImageId == nil {
		return lacking("ImageId")
	}
	image, err := parse[id.Image](*in.ImageId)
	if err != nil {
		return err
	}
	u.add("image", string(image))
	if _, err := tx.Image(u.who.Account, image); err != nil {
		return err
	}
	l := &launchUses{uses: u, in: in, made: map[string][]string{}}
	if in.Placement != nil {
		l.zone = val(in.Placement.AvailabilityZone)
	}
	for _, step := range []func() error{l.subnet, l.groups, l.disks} {
		if err := step(); err != nil {
			return err
		}
	}
	if l.zone != "" {
		l.made["ec2:AvailabilityZone"] = []string{l.zone}
	}
	if name := val(in.KeyName); name != "" {
		if err := u.addKey(tx.KeyNamed(u.who.Account, name)); err != nil {
			return err
		}
	}
	u.fresh("instance", l.instance())
	u.fresh("network-interface", l.card())
	if in.IamInstanceProfile == nil {
		return nil
	}
	p, _, err := profile(tx, u.who.Account, in.IamInstanceProfile)
	if err != nil {
		return err
	}
	for i := range u.all {
		if u.keyed && kindOf(&u.all[i]) == "instance" {
			u.all[i].Keys["ec2:InstanceProfile"] = []string{p.ARN()}
		}
	}
	return u.addRole(tx, in.IamInstanceProfile)
}

func (l *launchUses) subnet() error {
	name := val(l.in.SubnetId)
	if len(l.in.NetworkInterfaces) > 0 {
		name = orElse(l.in.NetworkInterfaces[0].SubnetId, name)
	}
	if name == "" && l.keyed {
		name = string(l.place())
	}
	if name == "" {
		vpc, err := l.tx.DefaultVPC(l.who.Account)
		if err != nil {
			return err
		}
		l.vpc = vpc.ID
		l.fresh("subnet", l.inVPC()) // there is none to be in, or nobody who might not use it
		return nil
	}
	s, err := subnetOf(l.tx, l.who.Account, name)
	if l.note(err, "subnet", name) != nil {
		return err
	}
	l.vpc, l.zone = s.VPC, s.Zone
	l.made["ec2:Subnet"] = []string{l.api.arn(l.who.Account, "subnet", name)}
	return nil
}

// place decides which subnet a launch will be in whose request names none, so
// that the caller is asked for rights on that one, and notes it in the request;
// "" when it will be refused anyway. A repeat is where the first one was.
func (l *launchUses) place() id.Subnet {
	spec, err := l.api.checkLaunch(l.in)
	if err != nil {
		return ""
	}
	if l.in.placed = l.before(); l.in.placed != "" {
		return l.in.placed
	}
	p := &launch{api: l.api, tx: l.tx, who: l.who, in: l.in, spec: spec}
	for _, step := range []func() error{p.findImage, p.findDisks, p.findPlace} {
		if step() != nil {
			return ""
		}
	}
	l.in.placed = p.subnet.ID
	return l.in.placed
}

// before returns the subnet of the instances that the request's client token
// made before.
func (l *launchUses) before() id.Subnet {
	token := val(l.in.ClientToken)
	if token == "" {
		return ""
	}
	old, err := l.tx.ClientToken(l.who.Account, "RunInstances", token)
	if err != nil || old == nil {
		return ""
	}
	made, err := l.tx.InstancesOfReservation(l.who.Account, id.Reservation(old.Resource))
	if err != nil || len(made) == 0 {
		return ""
	}
	cards, err := l.tx.InterfacesOn(made[0].ID)
	if err != nil || len(cards) == 0 {
		return ""
	}
	return cards[0].Subnet
}

func (l *launchUses) inVPC() map[string][]string {
	return map[string][]string{"ec2:Vpc": {l.api.arn(l.who.Account, "vpc", string(l.vpc))}}
}

func (l *launchUses) groups() error {
	groups, names := l.in.SecurityGroupIds, l.in.SecurityGroups
	if len(l.in.NetworkInterfaces) > 0 {
		groups = append(groups[:len(groups):len(groups)], l.in.NetworkInterfaces[0].Groups...)
	}
	ids, err := parseAll[id.Group](groups)
	if err != nil {
		return err
	}
	for _, g := range ids {
		l.add("security-group", string(g))
	}
	if len(groups)+len(names) == 0 {
		names = []string{"default"}
	}
	for _, name := range names {
		g, err := l.tx.GroupNamed(l.who.Account, l.vpc, name)
		if err != nil {
			return err
		}
		l.add("security-group", string(g.ID))
	}
	return nil
}

// disks notes the volumes that a launch makes: at least the root's.
func (l *launchUses) disks() error {
	named := false
	for _, m := range l.in.BlockDeviceMappings {
		if m.Ebs == nil {
			continue
		}
		named = true
		keys := map[string][]string{"ec2:VolumeType": {orElse(m.Ebs.VolumeType, "gp2")}, "ec2:Encrypted": {strconv.FormatBool(val(m.Ebs.Encrypted))}}
		if m.Ebs.VolumeSize != nil {
			keys["ec2:VolumeSize"] = []string{strconv.Itoa(*m.Ebs.VolumeSize)}
		}
		if s := val(m.Ebs.SnapshotId); s != "" {
			name, err := parse[id.Snapshot](s)
			if err != nil {
				return err
			}
			l.add("snapshot", string(name))
			keys["ec2:ParentSnapshot"] = []string{l.api.arn("", "snapshot", string(name))}
		}
		l.fresh("volume", l.with(keys))
	}
	if !named {
		l.fresh("volume", l.with(map[string][]string{"ec2:VolumeType": {"gp2"}, "ec2:Encrypted": {"false"}}))
	}
	return nil
}

// instance returns the keys of the instances.
func (l *launchUses) instance() map[string][]string {
	keys := map[string][]string{
		"ec2:InstanceType": {orElse(l.in.InstanceType, defaultInstanceType)}, "ec2:Tenancy": {"default"}, "ec2:EbsOptimized": {"false"},
		"ec2:RootDeviceType": {"ebs"}, "ec2:InstanceMarketType": {"on-demand"}, "ec2:IsLaunchTemplateResource": {"false"},
		"ec2:MetadataHttpTokens": {"optional"}, "ec2:MetadataHttpEndpoint": {"enabled"}, "ec2:MetadataHttpPutResponseHopLimit": {"1"},
	}
	if m := l.in.MetadataOptions; m != nil {
		keys["ec2:MetadataHttpTokens"] = []string{orElse(m.HttpTokens, "optional")}
		keys["ec2:MetadataHttpEndpoint"] = []string{orElse(m.HttpEndpoint, "enabled")}
		if m.HttpPutResponseHopLimit != nil {
			keys["ec2:MetadataHttpPutResponseHopLimit"] = []string{strconv.Itoa(*m.HttpPutResponseHopLimit)}
		}
	}
	return l.with(keys)
}

// card returns the keys of the network interface.
func (l *launchUses) card() map[string][]string {
	keys := l.inVPC()
	if len(l.in.NetworkInterfaces) > 0 && l.in.NetworkInterfaces[0].AssociatePublicIpAddress != nil {
		keys["ec2:AssociatePublicIpAddress"] = []string{strconv.FormatBool(*l.in.NetworkInterfaces[0].AssociatePublicIpAddress)}
	}
	return l.with(keys)
}

// with adds the keys that all that is made has.
func (l *launchUses) with(keys map[string][]string) map[string][]string {
	for k, v := range l.made {
		keys[k] = v
	}
	if l.zone != "" {
		keys["ec2:AvailabilityZone"] = []string{l.zone}
	}
	return keys
}

func kindOf(r *action.Resource) string { return action.KindOf(r.ARN) }
