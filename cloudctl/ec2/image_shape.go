package ec2

// ImageBucket is the system bucket that holds the cloud's copies of images.
const ImageBucket = "karri-images"

// Image is an image as its owner sees it.
type Image struct {
	Architecture        string
	BlockDeviceMappings []ImageBlockDeviceMapping
	BootMode            string
	CreationDate        string
	Description         *string
	EnaSupport          bool
	Hypervisor          string
	ImageId             string
	ImageLocation       string
	ImageType           string
	Name                string
	OwnerId             string
	PlatformDetails     string
	ProductCodes        []ProductCode
	Public              bool
	RootDeviceName      string
	RootDeviceType      string
	State               string
	StateReason         *StateReason
	Tags                []Tag
	UsageOperation      string
	VirtualizationType  string
}

// ImageBlockDeviceMapping is never there: an image is one disk.
type ImageBlockDeviceMapping struct {
	DeviceName  *string
	VirtualName *string
}
