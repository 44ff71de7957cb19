package store

import (
	"time"

	"karri/shared/id"
)

// A VPC is a network of one account; the ranges of two may overlap.
type VPC struct {
	ID        id.VPC `gorm:"primaryKey"`
	Account   string
	CIDR      string `gorm:"column:cidr"`
	Default   bool   `gorm:"column:is_default"`
	VNI       uint32 // of its VXLAN; unique in the cloud
	Support   bool   // enableDnsSupport
	Hostnames bool   // enableDnsHostnames
	ACL       id.NetworkACL
	DHCP      id.DHCPOptions
	Created   time.Time
	Creator   string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (VPC) TableName() string { return "vpcs" }

// A Subnet is the part of a VPC that lies in one zone.
type Subnet struct {
	ID      id.Subnet `gorm:"primaryKey"`
	Account string
	VPC     id.VPC
	Zone    string
	CIDR    string `gorm:"column:cidr"`
	Default bool   `gorm:"column:is_default"` // of its zone, in the default VPC
	Public  bool   // mapPublicIpOnLaunch
	Created time.Time
	Creator string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (Subnet) TableName() string { return "subnets" }

// A Gateway is an internet gateway.
type Gateway struct {
	ID      id.InternetGateway `gorm:"primaryKey"`
	Account string
	VPC     id.VPC // empty: attached to none
	Created time.Time
}

// TableName names the table.
func (Gateway) TableName() string { return "internet_gateways" }

// A RouteTable says where the packets of its subnets go.
type RouteTable struct {
	ID      id.RouteTable `gorm:"primaryKey"`
	Account string
	VPC     id.VPC
	Main    id.RouteAssoc // its association as the main table of the VPC; empty: it is not
	Routes  []Route       `gorm:"serializer:json"` // without the local one, which every table has
	Created time.Time
}

// A Route is one line of a route table.
type Route struct {
	CIDR    string             `json:"cidr"`
	Gateway id.InternetGateway `json:"gateway"`
}

// TableName names the table.
func (RouteTable) TableName() string { return "route_tables" }

// A RouteAssociation ties a subnet to a table other than the main one.
type RouteAssociation struct {
	ID      id.RouteAssoc `gorm:"primaryKey"`
	Account string
	Table   id.RouteTable `gorm:"column:route_table"`
	Subnet  id.Subnet
}

// TableName names the table.
func (RouteAssociation) TableName() string { return "route_associations" }

// VPC returns a VPC by id.
func (t *Tx) VPC(account string, vpc id.VPC) (*VPC, error) {
	return one[VPC](t.owned(account).Where("id = ?", vpc),
		missing("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", vpc))
}

// DefaultVPC returns the default VPC of an account.
func (t *Tx) DefaultVPC(account string) (*VPC, error) {
	return one[VPC](t.owned(account).Where("is_default"),
		missing("VPCIdNotSpecified", "No default VPC for this user."))
}

// VPCsOf returns the VPCs of an account.
func (t *Tx) VPCsOf(account string) ([]VPC, error) { return many[VPC](t.owned(account), "created, id") }

// Subnet returns a subnet by id.
func (t *Tx) Subnet(account string, subnet id.Subnet) (*Subnet, error) {
	return one[Subnet](t.owned(account).Where("id = ?", subnet),
		missing("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", subnet))
}

// DefaultSubnet returns the default subnet of an account in a zone.
func (t *Tx) DefaultSubnet(account, zone string) (*Subnet, error) {
	return one[Subnet](t.owned(account).Where("zone = ? AND is_default", zone),
		missing("MissingInput", "No default subnet for availability zone: '%s'.", zone))
}

// SubnetsOf returns the subnets of an account.
func (t *Tx) SubnetsOf(account string) ([]Subnet, error) {
	return many[Subnet](t.owned(account), "created, id")
}

// Gateway returns an internet gateway by id.
func (t *Tx) Gateway(account string, gateway id.InternetGateway) (*Gateway, error) {
	return one[Gateway](t.owned(account).Where("id = ?", gateway),
		missing("InvalidInternetGatewayID.NotFound", "The internetGateway ID '%s' does not exist", gateway))
}

// GatewaysOf returns the internet gateways of an account.
func (t *Tx) GatewaysOf(account string) ([]Gateway, error) {
	return many[Gateway](t.owned(account), "created, id")
}

// RouteTable returns a route table by id.
func (t *Tx) RouteTable(account string, table id.RouteTable) (*RouteTable, error) {
	return one[RouteTable](t.owned(account).Where("id = ?", table),
		missing("InvalidRouteTableID.NotFound", "The routeTable ID '%s' does not exist", table))
}

// RouteTablesOf returns the route tables of an account.
func (t *Tx) RouteTablesOf(account string) ([]RouteTable, error) {
	return many[RouteTable](t.owned(account), "created, id")
}

// RouteAssociationsOf returns which subnets have a table of their own.
func (t *Tx) RouteAssociationsOf(account string) ([]RouteAssociation, error) {
	return many[RouteAssociation](t.owned(account), "id")
}

// firstVNI leaves the lowest numbers to networks that others may run on the
// same machines.
const firstVNI = 4097

// NextVNI returns a VXLAN number that no VPC has had as long as later ones are
// there. Two transactions never get the same one: writers go one after another.
func (t *Tx) NextVNI() (uint32, error) {
	var last uint32
	err := t.g.Model(&VPC{}).Select("COALESCE(MAX(vni), 0)").Scan(&last).Error
	return max(last+1, firstVNI), err
}
