package ec2

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/image"
	"karri/shared/wire"
)

// RegisterImageInput holds the parameters of RegisterImage that Karri honours.
type RegisterImageInput struct {
	Architecture       *string
	BootMode           *string
	Description        *string
	ImageLocation      *string // bucket/key of a raw or qcow2 disk image
	Name               string
	RootDeviceName     *string
	TagSpecifications  []TagSpecification
	VirtualizationType *string
}

// RegisterImageOutput names the new image.
type RegisterImageOutput struct{ ImageId string }

var _ = action.Add(Catalog, action.Def[*API, RegisterImageInput, RegisterImageOutput]{
	Name:    "RegisterImage",
	Doc:     "Makes an image of a raw or qcow2 disk that is an object of a bucket.",
	Example: RegisterImageInput{Name: "debian-12", ImageLocation: ptr("images/debian-12.qcow2"), Architecture: ptr("x86_64")},
	On: on(func(_ *store.Tx, u *uses, in *RegisterImageInput) error {
		u.fresh("image", map[string][]string{"ec2:Owner": {u.who.Account}, "ec2:RootDeviceType": {"ebs"}, "ec2:Public": {"false"}})
		if at := strings.TrimPrefix(val(in.ImageLocation), "/"); at != "" { // walrus says whether the account may read it
			u.all = append(u.all, action.Resource{ARN: "arn:aws:s3:::" + at, Owner: u.who.Account, Permission: "s3:GetObject"})
		}
		return nil
	}),
	Run: registerImage,
})

var imageName = regexp.MustCompile(`^[a-zA-Z0-9 ()\[\]./\-'@_]{3,128}$`)

// registerImage looks at the object on the caller's behalf before it answers,
// so that what is no image is refused at once. The copy that pins its bytes is
// made by the keeper of images.
func registerImage(ctx context.Context, api *API, who action.Caller, in *RegisterImageInput) (*RegisterImageOutput, error) {
	row, err := newImage(in)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, "image")
	if err != nil {
		return nil, err
	}
	if err := api.inspect(ctx, who, row); err != nil {
		return nil, err
	}
	row.ID, row.Account, row.Creator, row.Want, row.Created = id.New[id.Image](api.Rand), who.Account, quota.Creator(who), wire.Present, api.Clock()
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := quota.Check(tx, who, quota.Images, 1); err != nil {
			return err
		}
		if err := tx.Add(row); err != nil {
			if store.Taken(err) {
				return fault.New(fault.Conflict, "InvalidAMIName.Duplicate", "AMI name %s is already in use by another AMI", row.Name)
			}
			return err
		}
		return putTags(tx, who.Account, "image", string(row.ID), tags["image"])
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return &RegisterImageOutput{ImageId: string(row.ID)}, nil
}

// newImage checks what the request says by itself.
func newImage(in *RegisterImageInput) (*store.Image, error) {
	if !imageName.MatchString(in.Name) {
		return nil, fault.New(fault.Invalid, "InvalidAMIName.Malformed",
			"AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/', '_', '[', ']', '@', \"'\" and spaces")
	}
	if utf8.RuneCountInString(val(in.Description)) > 255 {
		return nil, invalid("The description may have at most 255 characters.")
	}
	if a := orElse(in.Architecture, "x86_64"); a != "x86_64" {
		return nil, unsupported("The architecture '%s' is not supported.", a)
	}
	if v := orElse(in.VirtualizationType, "hvm"); v != "hvm" {
		return nil, unsupported("The virtualization type '%s' is not supported.", v)
	}
	if b := orElse(in.BootMode, "legacy-bios"); b != "legacy-bios" {
		return nil, unsupported("The boot mode '%s' is not supported.", b)
	}
	location := strings.TrimPrefix(val(in.ImageLocation), "/")
	if location == "" {
		return nil, lacking("imageLocation")
	}
	name, key, ok := strings.Cut(location, "/")
	if !ok || name == "" || key == "" || strings.Contains(location, "://") || strings.HasPrefix(name, bucket.SystemPrefix) || len(location) > 1100 {
		return nil, invalid("Value (%s) for parameter imageLocation is invalid. Expecting BUCKET/KEY.", val(in.ImageLocation))
	}
	root := orElse(in.RootDeviceName, "/dev/sda1")
	if !rootForm.MatchString(root) {
		return nil, invalid("Value (%s) for parameter rootDeviceName is invalid.", root)
	}
	return &store.Image{
		Name: in.Name, Description: val(in.Description), Architecture: "x86_64", RootDevice: root, Bucket: name, Key: key,
	}, nil
}

var rootForm = regexp.MustCompile(`^/dev/(sd|xvd|vd)a1?$`)

// inspect reads the first bytes of the object as the caller may read it.
func (api *API) inspect(ctx context.Context, who action.Caller, row *store.Image) error {
	r, o, err := api.Buckets.For(who.Account).Get(ctx, row.Bucket, row.Key, 0, image.HeaderBytes)
	if err != nil {
		if f := fault.Of(err); f.Kind == fault.Missing || f.Kind == fault.Denied {
			return fault.New(fault.Invalid, "InvalidManifest", "The object %s/%s cannot be read: %s", row.Bucket, row.Key, f.Text)
		}
		return err
	}
	defer r.Close()
	header, err := io.ReadAll(io.LimitReader(r, image.HeaderBytes))
	if err != nil {
		return fault.New(fault.Later, "Unavailable", "The object %s/%s could not be read.", row.Bucket, row.Key).Because(err)
	}
	format, size, err := image.Inspect(header, o.Size)
	if err != nil {
		return err
	}
	if size <= 0 {
		return errors.New("an image of no size passed inspection")
	}
	row.ETag, row.Bytes, row.Format, row.GiB = o.ETag, o.Size, string(format), GiB(size)
	return nil
}

// GiB returns how many whole GiB hold n bytes.
func GiB(n int64) int { return int((n + 1<<30 - 1) >> 30) }
