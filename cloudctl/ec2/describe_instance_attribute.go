package ec2

import (
	"context"
	"encoding/base64"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// DescribeInstanceAttributeInput names an instance of the caller and an attribute.
type DescribeInstanceAttributeInput struct {
	Attribute  string
	InstanceId string
}

// InstanceAttribute is the one attribute that was asked for.
type InstanceAttribute struct {
	BlockDeviceMappings               []InstanceBlockDeviceMapping
	DisableApiStop                    *BoolAttribute
	DisableApiTermination             *BoolAttribute
	EbsOptimized                      *BoolAttribute
	EnaSupport                        *BoolAttribute
	EnclaveOptions                    *EnclaveOptions
	Groups                            []GroupIdentifier
	InstanceId                        string
	InstanceInitiatedShutdownBehavior *TextAttribute
	InstanceType                      *TextAttribute
	KernelId                          *TextAttribute
	ProductCodes                      []ProductCode
	RamdiskId                         *TextAttribute
	RootDeviceName                    *TextAttribute
	SourceDestCheck                   *BoolAttribute
	SriovNetSupport                   *TextAttribute
	UserData                          *TextAttribute
}

// TextAttribute is an attribute with a text, absent when it has none.
type TextAttribute struct{ Value *string }

var _ = action.Add(Catalog, action.Def[*API, DescribeInstanceAttributeInput, InstanceAttribute]{
	Name:    "DescribeInstanceAttribute",
	Doc:     "Tells one attribute of an instance.",
	Example: DescribeInstanceAttributeInput{Attribute: "disableApiTermination", InstanceId: "i-1a2b3c4d5e6f70819"},
	On:      onInstances(func(in *DescribeInstanceAttributeInput) []string { return []string{in.InstanceId} }),
	List:    &action.List{},
	Run:     describeInstanceAttribute,
})

// instanceAttributes are the attributes by name.
var instanceAttributes = map[string]func(out *InstanceAttribute, d *described){
	"blockDeviceMapping": func(out *InstanceAttribute, d *described) { out.BlockDeviceMappings = d.BlockDeviceMappings },
	"disableApiStop":     func(out *InstanceAttribute, d *described) { out.DisableApiStop = &BoolAttribute{d.row.Unstopped} },
	"disableApiTermination": func(out *InstanceAttribute, d *described) {
		out.DisableApiTermination = &BoolAttribute{d.row.Protected}
	},
	"ebsOptimized":   func(out *InstanceAttribute, _ *described) { out.EbsOptimized = &BoolAttribute{} },
	"enaSupport":     func(out *InstanceAttribute, _ *described) { out.EnaSupport = &BoolAttribute{} },
	"enclaveOptions": func(out *InstanceAttribute, _ *described) { out.EnclaveOptions = &EnclaveOptions{} },
	"groupSet":       func(out *InstanceAttribute, d *described) { out.Groups = d.SecurityGroups },
	"instanceInitiatedShutdownBehavior": func(out *InstanceAttribute, d *described) {
		out.InstanceInitiatedShutdownBehavior = &TextAttribute{&d.row.OnShut}
	},
	"instanceType":    func(out *InstanceAttribute, d *described) { out.InstanceType = &TextAttribute{&d.row.Type} },
	"kernel":          func(out *InstanceAttribute, _ *described) { out.KernelId = &TextAttribute{} },
	"productCodes":    func(out *InstanceAttribute, _ *described) { out.ProductCodes = []ProductCode{} },
	"ramdisk":         func(out *InstanceAttribute, _ *described) { out.RamdiskId = &TextAttribute{} },
	"rootDeviceName":  func(out *InstanceAttribute, d *described) { out.RootDeviceName = &TextAttribute{&d.row.RootDevice} },
	"sriovNetSupport": func(out *InstanceAttribute, _ *described) { out.SriovNetSupport = &TextAttribute{} },
	"sourceDestCheck": func(out *InstanceAttribute, d *described) {
		out.SourceDestCheck = &BoolAttribute{val(d.SourceDestCheck)}
	},
	"userData": func(out *InstanceAttribute, d *described) {
		out.UserData = &TextAttribute{opt(base64.StdEncoding.EncodeToString(d.row.UserData))}
	},
}

func describeInstanceAttribute(ctx context.Context, api *API, who action.Caller, in *DescribeInstanceAttributeInput) (*InstanceAttribute, error) {
	fill := instanceAttributes[in.Attribute]
	if fill == nil {
		return nil, invalid("Value (%s) for parameter attribute is invalid. Unknown attribute.", in.Attribute)
	}
	out := &InstanceAttribute{InstanceId: in.InstanceId}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		_, all, err := api.instances(tx, who.Account, []string{in.InstanceId})
		if err == nil {
			fill(out, all[0])
		}
		return err
	})
	return out, err
}
