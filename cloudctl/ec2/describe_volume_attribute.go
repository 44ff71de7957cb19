package ec2

import (
	"context"

	"karri/shared/action"
)

// DescribeVolumeAttributeInput names a volume of the caller and an attribute.
type DescribeVolumeAttributeInput struct {
	Attribute string
	VolumeId  string
}

// DescribeVolumeAttributeOutput is the one attribute that was asked for.
type DescribeVolumeAttributeOutput struct {
	AutoEnableIO *BoolAttribute
	ProductCodes []ProductCode
	VolumeId     string
}

// BoolAttribute is an attribute that is so or not.
type BoolAttribute struct{ Value bool }

var _ = action.Add(Catalog, action.Def[*API, DescribeVolumeAttributeInput, DescribeVolumeAttributeOutput]{
	Name:    "DescribeVolumeAttribute",
	Doc:     "Tells one attribute of a volume.",
	Example: DescribeVolumeAttributeInput{Attribute: "autoEnableIO", VolumeId: "vol-1a2b3c4d5e6f70819"},
	On:      onVolume(func(in *DescribeVolumeAttributeInput) string { return in.VolumeId }, noInstance),
	List:    &action.List{},
	Run: func(_ context.Context, _ *API, _ action.Caller, in *DescribeVolumeAttributeInput) (*DescribeVolumeAttributeOutput, error) {
		out := &DescribeVolumeAttributeOutput{VolumeId: in.VolumeId}
		switch in.Attribute {
		case "autoEnableIO":
			out.AutoEnableIO = &BoolAttribute{Value: true} // input and output are never held back
		case "productCodes":
			out.ProductCodes = []ProductCode{}
		default:
			return nil, invalid("Value (%s) for parameter attribute is invalid.", in.Attribute)
		}
		return out, nil
	},
})
