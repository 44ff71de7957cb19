package main

import (
	"testing"

	"karri/shared/action"
)

func TestCommandOfAnAction(t *testing.T) {
	for action, want := range map[string]string{
		"RunInstances":                  "instance run",
		"DescribeInstances":             "instance describe",
		"DescribeInstanceStatus":        "instance status",
		"DescribeInstanceAttribute":     "instance describe-attribute",
		"CreateKeyPair":                 "key create",
		"DescribeKeyPairs":              "key describe",
		"AuthorizeSecurityGroupIngress": "group authorize-ingress",
		"DescribeSecurityGroups":        "group describe",
		"DescribeSecurityGroupRules":    "rule describe",
		"DescribeAddresses":             "address describe",
		"AllocateAddress":               "address allocate",
		"DescribeAvailabilityZones":     "zone describe",
		"DescribeInstanceTypes":         "type describe",
		"DescribeVpcs":                  "vpc describe",
		"DescribeVpcAttribute":          "vpc describe-attribute",
		"RegisterImage":                 "image register",
		"CreateTags":                    "tag create",
		"ListAccounts":                  "account list",
		"ForgetNode":                    "node forget",
		"SetBucketQuota":                "bucket quota",
		"PutAccountPolicy":              "account policy put",
		"ApproveQuotaRequest":           "quota request approve",
		"ListQuotas":                    "quota list",
		"AdoptCluster":                  "cluster adopt",
		"DescribeNatGateways":           "nat-gateway describe",
	} {
		if noun, verb := command(action); noun+" "+verb != want {
			t.Errorf("%s is %q, want %q", action, noun+" "+verb, want)
		}
	}
}

func TestKebab(t *testing.T) {
	for in, want := range map[string]string{"ImageId": "image-id", "CidrIp": "cidr-ip", "DryRun": "dry-run", "EbsOptimized": "ebs-optimized", "SSHKey": "ssh-key", "UserID": "user-id", "KmsKeyARN": "kms-key-arn"} {
		if got := kebab(in); got != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
}

func TestWordsBehindAVerb(t *testing.T) {
	list := func(name string) action.Param { return action.Param{Name: name, Type: "list", Element: "string"} }
	for _, c := range []struct {
		noun, action, want string
		params             []action.Param
	}{
		{"instance", "TerminateInstances", "InstanceIds", []action.Param{list("InstanceIds")}},
		{"key", "DeleteKeyPair", "KeyName", []action.Param{{Name: "KeyPairId", Type: "string"}, {Name: "KeyName", Type: "string"}}},
		{"instance", "RunInstances", "", []action.Param{list("SecurityGroupIds"), {Name: "ImageId", Type: "string"}}},
		{"account", "CreateAccount", "Name", []action.Param{{Name: "Name", Type: "string", Required: true}}},
		{"volume", "AttachVolume", "VolumeId", []action.Param{{Name: "InstanceId", Type: "string", Required: true}, {Name: "VolumeId", Type: "string", Required: true}}},
	} {
		p := positional(c.noun, action.ManualPage{Name: c.action, Params: c.params})
		if p == nil && c.want != "" || p != nil && p.Name != c.want {
			t.Errorf("%s takes %v, want %q", c.action, p, c.want)
		}
	}
}
