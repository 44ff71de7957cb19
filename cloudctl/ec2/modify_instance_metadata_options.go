package ec2

import (
	"context"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// ModifyInstanceMetadataOptionsInput changes what it names and no more.
type ModifyInstanceMetadataOptionsInput struct {
	HttpEndpoint            *string
	HttpPutResponseHopLimit *int
	HttpTokens              *string
	InstanceId              string
}

// ModifyInstanceMetadataOptionsOutput is how the service answers from now on.
type ModifyInstanceMetadataOptionsOutput struct {
	InstanceId              string
	InstanceMetadataOptions InstanceMetadataOptions
}

var _ = action.Add(Catalog, action.Def[*API, ModifyInstanceMetadataOptionsInput, ModifyInstanceMetadataOptionsOutput]{
	Name:    "ModifyInstanceMetadataOptions",
	Doc:     "Changes how the metadata service answers an instance.",
	Example: ModifyInstanceMetadataOptionsInput{InstanceId: "i-1a2b3c4d5e6f70819", HttpTokens: ptr("required"), HttpPutResponseHopLimit: ptr(2)},
	On:      onInstances(func(in *ModifyInstanceMetadataOptionsInput) []string { return []string{in.InstanceId} }),
	Run:     modifyInstanceMetadataOptions,
})

func modifyInstanceMetadataOptions(ctx context.Context, api *API, who action.Caller, in *ModifyInstanceMetadataOptionsInput) (*ModifyInstanceMetadataOptionsOutput, error) {
	if in.HttpEndpoint == nil && in.HttpTokens == nil && in.HttpPutResponseHopLimit == nil {
		return nil, lacking("HttpEndpoint")
	}
	out := &ModifyInstanceMetadataOptionsOutput{InstanceId: in.InstanceId}
	_, err := api.change(ctx, who, []string{in.InstanceId}, func(_ *store.Tx, i *store.Instance, now report.InstanceState) (err error) {
		if now == report.Terminated || now == report.ShuttingDown {
			return incorrect(i, now, "modified")
		}
		i.Metadata, err = withOptions(i.Metadata, &MetadataOptionsRequest{
			HttpEndpoint: in.HttpEndpoint, HttpPutResponseHopLimit: in.HttpPutResponseHopLimit, HttpTokens: in.HttpTokens,
		})
		out.InstanceMetadataOptions = metadataShape(i)
		out.InstanceMetadataOptions.State = "pending"
		return err
	})
	return out, err
}
