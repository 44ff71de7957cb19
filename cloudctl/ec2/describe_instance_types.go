package ec2

import (
	"context"
	"fmt"
	"slices"

	"karri/shared/action"
)

// DescribeInstanceTypesInput narrows the list of instance types.
type DescribeInstanceTypesInput struct {
	InstanceTypes []string
	Filters       []action.Filter
	MaxResults    *int
	NextToken     *string
}

// DescribeInstanceTypesOutput is a page of instance types.
type DescribeInstanceTypesOutput struct {
	InstanceTypes []InstanceTypeInfo
	NextToken     *string
}

// InstanceTypeInfo is what schedulers read of a type: a member that is not
// there makes some refuse the type without a word.
type InstanceTypeInfo struct {
	AutoRecoverySupported         bool
	BareMetal                     bool
	BurstablePerformanceSupported bool
	CurrentGeneration             bool
	DedicatedHostsSupported       bool
	EbsInfo                       EbsInfo
	FreeTierEligible              bool
	HibernationSupported          bool
	Hypervisor                    string
	InstanceStorageInfo           InstanceStorageInfo
	InstanceStorageSupported      bool
	InstanceType                  string
	MemoryInfo                    MemoryInfo
	NetworkInfo                   NetworkInfo
	NitroEnclavesSupport          string
	NitroTpmSupport               string
	PlacementGroupInfo            PlacementGroupInfo
	ProcessorInfo                 ProcessorInfo
	SupportedBootModes            []string
	SupportedRootDeviceTypes      []string
	SupportedUsageClasses         []string
	SupportedVirtualizationTypes  []string
	VCpuInfo                      VCpuInfo
}

// EbsInfo is what a type can do with volumes.
type EbsInfo struct {
	EbsOptimizedSupport string
	EncryptionSupport   string
	NvmeSupport         string
}

// InstanceStorageInfo is the disk that comes with an instance.
type InstanceStorageInfo struct {
	Disks         []DiskInfo
	NvmeSupport   string
	TotalSizeInGB int64
}

// DiskInfo is one disk.
type DiskInfo struct {
	Count    int
	SizeInGB int64
	Type     string
}

// MemoryInfo is the memory of a type.
type MemoryInfo struct{ SizeInMiB int64 }

// NetworkInfo is what a type can do with networks.
type NetworkInfo struct {
	DefaultNetworkCardIndex   int
	EfaSupported              bool
	EnaSupport                string
	Ipv4AddressesPerInterface int
	Ipv6AddressesPerInterface int
	Ipv6Supported             bool
	MaximumNetworkCards       int
	MaximumNetworkInterfaces  int
	NetworkCards              []NetworkCardInfo
	NetworkPerformance        string
}

// NetworkCardInfo is one network card.
type NetworkCardInfo struct {
	MaximumNetworkInterfaces int
	NetworkCardIndex         int
	NetworkPerformance       string
}

// PlacementGroupInfo says that there are no placement groups.
type PlacementGroupInfo struct{ SupportedStrategies []string }

// ProcessorInfo is the processor of a type.
type ProcessorInfo struct{ SupportedArchitectures []string }

// VCpuInfo is the number of processors of a type.
type VCpuInfo struct {
	DefaultCores          int
	DefaultThreadsPerCore int
	DefaultVCpus          int
}

var typeFields = fields[InstanceTypeInfo]{
	"auto-recovery-supported":         func(t InstanceTypeInfo) []string { return isBool(t.AutoRecoverySupported) },
	"bare-metal":                      func(t InstanceTypeInfo) []string { return isBool(t.BareMetal) },
	"burstable-performance-supported": func(t InstanceTypeInfo) []string { return isBool(t.BurstablePerformanceSupported) },
	"current-generation":              func(t InstanceTypeInfo) []string { return isBool(t.CurrentGeneration) },
	"free-tier-eligible":              func(t InstanceTypeInfo) []string { return isBool(t.FreeTierEligible) },
	"hypervisor":                      func(t InstanceTypeInfo) []string { return is(t.Hypervisor) },
	"instance-storage-supported":      func(t InstanceTypeInfo) []string { return isBool(t.InstanceStorageSupported) },
	"instance-type":                   func(t InstanceTypeInfo) []string { return is(t.InstanceType) },
	"memory-info.size-in-mib":         func(t InstanceTypeInfo) []string { return isInt(int(t.MemoryInfo.SizeInMiB)) },
	"processor-info.supported-architecture": func(t InstanceTypeInfo) []string {
		return t.ProcessorInfo.SupportedArchitectures
	},
	"supported-boot-mode":           func(t InstanceTypeInfo) []string { return t.SupportedBootModes },
	"supported-root-device-type":    func(t InstanceTypeInfo) []string { return t.SupportedRootDeviceTypes },
	"supported-usage-class":         func(t InstanceTypeInfo) []string { return t.SupportedUsageClasses },
	"supported-virtualization-type": func(t InstanceTypeInfo) []string { return t.SupportedVirtualizationTypes },
	"vcpu-info.default-cores":       func(t InstanceTypeInfo) []string { return isInt(t.VCpuInfo.DefaultCores) },
	"vcpu-info.default-vcpus":       func(t InstanceTypeInfo) []string { return isInt(t.VCpuInfo.DefaultVCpus) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeInstanceTypesInput, DescribeInstanceTypesOutput]{
	Name:    "DescribeInstanceTypes",
	Doc:     "Lists the types that an instance may be of.",
	Example: DescribeInstanceTypesInput{InstanceTypes: []string{"t1.nano"}},
	On:      action.Everyone[*API, DescribeInstanceTypesInput],
	List:    &action.List{Filters: typeFields.names(), Max: 100},
	Run:     describeInstanceTypes,
})

func describeInstanceTypes(ctx context.Context, _ *API, _ action.Caller, in *DescribeInstanceTypesInput) (*DescribeInstanceTypesOutput, error) {
	all := []InstanceTypeInfo{}
	for _, t := range instanceTypes {
		all = append(all, typeShape(t))
	}
	all, err := wanted(in.InstanceTypes, all, func(t InstanceTypeInfo) string { return t.InstanceType }, func(name string) error {
		_, err := typeNamed(name)
		return err
	})
	if err != nil {
		return nil, err
	}
	all = typeFields.pick(in.Filters, all, noTags[InstanceTypeInfo])
	page, next, err := action.Page(ctx, all, func(t InstanceTypeInfo) string { return typeOrder(t.InstanceType) })
	return &DescribeInstanceTypesOutput{InstanceTypes: page, NextToken: next}, err
}

// typeOrder is a key that sorts types from small to large.
func typeOrder(name string) string {
	return fmt.Sprintf("%03d", slices.IndexFunc(instanceTypes, func(t instanceType) bool { return t.name == name }))
}

func typeShape(t instanceType) InstanceTypeInfo {
	return InstanceTypeInfo{
		BurstablePerformanceSupported: t.burstable(), CurrentGeneration: true,
		EbsInfo:    EbsInfo{EbsOptimizedSupport: "unsupported", EncryptionSupport: "unsupported", NvmeSupport: "unsupported"},
		Hypervisor: "xen", InstanceStorageSupported: true, InstanceType: t.name,
		InstanceStorageInfo: InstanceStorageInfo{
			Disks:       []DiskInfo{{Count: 1, SizeInGB: int64(t.diskGiB), Type: "ssd"}},
			NvmeSupport: "unsupported", TotalSizeInGB: int64(t.diskGiB),
		},
		MemoryInfo: MemoryInfo{SizeInMiB: int64(t.memoryMiB)},
		NetworkInfo: NetworkInfo{
			EnaSupport: "unsupported", Ipv4AddressesPerInterface: 1, MaximumNetworkCards: 1, MaximumNetworkInterfaces: 1,
			NetworkCards:       []NetworkCardInfo{{MaximumNetworkInterfaces: 1, NetworkPerformance: "Moderate"}},
			NetworkPerformance: "Moderate",
		},
		NitroEnclavesSupport: "unsupported", NitroTpmSupport: "unsupported",
		PlacementGroupInfo:       PlacementGroupInfo{SupportedStrategies: []string{}},
		ProcessorInfo:            ProcessorInfo{SupportedArchitectures: []string{"x86_64"}},
		SupportedBootModes:       []string{"legacy-bios"},
		SupportedRootDeviceTypes: []string{"instance-store"}, SupportedUsageClasses: []string{"on-demand"},
		SupportedVirtualizationTypes: []string{"hvm"},
		VCpuInfo:                     VCpuInfo{DefaultCores: t.vcpus, DefaultThreadsPerCore: 1, DefaultVCpus: t.vcpus},
	}
}
