package managed

import (
	"testing"

	"karri/shared/identity"
	"karri/shared/policy"
)

// may evaluates one policy alone, for a user of the account 111122223333.
func may(t *testing.T, name, action, resource string) bool {
	t.Helper()
	p := Of(Prefix + name)
	if p == nil {
		t.Fatalf("there is no %s", name)
	}
	parsed, err := identity.Parse(identity.Document{Name: p.Name, Text: p.Document})
	if err != nil {
		t.Fatal(err)
	}
	who := policy.Principal{Account: "111122223333", ARN: "arn:aws:iam::111122223333:user/a/ann", ID: "AIDAX"}
	return policy.Evaluate(&policy.Request{Principal: who, Action: action, Resource: resource, Owner: "111122223333"},
		&policy.Policies{Identity: []*policy.Policy{parsed}}).Allowed
}

func TestEachMeansWhatItsNameSays(t *testing.T) {
	const vol, obj, ann, bob = "arn:aws:ec2:us-east-1:111122223333:volume/vol-1", "arn:aws:s3:::b/k",
		"arn:aws:iam::111122223333:user/a/ann", "arn:aws:iam::111122223333:user/bob"
	for _, c := range []struct {
		name, action, on string
		want             bool
	}{
		{"AdministratorAccess", "iam:DeleteUser", bob, true},
		{"PowerUserAccess", "ec2:RunInstances", "*", true}, {"PowerUserAccess", "iam:DeleteUser", bob, false},
		{"PowerUserAccess", "karri:DeleteAccount", "*", false}, {"PowerUserAccess", "iam:ListRoles", "*", true},
		{"ReadOnlyAccess", "s3:GetObject", obj, true}, {"ReadOnlyAccess", "s3:PutObject", obj, false}, {"ReadOnlyAccess", "ec2:DeleteVolume", vol, false},
		{"ReadOnlyAccess", "iam:ListUsers", "*", true}, {"ReadOnlyAccess", "sts:AssumeRole", "*", false},
		{"SecurityAudit", "s3:GetObject", obj, false}, {"SecurityAudit", "s3:GetBucketPolicy", "arn:aws:s3:::b", true}, {"SecurityAudit", "iam:GetPolicy", "*", true},
		{"IAMFullAccess", "iam:CreateRole", "*", true}, {"IAMFullAccess", "ec2:DescribeVpcs", "*", false},
		{"IAMReadOnlyAccess", "iam:CreateRole", "*", false}, {"IAMReadOnlyAccess", "iam:GetRole", "*", true},
		{"IAMUserChangePassword", "iam:ChangePassword", ann, true}, {"IAMUserChangePassword", "iam:ChangePassword", bob, false},
		{"AmazonEC2FullAccess", "ec2:TerminateInstances", "*", true}, {"AmazonEC2FullAccess", "s3:GetObject", obj, false},
		{"AmazonEC2ReadOnlyAccess", "ec2:DescribeVolumes", "*", true}, {"AmazonEC2ReadOnlyAccess", "ec2:DeleteVolume", vol, false},
		{"AmazonVPCFullAccess", "ec2:CreateVpc", "*", true}, {"AmazonVPCFullAccess", "ec2:DeleteNatGateway", "*", true},
		{"AmazonVPCFullAccess", "ec2:AuthorizeSecurityGroupIngress", "*", true}, {"AmazonVPCFullAccess", "ec2:DeleteVolume", vol, false},
		{"AmazonVPCFullAccess", "ec2:RunInstances", "*", false}, {"AmazonVPCFullAccess", "ec2:CreateRoute", "*", true},
		{"AmazonVPCReadOnlyAccess", "ec2:DescribeSubnets", "*", true}, {"AmazonVPCReadOnlyAccess", "ec2:CreateSubnet", "*", false},
		{"AmazonS3FullAccess", "s3:DeleteObject", obj, true}, {"AmazonS3ReadOnlyAccess", "s3:DeleteObject", obj, false}, {"AmazonS3ReadOnlyAccess", "s3:GetObject", obj, true},
		{"AWSCloudTrail_ReadOnlyAccess", "cloudtrail:LookupEvents", "*", true}, {"AWSCloudTrail_ReadOnlyAccess", "cloudtrail:DeleteTrail", "*", false},
		{"AWSCloudTrail_FullAccess", "cloudtrail:DeleteTrail", "*", true}, {"AWSCloudTrail_FullAccess", "s3:CreateBucket", "arn:aws:s3:::b", false},
		{"ServiceQuotasFullAccess", "servicequotas:RequestServiceQuotaIncrease", "*", true},
		{"ServiceQuotasReadOnlyAccess", "servicequotas:RequestServiceQuotaIncrease", "*", false}, {"ServiceQuotasReadOnlyAccess", "servicequotas:ListServiceQuotas", "*", true},
		{"service-role/AmazonEBSCSIDriverPolicy", "ec2:AttachVolume", vol, true}, {"service-role/AmazonEBSCSIDriverPolicy", "ec2:DeleteVolume", vol, false},
		{"job-function/ViewOnlyAccess", "ec2:DescribeVolumes", "*", true}, {"job-function/ViewOnlyAccess", "s3:GetObject", obj, false},
		{"job-function/NetworkAdministrator", "ec2:CreateSubnet", "*", true}, {"job-function/NetworkAdministrator", "ec2:TerminateInstances", "*", false},
		{"job-function/SystemAdministrator", "iam:PassRole", "arn:aws:iam::111122223333:role/ec2-web", true},
		{"job-function/SystemAdministrator", "iam:PassRole", "arn:aws:iam::111122223333:role/admin", false},
		{"job-function/SupportUser", "s3:GetObject", obj, false}, {"job-function/SupportUser", "ec2:DescribeVolumes", "*", true},
	} {
		if got := may(t, c.name, c.action, c.on); got != c.want {
			t.Errorf("%s: %s on %s: %v", c.name, c.action, c.on, got)
		}
	}
}

func TestEachIsWhole(t *testing.T) {
	ids := map[string]bool{}
	for _, p := range All() {
		if Of(p.ARN) != p || ids[p.ID] || len(p.ID) != 21 || p.Description == "" {
			t.Errorf("%+v", p)
		}
		ids[p.ID] = true
		if _, err := policy.Parse([]byte(p.Document), policy.Rules{Max: 6144}); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	if Of(Prefix+"Nothing") != nil || len(ids) < 20 {
		t.Errorf("%d policies", len(ids))
	}
}
