package ec2

import (
	"context"
	"slices"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// ModifyNetworkInterfaceAttributeInput changes one attribute of a network
// interface.
type ModifyNetworkInterfaceAttributeInput struct {
	Attachment         *NetworkInterfaceAttachmentChanges
	Description        *TextValue
	Groups             []string
	NetworkInterfaceId string
	SourceDestCheck    *BoolValue
}

// NetworkInterfaceAttachmentChanges says what shall become of an interface when
// its instance ends.
type NetworkInterfaceAttachmentChanges struct {
	AttachmentId        *string
	DeleteOnTermination *bool
}

var _ = action.Add(Catalog, action.Def[*API, ModifyNetworkInterfaceAttributeInput, action.Nothing]{
	Name:    "ModifyNetworkInterfaceAttribute",
	Doc:     "Changes the security groups or another attribute of a network interface.",
	Example: ModifyNetworkInterfaceAttributeInput{NetworkInterfaceId: "eni-1a2b3c4d5e6f70819", Groups: []string{"sg-1a2b3c4d5e6f70819"}},
	On: on(func(tx *store.Tx, u *uses, in *ModifyNetworkInterfaceAttributeInput) error {
		e, err := interfaceOf(tx, u.who.Account, in.NetworkInterfaceId)
		if u.note(err, "network-interface", in.NetworkInterfaceId) != nil {
			return err
		}
		groups, err := groupsIn(tx, u.who.Account, e.VPC, in.Groups)
		for _, g := range groups {
			u.add("security-group", string(g))
		}
		return err
	}),
	Run: modifyNetworkInterfaceAttribute,
})

// interfaceOf finds an interface by the text of its id.
func interfaceOf(tx *store.Tx, account, name string) (*store.Interface, error) {
	e, err := parse[id.Interface](name)
	if err != nil {
		return nil, err
	}
	return tx.Interface(account, e)
}

// onInterface is the On of an action on one network interface.
func onInterface[In any](name func(*In) string) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return on(func(tx *store.Tx, u *uses, in *In) error {
		_, err := interfaceOf(tx, u.who.Account, name(in))
		return u.note(err, "network-interface", name(in))
	})
}

// groupsIn finds the security groups that an interface in a VPC shall be in.
func groupsIn(tx *store.Tx, account string, vpc id.VPC, names []string) ([]id.Group, error) {
	groups, err := parseAll[id.Group](names)
	if err != nil {
		return nil, err
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	if len(groups) > maxGroups {
		return nil, fault.New(fault.Full, "SecurityGroupsPerInterfaceLimitExceeded", "An interface may be in %d security groups.", maxGroups)
	}
	for _, g := range groups {
		row, err := tx.Group(account, g)
		if err != nil {
			return nil, err
		}
		if row.VPC != vpc {
			return nil, fault.New(fault.Invalid, "InvalidGroup.NotFound", "The security group '%s' does not exist in VPC '%s'", g, vpc)
		}
	}
	return groups, nil
}

func modifyNetworkInterfaceAttribute(ctx context.Context, api *API, who action.Caller, in *ModifyNetworkInterfaceAttributeInput) (*action.Nothing, error) {
	asked := 0
	for _, is := range []bool{in.Attachment != nil, in.Description != nil, len(in.Groups) > 0, in.SourceDestCheck != nil} {
		if is {
			asked++
		}
	}
	if asked != 1 {
		return nil, combination("Fields for exactly one attribute must be specified, not for %d", asked)
	}
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := interfaceOf(tx, who.Account, in.NetworkInterfaceId)
		if err != nil {
			return err
		}
		if err := in.change(tx, e); err != nil {
			return err
		}
		return tx.Put(e)
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return nil, nil
}

func (in *ModifyNetworkInterfaceAttributeInput) change(tx *store.Tx, e *store.Interface) (err error) {
	switch {
	case in.Attachment != nil:
		if e.Attachment == "" || val(in.Attachment.AttachmentId) != string(e.Attachment) {
			return fault.New(fault.Missing, "InvalidAttachmentID.NotFound", "The attachment ID '%s' does not exist", val(in.Attachment.AttachmentId))
		}
		if in.Attachment.DeleteOnTermination == nil {
			return lacking("Attachment.DeleteOnTermination")
		}
		e.DeleteOnTermination = *in.Attachment.DeleteOnTermination
	case in.Description != nil:
		if len(val(in.Description.Value)) > 255 {
			return invalid("The description may have at most 255 characters.")
		}
		e.Description = val(in.Description.Value)
	case in.SourceDestCheck != nil:
		if in.SourceDestCheck.Value == nil {
			return lacking("SourceDestCheck.Value")
		}
		e.SourceCheck = *in.SourceDestCheck.Value
	default:
		e.Groups, err = groupsIn(tx, e.Account, e.VPC, in.Groups)
	}
	return err
}
