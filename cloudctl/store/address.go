package store

import (
	"time"

	"karri/shared/id"
)

// An Address is a public address that is in use: allocated by an account, or
// lent to an instance while it runs.
type Address struct {
	Address     string `gorm:"primaryKey"`
	Account     string
	Auto        bool           // lent: it goes back to the pool when the instance stops or ends
	Allocation  id.Allocation  // empty when lent
	Association id.Association // empty: not associated
	Interface   id.Interface   // whose private address it stands for; empty: none
	Created     time.Time
	Creator     string // id of the user or role that made it; "": the account itself
}

// TableName names the table.
func (Address) TableName() string { return "addresses" }

// Address returns an allocated address by its allocation id.
func (t *Tx) Address(account string, allocation id.Allocation) (*Address, error) {
	return one[Address](t.owned(account).Where("allocation = ?", allocation),
		missing("InvalidAllocationID.NotFound", "The allocation ID '%s' does not exist", allocation))
}

// AddressNumbered returns an address of an account by the address itself.
func (t *Tx) AddressNumbered(account, address string) (*Address, error) {
	return one[Address](t.owned(account).Where("address = ?", address),
		missing("InvalidAddress.NotFound", "Address '%s' not found.", address))
}

// AddressesOf returns the public addresses of an account, lent ones included.
func (t *Tx) AddressesOf(account string) ([]Address, error) {
	return many[Address](t.owned(account), "created, address")
}

// AddressOn returns the public address of an interface, or nil.
func (t *Tx) AddressOn(eni id.Interface) (*Address, error) {
	rows, err := many[Address](t.g.Where("interface = ?", eni), "address")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// AddressAssociated returns a public address by the id of its association.
func (t *Tx) AddressAssociated(account string, association id.Association) (*Address, error) {
	return one[Address](t.owned(account).Where("association = ?", association),
		missing("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", association))
}
