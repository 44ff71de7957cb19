package ec2

import (
	"karri/shared/fault"
	"karri/shared/id"
)

// malformed is the code of a text that is no id of its kind.
var malformed = map[string]string{
	"i": "InvalidInstanceID.Malformed", "ami": "InvalidAMIID.Malformed", "vol": "InvalidVolumeID.Malformed",
	"snap": "InvalidSnapshotID.Malformed", "key": "InvalidKeyPair.NotFound", "sg": "InvalidGroupId.Malformed",
	"sgr": "InvalidSecurityGroupRuleId.Malformed", "vpc": "InvalidVpcID.Malformed", "subnet": "InvalidSubnetID.Malformed",
	"eni": "InvalidNetworkInterfaceId.Malformed", "eni-attach": "InvalidNetworkInterfaceAttachmentId.Malformed",
	"eipalloc": "InvalidAllocationID.Malformed", "eipassoc": "InvalidAssociationID.Malformed",
	"igw": "InvalidInternetGatewayId.Malformed", "rtb": "InvalidRouteTableId.Malformed",
	"rtbassoc": "InvalidRouteTableAssociationID.Malformed", "acl": "InvalidNetworkAclId.Malformed",
	"dopt": "InvalidDhcpOptionsId.Malformed", "r": "InvalidReservationID.Malformed",
}

// parse returns s as an id of type T, or the fault that EC2 names for a text
// which is none.
func parse[T id.ID](s string) (T, error) {
	if !id.Valid[T](s) {
		p := id.Prefix[T]()
		return "", fault.New(fault.Invalid, malformed[p], "Invalid id: \"%s\" (expecting \"%s-...\")", s, p)
	}
	return T(s), nil
}

// parseAll parses each of ss.
func parseAll[T id.ID](ss []string) ([]T, error) {
	ids := make([]T, 0, len(ss))
	for _, s := range ss {
		t, err := parse[T](s)
		if err != nil {
			return nil, err
		}
		ids = append(ids, t)
	}
	return ids, nil
}

// invalid is the fault of a parameter whose value cannot be.
func invalid(format string, args ...any) error {
	return fault.New(fault.Invalid, "InvalidParameterValue", format, args...)
}

// combination is the fault of parameters that do not go together.
func combination(format string, args ...any) error {
	return fault.New(fault.Invalid, "InvalidParameterCombination", format, args...)
}

// unsupported is the fault of a known parameter whose value asks for what this
// cloud does not do.
func unsupported(format string, args ...any) error {
	return fault.New(fault.Invalid, "UnsupportedOperation", format, args...)
}

// lacking is the fault of a parameter that must be there.
func lacking(name string) error {
	return fault.New(fault.Invalid, "MissingParameter", "The request must contain the parameter %s", name)
}
