package ec2

import (
	"context"
	"strings"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// ModifyInstanceAttributeInput changes one attribute of an instance: by its
// own parameter, or by Attribute and Value.
type ModifyInstanceAttributeInput struct {
	Attribute                         *string
	BlockDeviceMappings               []DiskSpecification
	DisableApiStop                    *BoolValue
	DisableApiTermination             *BoolValue
	Groups                            []string
	InstanceId                        string
	InstanceInitiatedShutdownBehavior *TextValue
	InstanceType                      *TextValue
	SourceDestCheck                   *BoolValue
	UserData                          *BlobValue
	Value                             *string
}

// BoolValue is a new value that is so or not.
type BoolValue struct{ Value *bool }

// TextValue is a new text.
type TextValue struct{ Value *string }

// BlobValue is new bytes.
type BlobValue struct{ Value []byte }

// DiskSpecification says what shall become of an attached volume.
type DiskSpecification struct {
	DeviceName *string
	Ebs        *DiskOptions
}

// DiskOptions is the volume's side of it.
type DiskOptions struct {
	DeleteOnTermination *bool
	VolumeId            *string
}

var _ = action.Add(Catalog, action.Def[*API, ModifyInstanceAttributeInput, action.Nothing]{
	Name:    "ModifyInstanceAttribute",
	Doc:     "Changes one attribute of an instance.",
	Example: ModifyInstanceAttributeInput{InstanceId: "i-1a2b3c4d5e6f70819", DisableApiTermination: &BoolValue{ptr(true)}},
	On: on(func(tx *store.Tx, u *uses, in *ModifyInstanceAttributeInput) error {
		i, err := parse[id.Instance](in.InstanceId)
		if err != nil {
			return err
		}
		u.add("instance", in.InstanceId)
		if _, err = tx.Instance(u.who.Account, i); err != nil {
			return err
		}
		groups, err := parseAll[id.Group](in.Groups)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if _, err := tx.Group(u.who.Account, g); err != nil {
				return err
			}
			u.add("security-group", string(g))
		}
		u.attribute(in.attributes()...)
		return nil
	}),
	Run: modifyInstanceAttribute,
})

// modification is one change to an instance's records.
type modification func(tx *store.Tx, i *store.Instance, now report.InstanceState) error

// attributes names what is changed, as conditions do.
func (in *ModifyInstanceAttributeInput) attributes() []string {
	var all []string
	for name, is := range map[string]bool{
		"BlockDeviceMapping": in.BlockDeviceMappings != nil, "DisableApiStop": in.DisableApiStop != nil, "DisableApiTermination": in.DisableApiTermination != nil,
		"Groups": in.Groups != nil, "InstanceInitiatedShutdownBehavior": in.InstanceInitiatedShutdownBehavior != nil, "InstanceType": in.InstanceType != nil,
		"SourceDestCheck": in.SourceDestCheck != nil, "UserData": in.UserData != nil,
	} {
		if is || strings.EqualFold(name, val(in.Attribute)) {
			all = append(all, name)
		}
	}
	return all
}

func modifyInstanceAttribute(ctx context.Context, api *API, who action.Caller, in *ModifyInstanceAttributeInput) (*action.Nothing, error) {
	if err := in.named(); err != nil {
		return nil, err
	}
	all := in.modifications()
	if len(all) != 1 {
		return nil, combination("Fields for exactly one attribute must be specified, not for %d", len(all))
	}
	_, err := api.change(ctx, who, []string{in.InstanceId}, func(tx *store.Tx, i *store.Instance, now report.InstanceState) error {
		if now == report.Terminated || now == report.ShuttingDown {
			return incorrect(i, now, "modified")
		}
		return all[0](tx, i, now)
	})
	return nil, err
}

// named turns the form by Attribute and Value into the other.
func (in *ModifyInstanceAttributeInput) named() error {
	if in.Attribute == nil {
		return nil
	}
	if in.Value == nil {
		if len(in.Groups) > 0 || len(in.BlockDeviceMappings) > 0 {
			return nil
		}
		return lacking("value")
	}
	flag := map[string]bool{"true": true, "false": false}
	so, isFlag := flag[*in.Value]
	switch a := *in.Attribute; a {
	case "disableApiTermination", "disableApiStop", "sourceDestCheck":
		if !isFlag {
			return invalid("Value (%s) for parameter value is invalid. Expecting true or false.", *in.Value)
		}
		*map[string]**BoolValue{
			"disableApiTermination": &in.DisableApiTermination, "disableApiStop": &in.DisableApiStop, "sourceDestCheck": &in.SourceDestCheck,
		}[a] = &BoolValue{&so}
	case "instanceInitiatedShutdownBehavior":
		in.InstanceInitiatedShutdownBehavior = &TextValue{in.Value}
	case "instanceType":
		in.InstanceType = &TextValue{in.Value}
	case "userData":
		data, err := decodeUserData(*in.Value)
		if err != nil {
			return err
		}
		in.UserData = &BlobValue{data}
	default:
		return unsupported("The attribute '%s' cannot be changed here.", a)
	}
	return nil
}

func (in *ModifyInstanceAttributeInput) modifications() []modification {
	var all []modification
	add := func(asked bool, m modification) {
		if asked {
			all = append(all, m)
		}
	}
	add(in.DisableApiTermination != nil, func(_ *store.Tx, i *store.Instance, _ report.InstanceState) error {
		i.Protected = val(in.DisableApiTermination.Value)
		return nil
	})
	add(in.DisableApiStop != nil, func(_ *store.Tx, i *store.Instance, _ report.InstanceState) error {
		i.Unstopped = val(in.DisableApiStop.Value)
		return nil
	})
	add(in.InstanceInitiatedShutdownBehavior != nil, in.setShutdown)
	add(in.InstanceType != nil, in.setType)
	add(in.UserData != nil, in.setUserData)
	add(in.SourceDestCheck != nil, in.setSourceCheck)
	add(len(in.Groups) > 0, in.setGroups)
	add(len(in.BlockDeviceMappings) > 0, in.setDisks)
	return all
}

func (in *ModifyInstanceAttributeInput) setShutdown(_ *store.Tx, i *store.Instance, _ report.InstanceState) error {
	b := val(in.InstanceInitiatedShutdownBehavior.Value)
	if b != "stop" && b != "terminate" {
		return invalid("Value (%s) for parameter instanceInitiatedShutdownBehavior is invalid.", b)
	}
	i.OnShut = b
	return nil
}

// setType changes the type of an instance that rests. Its place was chosen for
// the old size, so it may only shrink.
func (in *ModifyInstanceAttributeInput) setType(_ *store.Tx, i *store.Instance, now report.InstanceState) error {
	t, err := typeNamed(val(in.InstanceType.Value))
	if err != nil {
		return err
	}
	if now != report.Stopped {
		return incorrect(i, now, "modified")
	}
	if t.vcpus > i.VCPUs || t.memoryMiB > i.MemoryMiB {
		return unsupported("A stopped instance keeps its place, where there is no more room than '%s' had.", i.Type)
	}
	i.Type, i.VCPUs, i.MemoryMiB = t.name, t.vcpus, t.memoryMiB
	return nil
}

func (in *ModifyInstanceAttributeInput) setUserData(_ *store.Tx, i *store.Instance, now report.InstanceState) error {
	if now != report.Stopped {
		return incorrect(i, now, "modified")
	}
	if len(in.UserData.Value) > maxUserData {
		return invalid("User data is limited to %d bytes", maxUserData)
	}
	i.UserData = in.UserData.Value
	return nil
}

func (in *ModifyInstanceAttributeInput) setSourceCheck(tx *store.Tx, i *store.Instance, _ report.InstanceState) error {
	return onFirstInterface(tx, i, func(e *store.Interface) error {
		e.SourceCheck = val(in.SourceDestCheck.Value)
		return nil
	})
}

func (in *ModifyInstanceAttributeInput) setGroups(tx *store.Tx, i *store.Instance, _ report.InstanceState) error {
	return onFirstInterface(tx, i, func(e *store.Interface) (err error) {
		e.Groups, err = groupsIn(tx, i.Account, e.VPC, in.Groups)
		return err
	})
}

func onFirstInterface(tx *store.Tx, i *store.Instance, do func(e *store.Interface) error) error {
	enis, err := tx.InterfacesOn(i.ID)
	if err != nil || len(enis) == 0 {
		return err
	}
	if err := do(&enis[0]); err != nil {
		return err
	}
	return tx.Put(&enis[0])
}

func (in *ModifyInstanceAttributeInput) setDisks(tx *store.Tx, i *store.Instance, _ report.InstanceState) error {
	have, err := tx.AttachmentsOn(i.ID)
	if err != nil {
		return err
	}
	for _, m := range in.BlockDeviceMappings {
		found := false
		for _, a := range have {
			if m.Ebs == nil || m.Ebs.DeleteOnTermination == nil || !sameDevice(a.Device, val(m.DeviceName)) {
				continue
			}
			found = true
			a.DeleteOnTermination = *m.Ebs.DeleteOnTermination
			if err := tx.Put(&a); err != nil {
				return err
			}
		}
		if !found {
			return fault.New(fault.Invalid, "InvalidInstanceAttributeValue", "No device is currently mapped at %s", val(m.DeviceName))
		}
	}
	return nil
}
