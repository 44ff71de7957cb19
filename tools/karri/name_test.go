package main

import "testing"

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
