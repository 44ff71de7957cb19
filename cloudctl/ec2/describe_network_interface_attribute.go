package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DescribeNetworkInterfaceAttributeInput names an interface and an attribute.
type DescribeNetworkInterfaceAttributeInput struct {
	Attribute          *string
	NetworkInterfaceId string
}

// DescribeNetworkInterfaceAttributeOutput has the asked attribute alone.
type DescribeNetworkInterfaceAttributeOutput struct {
	AssociatePublicIpAddress *bool
	Attachment               *NetworkInterfaceAttachment
	Description              *TextAttribute
	Groups                   *[]GroupIdentifier
	NetworkInterfaceId       string
	SourceDestCheck          *BoolAttribute
}

var _ = action.Add(Catalog, action.Def[*API, DescribeNetworkInterfaceAttributeInput, DescribeNetworkInterfaceAttributeOutput]{
	Name:    "DescribeNetworkInterfaceAttribute",
	Doc:     "Tells one attribute of a network interface.",
	Example: DescribeNetworkInterfaceAttributeInput{NetworkInterfaceId: "eni-1a2b3c4d5e6f70819", Attribute: ptr("groupSet")},
	On:      onInterface(func(in *DescribeNetworkInterfaceAttributeInput) string { return in.NetworkInterfaceId }),
	List:    &action.List{},
	Run:     describeNetworkInterfaceAttribute,
})

func describeNetworkInterfaceAttribute(ctx context.Context, api *API, who action.Caller, in *DescribeNetworkInterfaceAttributeInput) (*DescribeNetworkInterfaceAttributeOutput, error) {
	out := &DescribeNetworkInterfaceAttributeOutput{NetworkInterfaceId: in.NetworkInterfaceId}
	return out, api.Store.View(ctx, func(tx *store.Tx) error {
		e, err := interfaceOf(tx, who.Account, in.NetworkInterfaceId)
		if err != nil {
			return err
		}
		switch val(in.Attribute) {
		case "":
			return combination("No attributes specified.")
		case "description":
			out.Description = &TextAttribute{&e.Description}
		case "groupSet":
			s, err := api.scene(tx, who.Account)
			if err != nil {
				return err
			}
			out.Groups = ptr(s.groupSet(e.Groups))
		case "sourceDestCheck":
			out.SourceDestCheck = &BoolAttribute{e.SourceCheck}
		case "attachment":
			if e.Attachment != "" {
				out.Attachment = attachmentShape(e)
			}
		default:
			out.AssociatePublicIpAddress = &e.Lends
		}
		return nil
	})
}
