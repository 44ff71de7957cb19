package quota

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"karri/shared/policy"
)

// Names of quotas that more than one place counts.
const (
	Instances  = "ec2:quota-vminstancenumber"
	Active     = "ec2:quota-vminstanceactivenumber"
	CPUs       = "ec2:quota-cputotalsize"
	Memory     = "ec2:quota-memorytotalsize"
	Disk       = "ec2:quota-disktotalsize"
	Volumes    = "ec2:quota-volumenumber"
	VolumesGiB = "ec2:quota-volumetotalsize"
	VolumeGiB  = "ec2:quota-volumesize"
	Snapshots  = "ec2:quota-snapshotnumber"
	Images     = "ec2:quota-imagenumber"
	Addresses  = "ec2:quota-addressnumber"
	Groups     = "ec2:quota-securitygroupnumber"
	KeyPairs   = "ec2:quota-keypairnumber"
	VPCs       = "ec2:quota-vpcnumber"
	Subnets    = "ec2:quota-subnetnumber"
	Interfaces = "ec2:quota-networkinterfacenumber"
	Buckets    = "s3:quota-bucketnumber"
	Objects    = "s3:quota-bucketobjectsnumber"
	Bytes      = "s3:quota-buckettotalsize"
)

// A Quota is something of which there may be a bounded number.
type Quota struct {
	Name    string   // the condition key
	Actions []string // the permissions that make one; a Limit statement that speaks of any of them counts
	kind    string   // of the resource, as in an ARN
	Code    string   // of the refusal
	Word    string   // in the refusal: "instances"
	Default int64

	Service string // in Service Quotas
	ID      string // its code there; a real one where the real service has such a quota
	Title   string
	Unit    string // "None", "Gigabytes", ...
}

var all = []*Quota{
	{Name: Instances, Actions: runs, kind: "instance", Code: "InstanceLimitExceeded", Word: "instances", Default: 100, Title: "Instances"},
	{Name: Active, Actions: starts, kind: "instance", Code: "InstanceLimitExceeded", Word: "running instances", Default: None, Title: "Running instances"},
	{Name: CPUs, Actions: starts, kind: "instance", Code: "VcpuLimitExceeded", Word: "vCPUs", Default: 2048, ID: "L-1216C47A",
		Title: "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"},
	{Name: Memory, Actions: starts, kind: "instance", Code: "InstanceLimitExceeded", Word: "MiB of memory", Default: None, Title: "Memory of running instances", Unit: "Megabytes"},
	{Name: Disk, Actions: runs, kind: "instance", Code: "InstanceLimitExceeded", Word: "GiB of disk", Default: None, Title: "Disks of instances", Unit: "Gigabytes"},
	{Name: Images, Actions: []string{"ec2:RegisterImage", "ec2:CreateImage", "ec2:CopyImage"}, kind: "image", Code: "ResourceLimitExceeded", Word: "images",
		Default: 50_000, ID: "L-B665C33B", Title: "AMIs"},
	{Name: Addresses, Actions: []string{"ec2:AllocateAddress"}, kind: "elastic-ip", Code: "AddressLimitExceeded", Word: "addresses", Default: 20,
		ID: "L-0263D0A3", Title: "EC2-VPC Elastic IPs"},
	{Name: KeyPairs, Actions: []string{"ec2:CreateKeyPair", "ec2:ImportKeyPair"}, kind: "key-pair", Code: "ResourceLimitExceeded", Word: "key pairs", Default: 5000, Title: "Key pairs"},

	{Name: Volumes, Actions: disks, kind: "volume", Code: "VolumeLimitExceeded", Word: "volumes", Default: 200, Service: "ebs", Title: "Volumes per Region"},
	{Name: VolumesGiB, Actions: disks, kind: "volume", Code: "VolumeLimitExceeded", Word: "GiB of volumes", Default: None, Service: "ebs",
		Title: "Storage for volumes, in GiB", Unit: "Gigabytes"},
	{Name: VolumeGiB, Actions: disks, kind: "volume", Code: "VolumeLimitExceeded", Word: "GiB in one volume", Default: 16384, Service: "ebs",
		Title: "Size of one volume, in GiB", Unit: "Gigabytes"},
	{Name: Snapshots, Actions: []string{"ec2:CreateSnapshot", "ec2:CreateSnapshots", "ec2:CopySnapshot"}, kind: "snapshot", Code: "SnapshotLimitExceeded", Word: "snapshots",
		Default: 1000, Service: "ebs", ID: "L-309BACF6", Title: "Snapshots per Region"},

	{Name: Groups, Actions: []string{"ec2:CreateSecurityGroup"}, kind: "security-group", Code: "SecurityGroupLimitExceeded", Word: "security groups", Default: 500,
		Service: "vpc", ID: "L-E79EC296", Title: "VPC security groups per Region"},
	{Name: VPCs, Actions: []string{"ec2:CreateVpc", "ec2:CreateDefaultVpc"}, kind: "vpc", Code: "VpcLimitExceeded", Word: "VPCs", Default: 5, Service: "vpc",
		ID: "L-F678F1CE", Title: "VPCs per Region"},
	{Name: Subnets, Actions: []string{"ec2:CreateSubnet", "ec2:CreateDefaultSubnet"}, kind: "subnet", Code: "SubnetLimitExceeded", Word: "subnets", Default: 200,
		Service: "vpc", ID: "L-407747CB", Title: "Subnets per VPC"},
	{Name: Interfaces, Actions: []string{"ec2:CreateNetworkInterface", "ec2:RunInstances"}, kind: "network-interface", Code: "NetworkInterfaceLimitExceeded",
		Word: "network interfaces", Default: 5000, Service: "vpc", ID: "L-DF5E4CA3", Title: "Network interfaces per Region"},

	{Name: Buckets, Actions: []string{"s3:CreateBucket"}, kind: "*", Code: "TooManyBuckets", Word: "buckets", Default: None, ID: "L-DC2B2D3D", Title: "Buckets"},
	{Name: Objects, Actions: []string{"s3:PutObject"}, kind: "*", Code: "QuotaExceeded", Word: "objects", Default: None, Title: "Objects of all buckets"},
	{Name: Bytes, Actions: []string{"s3:PutObject"}, kind: "*", Code: "QuotaExceeded", Word: "bytes", Default: None, Title: "Bytes of all buckets", Unit: "Bytes"},

	iam("usernumber", "User", "user", "L-F55AF5E4", "UsersPerAccount", 5000),
	iam("groupnumber", "Group", "group", "L-F4A5425F", "GroupsPerAccount", 300),
	iam("rolenumber", "Role", "role", "L-FE177D64", "RolesPerAccount", 1000),
	iam("instanceprofilenumber", "InstanceProfile", "instance-profile", "L-6E65F664", "InstanceProfilesPerAccount", 1000),
	iam("policynumber", "Policy", "policy", "L-E95E4862", "PoliciesPerAccount", 1500),
	iam("accesskeynumber", "AccessKey", "user", "", "AccessKeysPerAccount", None),
	iam("mfadevicenumber", "VirtualMFADevice", "mfa", "", "VirtualMFADevicesPerAccount", None),
	iam("signingcertificatenumber", "UploadSigningCertificate", "user", "", "SigningCertificatesPerAccount", None),
	iam("servercertificatenumber", "UploadServerCertificate", "server-certificate", "L-BF35879D", "ServerCertificatesPerAccount", 20),
	iam("openidconnectprovidernumber", "OpenIDConnectProvider", "oidc-provider", "L-858F3967", "OpenIdConnectProvidersPerAccount", 100),
}

var (
	runs   = []string{"ec2:RunInstances"}
	starts = []string{"ec2:RunInstances", "ec2:StartInstances"}
	disks  = []string{"ec2:CreateVolume", "ec2:RunInstances"}
)

// iam is a quota of things that the action Create... (or, when it is no noun,
// the action itself) makes.
func iam(name, makes, kind, id, title string, most int64) *Quota {
	if !strings.HasPrefix(makes, "Upload") {
		makes = "Create" + makes
	}
	return &Quota{Name: "iam:quota-" + name, Actions: []string{"iam:" + makes}, kind: kind, Code: "LimitExceeded", Default: most, ID: id, Title: title}
}

var byName = map[string]*Quota{}

func init() {
	for _, q := range all {
		service, _, _ := strings.Cut(q.Name, ":")
		if q.Service == "" {
			q.Service = service
		}
		if q.ID == "" {
			sum := sha256.Sum256([]byte(q.Name))
			q.ID = "L-" + strings.ToUpper(hex.EncodeToString(sum[:4]))
		}
		if q.Unit == "" {
			q.Unit = "None"
		}
		byName[q.Name] = q
	}
	for _, name := range policy.Quotas() {
		if byName[name] == nil {
			panic("quota: policies may limit " + name + ", and nothing says what it is")
		}
	}
}

// Named returns a quota by its condition key, which must be one of Karri's.
func Named(name string) *Quota {
	q := byName[name]
	if q == nil {
		panic("quota: there is no " + name)
	}
	return q
}

// All returns the quotas in order of service and code.
func All() []*Quota {
	list := slices.Clone(all)
	slices.SortFunc(list, func(a, b *Quota) int {
		return strings.Compare(a.Service+" "+a.ID, b.Service+" "+b.ID)
	})
	return list
}

// resource is what a new thing is in policies.
func (q *Quota) resource(account string) string {
	service, _, _ := strings.Cut(q.Name, ":")
	switch service {
	case "s3":
		return "arn:aws:s3:::*"
	case "iam":
		return "arn:aws:iam::" + account + ":" + q.kind + "/*"
	}
	return "arn:aws:ec2:*:" + account + ":" + q.kind + "/*"
}
