package ec2

import (
	"encoding/base64"
	"net/netip"
	"strings"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// A launchSpec is what a RunInstances request says by itself, checked and in
// the form that the records want.
type launchSpec struct {
	typ         instanceType
	image       id.Image
	userData    []byte
	metadata    wire.MetadataOptions
	onShut      string
	subnet      id.Subnet // empty: a default one
	zone        string    // empty: any
	groups      []id.Group
	names       []string // of groups
	address     netip.Addr
	public      *bool
	keep        bool // the interface stays when the instance ends
	description string
	mappings    []BlockDeviceMapping
	tags        map[string][]Tag
}

const maxUserData = 16 << 10

func decodeUserData(text string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, invalid("Invalid BASE64 encoding of user data.")
	}
	if len(data) > maxUserData {
		return nil, invalid("User data is limited to %d bytes", maxUserData)
	}
	return data, nil
}

// checkLaunch refuses what cannot be, without looking at any record.
func (api *API) checkLaunch(in *RunInstancesInput) (*launchSpec, error) {
	if in.MinCount < 1 {
		return nil, invalid("Value (%d) for parameter minCount is invalid. Expecting a positive integer.", in.MinCount)
	}
	if in.MaxCount < in.MinCount {
		return nil, invalid("Value (%d) for parameter maxCount is invalid. Expecting at least minCount (%d).", in.MaxCount, in.MinCount)
	}
	s := &launchSpec{onShut: "stop", mappings: in.BlockDeviceMappings}
	var err error
	name := orElse(in.InstanceType, defaultInstanceType)
	if s.typ, err = typeNamed(name); err != nil {
		return nil, invalid("Invalid value '%s' for InstanceType.", name)
	}
	if s.image, err = parse[id.Image](val(in.ImageId)); err != nil {
		return nil, err
	}
	if s.tags, err = newTags(in.TagSpecifications, "instance", "volume", "network-interface"); err != nil {
		return nil, err
	}
	if s.userData, err = decodeUserData(val(in.UserData)); err != nil {
		return nil, err
	}
	switch b := val(in.InstanceInitiatedShutdownBehavior); b {
	case "":
	case "stop", "terminate":
		s.onShut = b
	default:
		return nil, invalid("Value (%s) for parameter instanceInitiatedShutdownBehavior is invalid.", b)
	}
	if a := in.MaintenanceOptions; a != nil && orElse(a.AutoRecovery, "default") != "default" && *a.AutoRecovery != "disabled" {
		return nil, invalid("Value (%s) for parameter autoRecovery is invalid.", *a.AutoRecovery)
	}
	if s.metadata, err = withOptions(wire.MetadataOptions{Enabled: true, HopLimit: 1}, in.MetadataOptions); err != nil {
		return nil, err
	}
	if p := in.Placement; p != nil {
		s.zone = val(p.AvailabilityZone)
		if t := orElse(p.Tenancy, "default"); t != "default" {
			return nil, unsupported("The tenancy '%s' is not supported.", t)
		}
	}
	return s, s.network(in)
}

func orElse(p *string, or string) string {
	if val(p) == "" {
		return or
	}
	return *p
}

// withOptions changes what the request names.
func withOptions(m wire.MetadataOptions, r *MetadataOptionsRequest) (wire.MetadataOptions, error) {
	if r == nil {
		return m, nil
	}
	switch e := val(r.HttpEndpoint); e {
	case "":
	case "enabled", "disabled":
		m.Enabled = e == "enabled"
	default:
		return m, invalid("Value (%s) for parameter HttpEndpoint is invalid.", e)
	}
	switch t := val(r.HttpTokens); t {
	case "":
	case "required", "optional":
		m.TokensRequired = t == "required"
	default:
		return m, invalid("Value (%s) for parameter HttpTokens is invalid.", t)
	}
	if h := r.HttpPutResponseHopLimit; h != nil {
		if *h < 1 || *h > 64 {
			return m, invalid("Value (%d) for parameter HttpPutResponseHopLimit is invalid. Expecting 1 to 64.", *h)
		}
		m.HopLimit = *h
	}
	return m, nil
}

// network reads where the instances shall be reached: from the parameters of
// the instance or from its one interface, never from both.
func (s *launchSpec) network(in *RunInstancesInput) error {
	subnet, address, groups := val(in.SubnetId), val(in.PrivateIpAddress), in.SecurityGroupIds
	s.names = in.SecurityGroups
	switch len(in.NetworkInterfaces) {
	case 0:
	case 1:
		n := in.NetworkInterfaces[0]
		if subnet != "" || address != "" || len(groups)+len(s.names) > 0 {
			return combination("Network interfaces and an instance-level subnet ID, private address or security groups may not be specified on the same request")
		}
		if n.DeviceIndex == nil || *n.DeviceIndex != 0 {
			return invalid("Each network interface requires a device index, and the first one is 0.")
		}
		subnet, address, groups = val(n.SubnetId), val(n.PrivateIpAddress), n.Groups
		s.public, s.description = n.AssociatePublicIpAddress, val(n.Description)
		s.keep = n.DeleteOnTermination != nil && !*n.DeleteOnTermination
	default:
		return fault.New(fault.Invalid, "UnsupportedOperation", "An instance has one network interface here; %d were asked for.", len(in.NetworkInterfaces))
	}
	if len(s.names) > 0 && len(groups) > 0 {
		return combination("The parameters groupName and groupId may not both be used.")
	}
	var err error
	if s.groups, err = parseAll[id.Group](groups); err != nil {
		return err
	}
	if subnet != "" {
		if s.subnet, err = parse[id.Subnet](subnet); err != nil {
			return err
		}
	}
	if len(s.names) > 0 && subnet != "" {
		return combination("The parameter groupName cannot be used with the parameter subnet")
	}
	if address != "" {
		if s.address, err = netip.ParseAddr(strings.TrimSpace(address)); err != nil || !s.address.Is4() {
			return invalid("Value (%s) for parameter privateIpAddress is invalid.", address)
		}
		if in.MaxCount > 1 {
			return combination("A private IP address may be specified for one instance only.")
		}
	}
	return nil
}
