package ec2

import (
	"strconv"
	"time"

	"karri/shared/id"
)

// keysOf returns the condition keys of a resource of the caller's account, as
// the public API documents them; none of one that is not there. A question
// that fails is answered by the action itself, which asks again.
func (u *uses) keysOf(kind, name string) map[string][]string {
	switch kind {
	case "instance":
		return u.instanceKeys(name)
	case "volume", "snapshot", "image":
		return u.storedKeys(kind, name)
	case "network-interface", "subnet", "security-group", "vpc":
		return u.networkKeys(kind, name)
	case "key-pair":
		if k, err := u.tx.KeyNamed(u.who.Account, name); err == nil {
			return map[string][]string{"ec2:KeyPairName": {k.Name}, "ec2:KeyPairType": {k.Type}}
		}
	case "elastic-ip":
		if a, err := u.tx.Address(u.who.Account, id.Allocation(name)); err == nil {
			return map[string][]string{"ec2:AllocationId": {name}, "ec2:PublicIpAddress": {a.Address}, "ec2:Domain": {"vpc"}}
		}
	}
	return nil
}

func (u *uses) instanceKeys(name string) map[string][]string {
	i, err := u.tx.Instance(u.who.Account, id.Instance(name))
	if err != nil {
		return nil
	}
	tokens := "optional"
	if i.Metadata.TokensRequired {
		tokens = "required"
	}
	keys := map[string][]string{
		"ec2:InstanceID": {name}, "ec2:InstanceType": {i.Type}, "ec2:AvailabilityZone": {i.Zone}, "ec2:Tenancy": {"default"},
		"ec2:EbsOptimized": {"false"}, "ec2:RootDeviceType": {"ebs"}, "ec2:InstanceMarketType": {"on-demand"},
		"ec2:MetadataHttpTokens": {tokens}, "ec2:MetadataHttpPutResponseHopLimit": {strconv.Itoa(i.Metadata.HopLimit)},
	}
	if all, err := u.tx.ProfileAssociations(u.who.Account); err == nil {
		for _, a := range all {
			if a.Instance == i.ID {
				keys["ec2:InstanceProfile"] = []string{a.ARN}
			}
		}
	}
	return keys
}

func (u *uses) storedKeys(kind, name string) map[string][]string {
	switch kind {
	case "volume":
		v, err := u.tx.Volume(u.who.Account, id.Volume(name))
		if err != nil {
			return nil
		}
		keys := map[string][]string{
			"ec2:VolumeID": {name}, "ec2:VolumeSize": {strconv.Itoa(v.SizeGiB)}, "ec2:VolumeType": {v.Type}, "ec2:Encrypted": {"false"},
			"ec2:AvailabilityZone": {v.Zone},
		}
		if v.From != "" {
			keys["ec2:ParentSnapshot"] = []string{u.api.arn("", "snapshot", string(v.From))}
		}
		return keys
	case "snapshot":
		s, err := u.tx.Snapshot(u.who.Account, id.Snapshot(name))
		if err != nil {
			return nil
		}
		return map[string][]string{
			"ec2:SnapshotID": {name}, "ec2:VolumeSize": {strconv.Itoa(s.SizeGiB)}, "ec2:Owner": {s.Account}, "ec2:Encrypted": {"false"},
			"ec2:ParentVolume": {u.api.arn(s.Account, "volume", string(s.Volume))}, "ec2:SnapshotTime": {s.Started.UTC().Format(time.RFC3339)},
		}
	}
	i, err := u.tx.Image(u.who.Account, id.Image(name))
	if err != nil {
		return nil
	}
	return map[string][]string{
		"ec2:ImageID": {name}, "ec2:ImageType": {"machine"}, "ec2:Owner": {i.Account}, "ec2:Public": {"false"}, "ec2:RootDeviceType": {"ebs"},
	}
}

func (u *uses) networkKeys(kind, name string) map[string][]string {
	account := u.who.Account
	switch kind {
	case "network-interface":
		if e, err := u.tx.Interface(account, id.Interface(name)); err == nil {
			return map[string][]string{
				"ec2:NetworkInterfaceID": {name}, "ec2:Subnet": {u.api.arn(account, "subnet", string(e.Subnet))},
				"ec2:Vpc": {u.api.arn(account, "vpc", string(e.VPC))}, "ec2:AvailabilityZone": {e.Zone},
			}
		}
	case "subnet":
		if s, err := u.tx.Subnet(account, id.Subnet(name)); err == nil {
			return map[string][]string{
				"ec2:SubnetID": {name}, "ec2:Vpc": {u.api.arn(account, "vpc", string(s.VPC))}, "ec2:AvailabilityZone": {s.Zone},
			}
		}
	case "security-group":
		if g, err := u.tx.Group(account, id.Group(name)); err == nil {
			return map[string][]string{"ec2:SecurityGroupID": {name}, "ec2:Vpc": {u.api.arn(account, "vpc", string(g.VPC))}}
		}
	case "vpc":
		if v, err := u.tx.VPC(account, id.VPC(name)); err == nil {
			return map[string][]string{"ec2:VpcID": {string(v.ID)}}
		}
	}
	return nil
}
