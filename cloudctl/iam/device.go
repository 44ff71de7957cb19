package iam

import (
	"time"

	"karri/cloudctl/mfa"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// maxDevices is how many devices a user, or an account itself, may have.
const maxDevices = 8

// VirtualMFADevice is a device that is an app of a phone.
type VirtualMFADevice struct {
	SerialNumber     string
	Base32StringSeed []byte // shown once, when it is made
	QRCodePNG        []byte // shown once
	User             *User
	EnableDate       *time.Time
	Tags             []Tag
}

// MFADevice is a device of a user.
type MFADevice struct {
	UserName     string
	SerialNumber string
	EnableDate   time.Time
}

// A person is a user, or the root of an account.
type person struct {
	id, name, arn string
	user          *store.User // nil: root
}

// personOf returns the user of that name, or who calls when there is no name.
// The root of the account has the account's name and id for names.
func personOf(tx *store.Tx, who action.Caller, name *string) (*person, error) {
	u, err := userOr(tx, who, name)
	if err == nil && u != nil {
		return &person{u.ID, u.Name, u.ARN(), u}, nil
	}
	if err != nil && (fault.KindOf(err) != fault.Missing || who.UserID != who.Account) {
		return nil, err
	}
	a, accountErr := tx.Account(who.Account)
	switch {
	case accountErr != nil:
		return nil, accountErr
	case err != nil && *name != a.ID && *name != a.Name && *name != "root":
		return nil, err
	}
	return &person{id: a.ID, name: a.Name, arn: "arn:aws:iam::" + a.ID + ":root"}, nil
}

// person notes a user or the account's root.
func (t *things) person(name *string) error {
	p, err := personOf(t.tx, t.who, name)
	switch {
	case err == nil && p.user != nil:
		t.add(p.arn, p.user.Tags)
	case err == nil:
		t.add(p.arn, nil)
	case fault.KindOf(err) == fault.Missing:
		t.add(arn(t.who.Account, "user", "/", *name), nil)
	default:
		return err
	}
	return nil
}

// device notes a device of the account.
func (t *things) device(serial string) {
	if d, err := deviceOf(t.tx, t.who, serial); err == nil {
		t.add(d.Serial, d.Tags)
		return
	}
	t.add(arn(t.who.Account, "mfa", "/", nameOf(serial)), nil)
}

// deviceOf returns a device of the caller's account.
func deviceOf(tx *store.Tx, who action.Caller, serial string) (*store.MFADevice, error) {
	d, err := tx.MFADevice(serial)
	if fault.KindOf(err) == fault.Missing || err == nil && d.Account != who.Account {
		return nil, fault.New(fault.Missing, "NoSuchEntity", "MFA Device with serial number %s does not exist.", serial)
	}
	return d, err
}

// heldDevice returns a device that a person has.
func heldDevice(tx *store.Tx, who action.Caller, name *string, serial string) (*store.MFADevice, *person, error) {
	p, err := personOf(tx, who, name)
	if err != nil {
		return nil, nil, err
	}
	d, err := deviceOf(tx, who, serial)
	if err == nil && d.Holder != p.id {
		err = fault.New(fault.Missing, "NoSuchEntity", "MFA Device with serial number %s does not belong to the user %s.", serial, p.name)
	}
	return d, p, err
}

// syncDevice takes two codes that the device shows in a row.
func (api *API) syncDevice(d *store.MFADevice, first, second string) error {
	ok, err := mfa.Sync(api.Vault, d, first, second, api.Clock())
	if err == nil && !ok {
		err = fault.New(fault.Denied, "InvalidAuthenticationCode", "Authentication code for device is not valid.")
	}
	return err
}

// putDevice writes a device that was changed, and announces it.
func (api *API) putDevice(tx *store.Tx, d *store.MFADevice) error {
	if err := tx.Put(d); err != nil {
		return err
	}
	return api.announceDevice(tx, d, changed)
}

func (api *API) announceDevice(tx *store.Tx, d *store.MFADevice, what string) error {
	return api.announce(tx, d.Account, "mfa", d.Serial, d.Name, d.Serial, what)
}

// showDevice is a device as lists show it.
func showDevice(tx *store.Tx, d *store.MFADevice) (VirtualMFADevice, error) {
	out := VirtualMFADevice{SerialNumber: d.Serial, EnableDate: d.Enabled}
	if d.Holder == "" {
		return out, nil
	}
	if d.Holder == d.Account {
		a, err := tx.Account(d.Account)
		if err == nil {
			out.User = ptr(rootUser(a))
		}
		return out, err
	}
	u, err := tx.UserByID(d.Holder)
	if err == nil {
		out.User = ptr(briefUser(u))
	}
	return out, err
}
