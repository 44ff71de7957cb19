package ec2

import (
	"strings"

	"karri/shared/fault"
	"karri/shared/wire"
)

// instanceType is what an instance of a type gets: memory and root disk are
// promised, processors are threads of the host.
type instanceType struct {
	name      string
	vcpus     int
	memoryMiB int
	diskGiB   int
}

// instanceTypes are all types, from small to large.
var instanceTypes = []instanceType{
	{"t1.nano", 1, 128, 1},
	{"t1.micro", 1, 256, 1},
	{"t1.small", 1, 512, 2},
	{"m1.small", 1, 1024, 4},
	{"m1.medium", 2, 2048, 8},
	{"m1.large", 2, 4096, 16},
	{"m1.xlarge", 4, 8192, 32},
	{"m1.2xlarge", 8, 16384, 64},
}

// defaultInstanceType is what RunInstances takes when none is named.
const defaultInstanceType = "t1.micro"

func typeNamed(name string) (instanceType, error) {
	for _, t := range instanceTypes {
		if t.name == name {
			return t, nil
		}
	}
	return instanceType{}, fault.New(fault.Invalid, "InvalidInstanceType", "The following supplied instance types do not exist: [%s]", name)
}

func (t instanceType) capacity(diskGiB int) wire.Capacity {
	return wire.Capacity{VCPUs: t.vcpus, MemoryMiB: t.memoryMiB, DiskGiB: diskGiB}
}

// burstable reports whether a type is of the family that makes no promise of
// steady speed.
func (t instanceType) burstable() bool { return strings.HasPrefix(t.name, "t1.") }
