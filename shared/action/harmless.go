package action

import "slices"

// harmless holds, by shape and member, the values of parameters which ask for
// nothing beyond what Karri does anyway: the documented defaults that clients
// send although the model knows no defaults. "" and false are always harmless
// and need no entry. An action that honours a parameter does not look here.
var harmless = map[string][]string{
	"CreateVpcRequest.InstanceTenancy":                               {"default"},
	"CreditSpecificationRequest.CpuCredits":                          {"standard"},
	"DescribeRegionsRequest.AllRegions":                              {"true"}, // there is one
	"CapacityReservationSpecification.CapacityReservationPreference": {"open", "none"},
	"EbsBlockDevice.Throughput":                                      {"125"},
	"EbsBlockDevice.Iops":                                            {"3000"},
	"CreateVolumeRequest.Throughput":                                 {"125"},
	"CreateVolumeRequest.Iops":                                       {"3000"},
	"CreateVolumeRequest.VolumeType":                                 {"standard", "gp2", "gp3"},
	"EbsBlockDevice.VolumeType":                                      {"standard", "gp2", "gp3"},
	"Placement.Tenancy":                                              {"default"},
	"RunInstancesRequest.InstanceInitiatedShutdownBehavior":          {"stop"},
	"InstanceMetadataOptionsRequest.HttpEndpoint":                    {"enabled"},
	"InstanceMetadataOptionsRequest.HttpProtocolIpv6":                {"disabled"},
	"InstanceMetadataOptionsRequest.InstanceMetadataTags":            {"disabled"},
	"InstanceMaintenanceOptionsRequest.AutoRecovery":                 {"default", "disabled"},
	"PrivateDnsNameOptionsRequest.HostnameType":                      {"ip-name"},
	"AllocateAddressRequest.Domain":                                  {"vpc"},
	"AllocateAddressRequest.PublicIpv4Pool":                          {"amazon"},
	"RegisterImageRequest.Architecture":                              {"x86_64"},
	"RegisterImageRequest.VirtualizationType":                        {"hvm"},
	"RegisterImageRequest.BootMode":                                  {"legacy-bios"},
	"RegisterImageRequest.SriovNetSupport":                           {"simple"},
	"CreateKeyPairRequest.KeyFormat":                                 {"pem"},
	"DescribeImagesRequest.IncludeDeprecated":                        {"true"},
	"DescribeImagesRequest.IncludeDisabled":                          {"true"},
}

// isHarmless implements protocol.Decoder's Harmless.
func isHarmless(shape, member, value string) bool {
	return slices.Contains(harmless[shape+"."+member], value)
}
