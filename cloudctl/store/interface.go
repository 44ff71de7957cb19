package store

import (
	"time"

	"karri/shared/id"
	"karri/shared/wire"
)

// An Interface is a network interface: an address in a subnet, and the
// instance that has it.
type Interface struct {
	ID          id.Interface `gorm:"primaryKey"`
	Account     string
	VPC         id.VPC
	Subnet      id.Subnet
	Zone        string
	MAC         string
	Address     string     // private; unique in the subnet
	Groups      []id.Group `gorm:"serializer:json"`
	SourceCheck bool
	Description string
	Created     time.Time

	Instance            id.Instance // empty: free
	Attachment          id.Attachment
	DeviceIndex         int
	DeleteOnTermination bool
	Attached            time.Time
	Lends               bool   // it is lent a public address whenever its instance starts
	Creator             string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (Interface) TableName() string { return "interfaces" }

// Interface returns a network interface by id.
func (t *Tx) Interface(account string, eni id.Interface) (*Interface, error) {
	return one[Interface](t.owned(account).Where("id = ?", eni),
		missing("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", eni))
}

// InterfacesOf returns the network interfaces of an account, in the order of
// device index.
func (t *Tx) InterfacesOf(account string) ([]Interface, error) {
	return many[Interface](t.owned(account), "device_index, id")
}

// InterfacesOn returns the network interfaces of an instance by device index.
func (t *Tx) InterfacesOn(instance id.Instance) ([]Interface, error) {
	return many[Interface](t.g.Where("instance = ?", instance), "device_index, id")
}

// InterfacesInZone returns the network interfaces of the instances of a zone.
func (t *Tx) InterfacesInZone(zone string) ([]Interface, error) {
	return many[Interface](t.g.Where("zone = ?", zone), "device_index, id")
}

// InterfacesElsewhere returns the network interfaces of the instances of other
// zones, without those that are wished gone.
func (t *Tx) InterfacesElsewhere(zone string) ([]Interface, error) {
	return many[Interface](t.g.Where("zone <> ? AND instance IN (SELECT id FROM instances WHERE want <> ?)", zone, wire.Gone), "address, id")
}

// AddressesIn returns the private addresses that are taken in a subnet.
func (t *Tx) AddressesIn(subnet id.Subnet) ([]Interface, error) {
	return many[Interface](t.g.Where("subnet = ?", subnet), "id")
}
