package pretend

import (
	"context"
	"fmt"
	"strings"
)

// ImageName is the name of the image that every pretended cloud has.
const ImageName = "pretend"

// Image registers an image that pretended hosts run, or finds it, and returns
// its id when it can be used.
func (u *Client) Image(ctx context.Context) (string, error) {
	if image, err := u.image(ctx); image != "" || err != nil {
		return image, err
	}
	disk := make([]byte, 1<<20)
	copy(disk, "A disk that nothing can boot, for hosts that only pretend to.\n")
	disk[510], disk[511] = 0x55, 0xaa                             // as a boot sector ends
	bucket := ImageName + "-" + strings.ToLower(u.keys.AccessKey) // a bucket's name is one account's alone
	if err := u.Put(ctx, bucket, "pretend.raw", disk); err != nil {
		return "", err
	}
	_, err := u.Call(ctx, "ec2", "RegisterImage", map[string]any{
		"Name": ImageName, "ImageLocation": bucket + "/pretend.raw", "Architecture": "x86_64", "VirtualizationType": "hvm", "RootDeviceName": "/dev/vda"})
	if err != nil && CodeOf(err) != "InvalidAMIName.Duplicate" {
		return "", err
	}
	var image string
	err = u.cloud.Until(ctx, patience, func() (bool, error) {
		image, err = u.image(ctx)
		return image != "", err
	})
	return image, err
}

// image returns the id of the image if it is there and available.
func (u *Client) image(ctx context.Context) (string, error) {
	out, err := u.Call(ctx, "ec2", "DescribeImages", map[string]any{"Owners": []string{"self"}})
	if err != nil {
		return "", err
	}
	for _, i := range List(out, "Images") {
		if i["Name"] == ImageName && i["State"] == "available" {
			return i["ImageId"].(string), nil
		} else if i["Name"] == ImageName && i["State"] == "failed" {
			return "", fmt.Errorf("the image could not be registered: %v", i["StateReason"])
		}
	}
	return "", nil
}
