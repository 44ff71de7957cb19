package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// maxTagged is how many resources one request may tag.
const maxTagged = 1000

// taggable returns the resource type of an id, if the account has the resource.
func taggable(tx *store.Tx, account, name string) (string, error) {
	var err error
	var kind string
	switch id.KindOf(name) {
	case "i":
		kind = "instance"
		_, err = tx.Instance(account, id.Instance(name))
	case "ami":
		kind = "image"
		_, err = tx.Image(account, id.Image(name))
	case "vol":
		kind = "volume"
		_, err = usable(tx, account, name)
	case "snap":
		kind = "snapshot"
		_, err = tx.Snapshot(account, id.Snapshot(name))
	case "key":
		kind = "key-pair"
		_, err = tx.Key(account, id.Key(name))
	case "sg":
		kind = "security-group"
		_, err = tx.Group(account, id.Group(name))
	case "sgr":
		kind = "security-group-rule"
		_, err = tx.Rule(account, id.Rule(name))
	case "vpc":
		kind = "vpc"
		_, err = tx.VPC(account, id.VPC(name))
	case "subnet":
		kind = "subnet"
		_, err = tx.Subnet(account, id.Subnet(name))
	case "eni":
		kind = "network-interface"
		_, err = tx.Interface(account, id.Interface(name))
	case "igw":
		kind = "internet-gateway"
		_, err = tx.Gateway(account, id.InternetGateway(name))
	case "rtb":
		kind = "route-table"
		_, err = tx.RouteTable(account, id.RouteTable(name))
	case "eipalloc":
		kind = "elastic-ip"
		_, err = tx.Address(account, id.Allocation(name))
	case "acl", "dopt":
		return partOfVPC(tx, account, name)
	default:
		return "", fault.New(fault.Invalid, "InvalidID", "The ID '%s' is not valid", name)
	}
	return kind, err
}

// partOfVPC is taggable for what each VPC has one of.
func partOfVPC(tx *store.Tx, account, name string) (string, error) {
	vpcs, err := tx.VPCsOf(account)
	if err != nil {
		return "", err
	}
	for _, v := range vpcs {
		switch name {
		case string(v.ACL):
			return "network-acl", nil
		case string(v.DHCP):
			return "dhcp-options", nil
		}
	}
	if id.KindOf(name) == "acl" {
		return "", fault.New(fault.Missing, aclListing.missing, "The networkAcl ID '%s' does not exist", name)
	}
	return "", fault.New(fault.Missing, dhcpListing.missing, "The dhcpOption ID '%s' does not exist", name)
}

// onTagged is the On of an action on any resources of the caller.
func onTagged[In any](names func(*In) []string) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return on(func(tx *store.Tx, u *uses, in *In) error {
		all := names(in)
		if len(all) > maxTagged {
			return invalid("At most %d resources may be named.", maxTagged)
		}
		for _, name := range all {
			kind, err := taggable(tx, u.who.Account, name)
			if kind == "" {
				return err
			}
			if kind == "key-pair" {
				err = u.addKey(tx.Key(u.who.Account, id.Key(name)))
			} else {
				err = u.note(err, kind, name)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
