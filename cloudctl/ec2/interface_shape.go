package ec2

import (
	"time"

	"karri/cloudctl/store"
	"karri/shared/id"
)

// NetworkInterface is a network interface as its owner sees it.
type NetworkInterface struct {
	Association        *NetworkInterfaceAssociation
	Attachment         *NetworkInterfaceAttachment
	AvailabilityZone   string
	Description        string
	Groups             []GroupIdentifier
	InterfaceType      string
	Ipv6Addresses      []Nothing
	MacAddress         string
	NetworkInterfaceId string
	OwnerId            string
	PrivateDnsName     string
	PrivateIpAddress   string
	PrivateIpAddresses []NetworkInterfacePrivateIpAddress
	RequesterManaged   bool
	SourceDestCheck    bool
	Status             string
	SubnetId           string
	TagSet             []Tag
	VpcId              string
}

// NetworkInterfaceAssociation is the public address of an interface.
type NetworkInterfaceAssociation struct {
	AllocationId  *string // absent when the address is lent
	AssociationId string
	IpOwnerId     string
	PublicDnsName string
	PublicIp      string
}

// NetworkInterfaceAttachment ties an interface to its instance.
type NetworkInterfaceAttachment struct {
	AttachTime          time.Time
	AttachmentId        string
	DeleteOnTermination bool
	DeviceIndex         int
	InstanceId          string
	InstanceOwnerId     string
	NetworkCardIndex    int
	Status              string
}

// NetworkInterfacePrivateIpAddress is a private address with the public one
// that it has.
type NetworkInterfacePrivateIpAddress struct {
	Association      *NetworkInterfaceAssociation
	Primary          bool
	PrivateDnsName   string
	PrivateIpAddress string
}

// lender is the owner of addresses that are lent, as EC2 names it.
const lender = "amazon"

func interfaceRows(tx *store.Tx, l *looker) ([]NetworkInterface, error) {
	rows, err := tx.InterfacesOf(l.account)
	if err != nil {
		return nil, err
	}
	s, err := l.api.scene(tx, l.account)
	if err != nil {
		return nil, err
	}
	all := []NetworkInterface{}
	for n := range rows {
		all = append(all, s.interfaceShape(&rows[n]))
	}
	return all, nil
}

// interfaceShape is the answer about one network interface.
func (s *scene) interfaceShape(e *store.Interface) NetworkInterface {
	dns := s.api.privateName(e.Address)
	out := NetworkInterface{
		AvailabilityZone: e.Zone, Description: e.Description, Groups: s.groupSet(e.Groups), InterfaceType: "interface",
		Ipv6Addresses: []Nothing{}, MacAddress: e.MAC, NetworkInterfaceId: string(e.ID), OwnerId: e.Account, PrivateDnsName: dns,
		PrivateIpAddress: e.Address, SourceDestCheck: e.SourceCheck, Status: "available", SubnetId: string(e.Subnet),
		TagSet: tagSet(s.tags[string(e.ID)]), VpcId: string(e.VPC),
	}
	if e.Instance != "" {
		out.Status, out.Attachment = "in-use", attachmentShape(e)
	}
	if a, ok := s.addresses[e.ID]; ok {
		out.Association = &NetworkInterfaceAssociation{
			AllocationId: opt(a.Allocation), AssociationId: string(a.Association), IpOwnerId: a.Account, PublicIp: a.Address,
		}
		if a.Auto {
			out.Association.IpOwnerId = lender
		}
	}
	out.PrivateIpAddresses = []NetworkInterfacePrivateIpAddress{{
		Association: out.Association, Primary: true, PrivateDnsName: dns, PrivateIpAddress: e.Address,
	}}
	return out
}

func attachmentShape(e *store.Interface) *NetworkInterfaceAttachment {
	return &NetworkInterfaceAttachment{
		AttachTime: e.Attached, AttachmentId: string(e.Attachment), DeleteOnTermination: e.DeleteOnTermination,
		DeviceIndex: e.DeviceIndex, InstanceId: string(e.Instance), InstanceOwnerId: e.Account, Status: "attached",
	}
}

var interfaceListing = listing[id.Interface, NetworkInterface]{
	name: func(n NetworkInterface) string { return n.NetworkInterfaceId }, tags: func(n NetworkInterface) []Tag { return n.TagSet },
	fields: interfaceFields, missing: "InvalidNetworkInterfaceID.NotFound", what: "networkInterface", rows: interfaceRows,
}

var interfaceFields = fields[NetworkInterface]{
	"addresses.association.owner-id":  func(n NetworkInterface) []string { return is(n.public().IpOwnerId) },
	"addresses.association.public-ip": func(n NetworkInterface) []string { return is(n.public().PublicIp) },
	"addresses.primary":               func(NetworkInterface) []string { return []string{"true"} },
	"addresses.private-ip-address":    func(n NetworkInterface) []string { return is(n.PrivateIpAddress) },
	"association.allocation-id":       func(n NetworkInterface) []string { return isOpt(n.public().AllocationId) },
	"association.association-id":      func(n NetworkInterface) []string { return is(n.public().AssociationId) },
	"association.ip-owner-id":         func(n NetworkInterface) []string { return is(n.public().IpOwnerId) },
	"association.public-dns-name":     func(n NetworkInterface) []string { return is(n.public().PublicDnsName) },
	"association.public-ip":           func(n NetworkInterface) []string { return is(n.public().PublicIp) },
	"attachment.attachment-id":        func(n NetworkInterface) []string { return is(n.attached().AttachmentId) },
	"attachment.instance-id":          func(n NetworkInterface) []string { return is(n.attached().InstanceId) },
	"attachment.instance-owner-id":    func(n NetworkInterface) []string { return is(n.attached().InstanceOwnerId) },
	"attachment.status":               func(n NetworkInterface) []string { return is(n.attached().Status) },
	"attachment.attach-time": func(n NetworkInterface) []string {
		if n.Attachment == nil {
			return nil
		}
		return is(n.Attachment.AttachTime.UTC().Format("2006-01-02T15:04:05.000Z"))
	},
	"attachment.delete-on-termination": func(n NetworkInterface) []string {
		if n.Attachment == nil {
			return nil
		}
		return isBool(n.Attachment.DeleteOnTermination)
	},
	"attachment.device-index": func(n NetworkInterface) []string {
		if n.Attachment == nil {
			return nil
		}
		return isInt(n.Attachment.DeviceIndex)
	},
	"availability-zone":           func(n NetworkInterface) []string { return is(n.AvailabilityZone) },
	"description":                 func(n NetworkInterface) []string { return is(n.Description) },
	"group-id":                    func(n NetworkInterface) []string { return each(n.Groups, groupID) },
	"group-name":                  func(n NetworkInterface) []string { return each(n.Groups, groupName) },
	"interface-type":              func(n NetworkInterface) []string { return is(n.InterfaceType) },
	"ipv6-addresses.ipv6-address": func(NetworkInterface) []string { return nil },
	"mac-address":                 func(n NetworkInterface) []string { return is(n.MacAddress) },
	"network-interface-id":        func(n NetworkInterface) []string { return is(n.NetworkInterfaceId) },
	"owner-id":                    func(n NetworkInterface) []string { return is(n.OwnerId) },
	"private-dns-name":            func(n NetworkInterface) []string { return is(n.PrivateDnsName) },
	"private-ip-address":          func(n NetworkInterface) []string { return is(n.PrivateIpAddress) },
	"requester-id":                func(NetworkInterface) []string { return nil },
	"requester-managed":           func(n NetworkInterface) []string { return isBool(n.RequesterManaged) },
	"source-dest-check":           func(n NetworkInterface) []string { return isBool(n.SourceDestCheck) },
	"status":                      func(n NetworkInterface) []string { return is(n.Status) },
	"subnet-id":                   func(n NetworkInterface) []string { return is(n.SubnetId) },
	"vpc-id":                      func(n NetworkInterface) []string { return is(n.VpcId) },
}

func (n NetworkInterface) public() NetworkInterfaceAssociation  { return val(n.Association) }
func (n NetworkInterface) attached() NetworkInterfaceAttachment { return val(n.Attachment) }
