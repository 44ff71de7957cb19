package ec2

import (
	"context"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// DescribeImagesInput narrows the list of images.
type DescribeImagesInput struct {
	ExecutableUsers   []string
	ImageIds          []string
	IncludeDeprecated *bool
	IncludeDisabled   *bool
	Owners            []string
	Filters           []action.Filter
	MaxResults        *int
	NextToken         *string
}

// DescribeImagesOutput is a page of images.
type DescribeImagesOutput struct {
	Images    []Image
	NextToken *string
}

var imageFields = fields[Image]{
	"architecture":        func(i Image) []string { return is(i.Architecture) },
	"creation-date":       func(i Image) []string { return is(i.CreationDate) },
	"description":         func(i Image) []string { return isOpt(i.Description) },
	"hypervisor":          func(i Image) []string { return is(i.Hypervisor) },
	"image-id":            func(i Image) []string { return is(i.ImageId) },
	"image-type":          func(i Image) []string { return is(i.ImageType) },
	"is-public":           func(i Image) []string { return isBool(i.Public) },
	"manifest-location":   func(i Image) []string { return is(i.ImageLocation) },
	"name":                func(i Image) []string { return is(i.Name) },
	"owner-alias":         func(Image) []string { return []string{"self"} },
	"owner-id":            func(i Image) []string { return is(i.OwnerId) },
	"platform":            func(Image) []string { return nil },
	"root-device-name":    func(i Image) []string { return is(i.RootDeviceName) },
	"root-device-type":    func(i Image) []string { return is(i.RootDeviceType) },
	"state":               func(i Image) []string { return is(i.State) },
	"state-reason-code":   func(i Image) []string { return is(val(i.StateReason).Code) },
	"virtualization-type": func(i Image) []string { return is(i.VirtualizationType) },
	"boot-mode":           func(i Image) []string { return is(i.BootMode) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeImagesInput, DescribeImagesOutput]{
	Name:    "DescribeImages",
	Doc:     "Lists images.",
	Example: DescribeImagesInput{Owners: []string{"self"}, Filters: []action.Filter{{Name: "state", Values: []string{"available"}}}},
	On:      action.Own[*API, DescribeImagesInput],
	List:    &action.List{Filters: imageFields.names()},
	Run:     describeImages,
})

func describeImages(ctx context.Context, api *API, who action.Caller, in *DescribeImagesInput) (*DescribeImagesOutput, error) {
	if _, err := parseAll[id.Image](in.ImageIds); err != nil {
		return nil, err
	}
	all := []Image{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.ImagesOf(who.Account)
		if err != nil {
			return err
		}
		tags, err := tx.TagsOf(who.Account)
		if err != nil {
			return err
		}
		for n := range rows {
			all = append(all, imageShape(&rows[n], tags))
		}
		all, err = wanted(in.ImageIds, all, func(i Image) string { return i.ImageId }, func(name string) error {
			_, err := tx.Image(who.Account, id.Image(name))
			return err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	if !ownsOne(in.Owners, who.Account) || !ownsOne(in.ExecutableUsers, who.Account) {
		all = []Image{}
	}
	all = imageFields.pick(in.Filters, all, func(i Image) []Tag { return i.Tags })
	page, next, err := action.Page(ctx, all, func(i Image) string { return i.ImageId })
	return &DescribeImagesOutput{Images: page, NextToken: next}, err
}

// ownsOne reports whether an account is among owners, or none is named.
func ownsOne(owners []string, account string) bool {
	for _, o := range owners {
		if o == "self" || o == account {
			return true
		}
	}
	return len(owners) == 0
}

func imageShape(i *store.Image, tags store.Tags) Image {
	out := Image{
		Architecture: i.Architecture, BlockDeviceMappings: []ImageBlockDeviceMapping{}, BootMode: "legacy-bios",
		CreationDate: i.Created.UTC().Format("2006-01-02T15:04:05.000Z"), Description: opt(i.Description), Hypervisor: "xen",
		ImageId: string(i.ID), ImageLocation: i.Bucket + "/" + i.Key, ImageType: "machine", Name: i.Name, OwnerId: i.Account,
		PlatformDetails: "Linux/UNIX", ProductCodes: []ProductCode{}, RootDeviceName: i.RootDevice, RootDeviceType: "instance-store",
		State: report.ImageState(i), Tags: tagSet(tags[string(i.ID)]), UsageOperation: "RunInstances", VirtualizationType: "hvm",
	}
	if i.Failure != "" {
		out.StateReason = &StateReason{Code: "Client.InvalidManifest", Message: i.Failure}
	}
	return out
}
