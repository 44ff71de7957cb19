package ec2

import "time"

// Reservation is what one RunInstances made.
type Reservation struct {
	ReservationId string
	OwnerId       string
	Groups        []GroupIdentifier
	Instances     []Instance
}

// GroupIdentifier names a security group.
type GroupIdentifier struct {
	GroupId   *string
	GroupName *string
}

// Instance is an instance as its owner sees it. Members that have no value, as
// the address of a terminated instance, are absent.
type Instance struct {
	AmiLaunchIndex        int
	Architecture          string
	BlockDeviceMappings   []InstanceBlockDeviceMapping
	BootMode              string
	ClientToken           *string
	CpuOptions            CpuOptions
	EbsOptimized          bool
	EnaSupport            bool
	EnclaveOptions        EnclaveOptions
	HibernationOptions    HibernationOptions
	Hypervisor            string
	IamInstanceProfile    *IamInstanceProfile
	ImageId               string
	InstanceId            string
	InstanceType          string
	KeyName               *string
	LaunchTime            time.Time
	MaintenanceOptions    MaintenanceOptions
	MetadataOptions       InstanceMetadataOptions
	Monitoring            Monitoring
	NetworkInterfaces     []InstanceNetworkInterface
	Placement             InstancePlacement
	PlatformDetails       string
	PrivateDnsName        string
	PrivateIpAddress      *string
	ProductCodes          []ProductCode
	PublicDnsName         string
	PublicIpAddress       *string
	RootDeviceName        string
	RootDeviceType        string
	SecurityGroups        []GroupIdentifier
	SourceDestCheck       *bool
	State                 InstanceState
	StateReason           *StateReason
	StateTransitionReason string
	SubnetId              *string
	Tags                  []Tag
	UsageOperation        string
	VirtualizationType    string
	VpcId                 *string
}

// InstanceState is a state with EC2's number for it.
type InstanceState struct {
	Code int
	Name string
}

// StateReason says why something is in its state, in a code and a sentence.
type StateReason struct {
	Code    string
	Message string
}

// InstanceBlockDeviceMapping is a volume that an instance has.
type InstanceBlockDeviceMapping struct {
	DeviceName string
	Ebs        EbsInstanceBlockDevice
}

// EbsInstanceBlockDevice is the volume's side of a mapping.
type EbsInstanceBlockDevice struct {
	AttachTime          time.Time
	DeleteOnTermination bool
	Status              string
	VolumeId            string
}

// CpuOptions are the cores and threads of an instance.
type CpuOptions struct {
	CoreCount      int
	ThreadsPerCore int
}

// EnclaveOptions say that there are no enclaves.
type EnclaveOptions struct{ Enabled bool }

// HibernationOptions say that there is no hibernation.
type HibernationOptions struct{ Configured bool }

// MaintenanceOptions say what happens when a host fails.
type MaintenanceOptions struct{ AutoRecovery string }

// Monitoring says whether metrics are kept by the minute.
type Monitoring struct{ State string }

// ProductCode is never there: nothing is sold here.
type ProductCode struct {
	ProductCodeId   string
	ProductCodeType string
}

// InstanceMetadataOptions is how the metadata service answers an instance.
type InstanceMetadataOptions struct {
	HttpEndpoint            string
	HttpProtocolIpv6        string
	HttpPutResponseHopLimit int
	HttpTokens              string
	InstanceMetadataTags    string
	State                   string
}

// InstancePlacement is where an instance is.
type InstancePlacement struct {
	AvailabilityZone string
	GroupName        string
	Tenancy          string
}

// InstanceNetworkInterface is a network interface of an instance.
type InstanceNetworkInterface struct {
	Association        *InstanceNetworkInterfaceAssociation
	Attachment         InstanceNetworkInterfaceAttachment
	Description        string
	Groups             []GroupIdentifier
	InterfaceType      string
	Ipv6Addresses      []Nothing
	MacAddress         string
	NetworkInterfaceId string
	OwnerId            string
	PrivateDnsName     string
	PrivateIpAddress   string
	PrivateIpAddresses []InstancePrivateIpAddress
	SourceDestCheck    bool
	Status             string
	SubnetId           string
	VpcId              string
}

// InstanceNetworkInterfaceAssociation is the public address of an interface.
type InstanceNetworkInterfaceAssociation struct {
	IpOwnerId     string
	PublicDnsName string
	PublicIp      string
}

// InstanceNetworkInterfaceAttachment ties an interface to its instance.
type InstanceNetworkInterfaceAttachment struct {
	AttachTime          time.Time
	AttachmentId        string
	DeleteOnTermination bool
	DeviceIndex         int
	NetworkCardIndex    int
	Status              string
}

// InstancePrivateIpAddress is a private address with the public one it has.
type InstancePrivateIpAddress struct {
	Association      *InstanceNetworkInterfaceAssociation
	Primary          bool
	PrivateDnsName   string
	PrivateIpAddress string
}

// InstanceStateChange is what starting, stopping or ending changed at once.
type InstanceStateChange struct {
	CurrentState  InstanceState
	InstanceId    string
	PreviousState InstanceState
}

// Nothing stands for the elements of lists that are always empty.
type Nothing struct{}
