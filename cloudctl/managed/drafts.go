package managed

import "slices"

// What reading means in each service. Reading the content of buckets is apart
// from reading what there is.
var (
	readEC2    = []string{"ec2:Describe*", "ec2:Get*", "ec2:List*"}
	readIAM    = []string{"iam:GenerateCredentialReport", "iam:Get*", "iam:List*", "iam:Simulate*"}
	readS3     = []string{"s3:Get*", "s3:List*"}
	readSTS    = []string{"sts:GetAccessKeyInfo", "sts:GetCallerIdentity", "sts:GetSessionToken"}
	readTrail  = []string{"cloudtrail:Describe*", "cloudtrail:Get*", "cloudtrail:List*", "cloudtrail:LookupEvents"}
	readQuotas = []string{"servicequotas:Get*", "servicequotas:List*"}
	readKarri  = []string{"karri:Describe*", "karri:Explain*", "karri:Get*", "karri:List*"}

	// lookS3 tells what buckets there are and how they are set, not what is in
	// the objects.
	lookS3 = []string{
		"s3:GetAccelerateConfiguration", "s3:GetAnalyticsConfiguration", "s3:GetBucket*", "s3:GetEncryptionConfiguration",
		"s3:GetIntelligentTieringConfiguration", "s3:GetInventoryConfiguration", "s3:GetLifecycleConfiguration",
		"s3:GetMetricsConfiguration", "s3:GetObjectAcl", "s3:GetObjectVersionAcl", "s3:GetReplicationConfiguration", "s3:ListAllMyBuckets",
	}

	// readVPC and writeVPC are the part of EC2 that is about networks.
	readVPC = []string{
		"ec2:DescribeAccountAttributes", "ec2:DescribeAddresses", "ec2:DescribeAvailabilityZones", "ec2:DescribeDhcpOptions",
		"ec2:DescribeEgressOnlyInternetGateways", "ec2:DescribeFlowLogs", "ec2:DescribeInstances", "ec2:DescribeInternetGateways",
		"ec2:DescribeNatGateways", "ec2:DescribeNetworkAcls", "ec2:DescribeNetworkInterface*", "ec2:DescribePrefixLists",
		"ec2:DescribeRouteTables", "ec2:DescribeSecurityGroup*", "ec2:DescribeSubnets", "ec2:DescribeTags", "ec2:DescribeVpc*",
		"ec2:DescribeVpn*", "ec2:DescribeCustomerGateways", "ec2:GetSecurityGroupsForVpc",
	}
	writeVPC = []string{
		"ec2:AllocateAddress", "ec2:AssignPrivateIpAddresses", "ec2:AssociateAddress", "ec2:AssociateDhcpOptions", "ec2:AssociateRouteTable",
		"ec2:AssociateSubnetCidrBlock", "ec2:AssociateVpcCidrBlock", "ec2:AttachInternetGateway", "ec2:AttachNetworkInterface",
		"ec2:AuthorizeSecurityGroup*", "ec2:*Route", "ec2:*RouteTable", "ec2:*Vpc", "ec2:*Subnet", "ec2:*SecurityGroup", "ec2:*InternetGateway",
		"ec2:*NatGateway", "ec2:*NetworkAcl*", "ec2:*NetworkInterface*", "ec2:*DhcpOptions", "ec2:CreateDefault*", "ec2:CreateTags",
		"ec2:DeleteTags", "ec2:DisassociateAddress", "ec2:DisassociateRouteTable", "ec2:DisassociateSubnetCidrBlock",
		"ec2:DisassociateVpcCidrBlock", "ec2:*VpcPeeringConnection*", "ec2:*VpcEndpoint*", "ec2:*FlowLogs", "ec2:ModifySecurityGroupRules",
		"ec2:ModifySubnetAttribute", "ec2:ModifyVpcAttribute", "ec2:MoveAddressToVpc", "ec2:ReleaseAddress", "ec2:ReplaceRouteTableAssociation",
		"ec2:RevokeSecurityGroup*", "ec2:UnassignPrivateIpAddresses", "ec2:UpdateSecurityGroupRuleDescriptions*",
	}
)

func general() []draft {
	return []draft{
		{"/", "AdministratorAccess", "Everything, on everything.", allow("*")},
		{"/", "PowerUserAccess", "Everything but the management of users, roles and accounts.", []statement{
			{Effect: "Allow", NotAction: []string{"iam:*", "karri:*Account*", "organizations:*"}, Resource: []string{"*"}},
			{Effect: "Allow", Action: []string{"iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:GetAccountSummary", "iam:ListRoles"}, Resource: []string{"*"}},
		}},
		{"/", "ReadOnlyAccess", "Reading everything, the content of buckets too.",
			allow(slices.Concat(readEC2, readIAM, readS3, readSTS, readTrail, readQuotas, readKarri)...)},
		{"/", "SecurityAudit", "Reading how things are set, for those who audit; not what is in them.",
			allow(slices.Concat(readEC2, readIAM, lookS3, readTrail, readQuotas, []string{"sts:GetAccessKeyInfo"})...)},
	}
}

func services() []draft {
	return []draft{
		{"/", "IAMFullAccess", "Everything of IAM.", allow("iam:*")},
		{"/", "IAMReadOnlyAccess", "Reading everything of IAM.", allow(readIAM...)},
		{"/", "IAMUserChangePassword", "Changing one's own password.", []statement{
			{Effect: "Allow", Action: []string{"iam:ChangePassword"}, Resource: []string{"arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*/${aws:username}"}},
			{Effect: "Allow", Action: []string{"iam:GetAccountPasswordPolicy"}, Resource: []string{"*"}},
		}},
		{"/", "AmazonEC2FullAccess", "Everything of EC2.", allow("ec2:*")},
		{"/", "AmazonEC2ReadOnlyAccess", "Reading everything of EC2.", allow(readEC2...)},
		{"/", "AmazonVPCFullAccess", "Everything of networks.", allow(slices.Concat(readVPC, writeVPC)...)},
		{"/", "AmazonVPCReadOnlyAccess", "Reading everything of networks.", allow(readVPC...)},
		{"/", "AmazonS3FullAccess", "Everything of buckets and objects.", allow("s3:*")},
		{"/", "AmazonS3ReadOnlyAccess", "Reading buckets and objects.", allow(readS3...)},
		{"/", "AWSCloudTrail_FullAccess", "Everything of CloudTrail, and a bucket for what it writes.", []statement{
			{Effect: "Allow", Action: []string{"cloudtrail:*"}, Resource: []string{"*"}},
			{Effect: "Allow", Action: []string{"s3:CreateBucket", "s3:GetBucketPolicy", "s3:PutBucketPolicy"}, Resource: []string{"arn:aws:s3:::aws-cloudtrail-logs*"}},
			{Effect: "Allow", Action: []string{"s3:GetBucketLocation", "s3:ListAllMyBuckets"}, Resource: []string{"*"}},
		}},
		{"/", "AWSCloudTrail_ReadOnlyAccess", "Reading everything of CloudTrail.", allow(readTrail...)},
		{"/", "ServiceQuotasFullAccess", "Reading quotas, and asking for other ones.", allow("servicequotas:*", "ec2:DescribeAccountAttributes", "iam:GetAccountSummary")},
		{"/", "ServiceQuotasReadOnlyAccess", "Reading quotas.", allow(append(readQuotas, "ec2:DescribeAccountAttributes", "iam:GetAccountSummary")...)},
		{"/service-role/", "AmazonEBSCSIDriverPolicy", "What a container platform needs to give its containers volumes.", []statement{
			{Effect: "Allow", Resource: []string{"*"}, Action: []string{
				"ec2:DescribeAvailabilityZones", "ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeTags", "ec2:DescribeVolumes", "ec2:DescribeVolumesModifications"}},
			{Effect: "Allow", Resource: []string{"arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:instance/*"}, Action: []string{"ec2:AttachVolume", "ec2:DetachVolume", "ec2:ModifyVolume"}},
			{Effect: "Allow", Resource: []string{"arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:snapshot/*", "arn:aws:ec2:*::snapshot/*"}, Action: []string{
				"ec2:CreateVolume", "ec2:CreateSnapshot", "ec2:CreateTags"}},
			{Effect: "Allow", Resource: []string{"arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:snapshot/*", "arn:aws:ec2:*::snapshot/*"}, Action: []string{
				"ec2:DeleteSnapshot", "ec2:DeleteTags", "ec2:DeleteVolume"}, Condition: map[string]any{"StringEquals": map[string]string{"aws:ResourceTag/ebs.csi.aws.com/cluster": "true"}}},
		}},
	}
}

func jobs() []draft {
	const job = "/job-function/"
	return []draft{
		{job, "ViewOnlyAccess", "Listing what there is, without what is in it.", allow(slices.Concat(
			[]string{"ec2:Describe*", "iam:Get*Summary", "iam:List*", "s3:ListAllMyBuckets", "s3:ListBucket", "sts:GetCallerIdentity"}, readTrail, readQuotas)...)},
		{job, "NetworkAdministrator", "Everything of networks, and reading what uses them.", allow(slices.Concat(readVPC, writeVPC, readEC2)...)},
		{job, "SystemAdministrator", "Instances, volumes, images and networks; reading users and roles, and giving roles to instances.", []statement{
			{Effect: "Allow", Resource: []string{"*"}, Action: slices.Concat([]string{"ec2:*", "s3:*"}, readIAM, readSTS, readTrail, readQuotas)},
			{Effect: "Allow", Resource: []string{"arn:aws:iam::*:role/ec2-*"}, Action: []string{"iam:PassRole"}},
		}},
		{job, "SupportUser", "Reading how things are set, for those who help users.", allow(slices.Concat(readEC2, lookS3, readTrail, readQuotas,
			[]string{"iam:GetAccountSummary", "iam:List*", "sts:GetCallerIdentity"})...)},
	}
}
