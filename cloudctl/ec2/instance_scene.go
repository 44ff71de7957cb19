package ec2

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/id"
	"karri/shared/wire"
)

// A scene is all that the answers about one account's instances are made of,
// read in one instant.
type scene struct {
	api         *API
	tags        store.Tags
	interfaces  map[id.Instance][]store.Interface
	addresses   map[id.Interface]store.Address
	groups      map[id.Group]store.Group
	attachments map[id.Instance][]store.Attachment
	profiles    map[id.Instance]IamInstanceProfile
}

func (api *API) scene(tx *store.Tx, account string) (*scene, error) {
	s := &scene{
		api: api, interfaces: map[id.Instance][]store.Interface{}, addresses: map[id.Interface]store.Address{},
		groups: map[id.Group]store.Group{}, attachments: map[id.Instance][]store.Attachment{}, profiles: map[id.Instance]IamInstanceProfile{},
	}
	var err error
	if s.tags, err = tx.TagsOf(account); err != nil {
		return nil, err
	}
	enis, err := tx.InterfacesOf(account)
	if err != nil {
		return nil, err
	}
	for _, e := range enis {
		s.interfaces[e.Instance] = append(s.interfaces[e.Instance], e)
	}
	addresses, err := tx.AddressesOf(account)
	if err != nil {
		return nil, err
	}
	for _, a := range addresses {
		s.addresses[a.Interface] = a
	}
	groups, err := tx.GroupsOf(account)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		s.groups[g.ID] = g
	}
	attachments, err := tx.AttachmentsOf(account)
	if err != nil {
		return nil, err
	}
	for _, a := range attachments {
		s.attachments[a.Instance] = append(s.attachments[a.Instance], a)
	}
	profiles, err := tx.ProfileAssociations(account)
	for _, a := range profiles {
		s.profiles[a.Instance] = IamInstanceProfile{Arn: a.ARN, Id: a.Profile}
	}
	return s, err
}

// state returns the state of an instance now.
func (api *API) state(i *store.Instance) report.InstanceState {
	seen, _ := api.Reports.Instance(i.Zone, i.ID)
	return report.StateOf(i, seen)
}

func stateShape(s report.InstanceState) InstanceState {
	return InstanceState{Code: s.Code(), Name: string(s)}
}

// instance is the answer about one instance.
func (s *scene) instance(i *store.Instance) Instance {
	state := s.api.state(i)
	out := Instance{
		AmiLaunchIndex: i.Number, Architecture: "x86_64", BlockDeviceMappings: s.mappings(i), BootMode: "legacy-bios",
		ClientToken: opt(i.ClientToken), CpuOptions: CpuOptions{CoreCount: i.VCPUs, ThreadsPerCore: 1}, Hypervisor: "xen",
		ImageId: string(i.Image.ID), InstanceId: string(i.ID), InstanceType: i.Type, KeyName: opt(i.KeyName),
		LaunchTime: i.Launched, MaintenanceOptions: MaintenanceOptions{AutoRecovery: "disabled"},
		MetadataOptions: metadataShape(i), Monitoring: Monitoring{State: "disabled"}, NetworkInterfaces: []InstanceNetworkInterface{},
		Placement: InstancePlacement{AvailabilityZone: i.Zone, Tenancy: "default"}, PlatformDetails: "Linux/UNIX",
		ProductCodes: []ProductCode{}, RootDeviceName: i.RootDevice, RootDeviceType: "instance-store",
		SecurityGroups: []GroupIdentifier{}, State: stateShape(state), StateTransitionReason: transition(i),
		Tags: tagSet(s.tags[string(i.ID)]), UsageOperation: "RunInstances", VirtualizationType: "hvm",
	}
	if p, ok := s.profiles[i.ID]; ok && i.Want != wire.Gone {
		out.IamInstanceProfile = &p
	}
	if i.Asked != "" {
		out.StateReason = &StateReason{Code: i.Asked, Message: i.Asked + ": " + i.AskedText}
	} else if state == report.Pending {
		out.StateReason = &StateReason{Code: "pending", Message: "pending"}
	}
	for _, e := range s.interfaces[i.ID] {
		shape := s.networkInterface(&e)
		if e.DeviceIndex == 0 {
			out.PrivateDnsName, out.PrivateIpAddress = shape.PrivateDnsName, ptr(e.Address)
			out.SubnetId, out.VpcId, out.SourceDestCheck = opt(e.Subnet), opt(e.VPC), ptr(e.SourceCheck)
			out.SecurityGroups = shape.Groups
			if shape.Association != nil {
				out.PublicIpAddress = ptr(shape.Association.PublicIp)
			}
		}
		out.NetworkInterfaces = append(out.NetworkInterfaces, shape)
	}
	return out
}

func transition(i *store.Instance) string {
	if i.Asked == "" || i.AskedAt.IsZero() || !strings.HasPrefix(i.Asked, "Client.User") {
		return ""
	}
	return "User initiated (" + i.AskedAt.UTC().Format("2006-01-02 15:04:05") + " GMT)"
}

func (s *scene) mappings(i *store.Instance) []InstanceBlockDeviceMapping {
	out := []InstanceBlockDeviceMapping{}
	for _, a := range s.attachments[i.ID] {
		out = append(out, InstanceBlockDeviceMapping{DeviceName: a.Device, Ebs: EbsInstanceBlockDevice{
			AttachTime: a.Created, DeleteOnTermination: a.DeleteOnTermination,
			Status: report.AttachmentState(&a), VolumeId: string(a.Volume),
		}})
	}
	return out
}

func metadataShape(i *store.Instance) InstanceMetadataOptions {
	m := InstanceMetadataOptions{
		HttpEndpoint: "disabled", HttpProtocolIpv6: "disabled", HttpPutResponseHopLimit: i.Metadata.HopLimit,
		HttpTokens: "optional", InstanceMetadataTags: "disabled", State: "applied",
	}
	if i.Metadata.Enabled {
		m.HttpEndpoint = "enabled"
	}
	if i.Metadata.TokensRequired {
		m.HttpTokens = "required"
	}
	return m
}

func (s *scene) networkInterface(e *store.Interface) InstanceNetworkInterface {
	dns := s.api.privateName(e.Address)
	out := InstanceNetworkInterface{
		Attachment: InstanceNetworkInterfaceAttachment{
			AttachTime: e.Attached, AttachmentId: string(e.Attachment), DeleteOnTermination: e.DeleteOnTermination,
			DeviceIndex: e.DeviceIndex, Status: "attached",
		},
		Description: e.Description, Groups: s.groupSet(e.Groups), InterfaceType: "interface", Ipv6Addresses: []Nothing{},
		MacAddress: e.MAC, NetworkInterfaceId: string(e.ID), OwnerId: e.Account, PrivateDnsName: dns, PrivateIpAddress: e.Address,
		SourceDestCheck: e.SourceCheck, Status: "in-use", SubnetId: string(e.Subnet), VpcId: string(e.VPC),
	}
	if a, ok := s.addresses[e.ID]; ok && e.ID != "" {
		out.Association = &InstanceNetworkInterfaceAssociation{IpOwnerId: a.Account, PublicIp: a.Address}
		if a.Auto {
			out.Association.IpOwnerId = "amazon"
		}
	}
	out.PrivateIpAddresses = []InstancePrivateIpAddress{{
		Association: out.Association, Primary: true, PrivateDnsName: dns, PrivateIpAddress: e.Address,
	}}
	return out
}

func (s *scene) groupSet(groups []id.Group) []GroupIdentifier {
	set := make([]GroupIdentifier, 0, len(groups))
	for _, g := range groups {
		set = append(set, GroupIdentifier{GroupId: ptr(string(g)), GroupName: ptr(s.groups[g].Name)})
	}
	return set
}

// Domain is the DNS suffix of instances of a region.
func Domain(region string) string { return region + ".compute.internal" }

// Hostname is the name of an instance by its private address: ip-10-0-0-5.
func Hostname(address string) string {
	if _, err := netip.ParseAddr(address); err != nil {
		return ""
	}
	return "ip-" + strings.ReplaceAll(address, ".", "-")
}

func (api *API) privateName(address string) string {
	return Hostname(address) + "." + Domain(api.Region)
}

// launchOrder is a key that sorts instances as they were made.
func launchOrder(i *store.Instance) string {
	return fmt.Sprintf("%s %s %06d", i.Created.UTC().Format("20060102150405.000000000"), i.Reservation, i.Number)
}

// reservations puts instances, in their order, back into what they were made by.
func (s *scene) reservations(rows []store.Instance) []Reservation {
	out := []Reservation{}
	for n := range rows {
		i := &rows[n]
		if last := len(out) - 1; last < 0 || cmp.Compare(out[last].ReservationId, string(i.Reservation)) != 0 {
			out = append(out, Reservation{ReservationId: string(i.Reservation), OwnerId: i.Account, Groups: []GroupIdentifier{}})
		}
		r := &out[len(out)-1]
		r.Instances = append(r.Instances, s.instance(i))
	}
	return out
}
