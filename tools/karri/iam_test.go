package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"karri/cloudctl/admin"
	"karri/cloudctl/cloudtrail"
	"karri/cloudctl/ec2"
	"karri/cloudctl/iam"
	"karri/cloudctl/servicequotas"
	"karri/cloudctl/sts"
	"karri/shared/action"
)

func TestNoTwoActionsAreOneCommand(t *testing.T) {
	seen := map[string]string{}
	for _, actions := range [][]*action.Action{ec2.Catalog.All(), sts.Catalog.All(), iam.Catalog.All(), servicequotas.Catalog.All(), cloudtrail.Catalog.All(), admin.Catalog.All()} {
		for _, a := range actions {
			noun, verb := command(a.Name)
			if other := seen[noun+" "+verb]; other != "" && !a.Empty {
				t.Errorf("%s and %s are both %s %s", a.Name, other, noun, verb)
			}
			if !a.Empty {
				seen[noun+" "+verb] = a.Name
			}
		}
	}
}

func manualOf(t *testing.T, name string) action.ManualPage {
	t.Helper()
	m, err := iam.Catalog.With(&iam.API{}).Manual()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Actions {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("there is no %s", name)
	return action.ManualPage{}
}

func TestTheCommandsOfIAM(t *testing.T) {
	document := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(document, []byte(`{"a": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ action, args, want string }{
		{"CreateUser", "--name ada --path /x/ --tag team=lasers --tag b=c", `{"Path":"/x/","Tags":[{"Key":"team","Value":"lasers"},{"Key":"b","Value":"c"}],"UserName":"ada"}`},
		{"CreateUser", "--user-name ada", `{"UserName":"ada"}`},
		{"CreateAccessKey", "--user ada", `{"UserName":"ada"}`},
		{"PutUserPolicy", "--user ada --policy-name p --policy-document @" + document, `{"PolicyDocument":"{\"a\": 1}","PolicyName":"p","UserName":"ada"}`},
		{"AddUserToGroup", "physicists --user ada", `{"GroupName":"physicists","UserName":"ada"}`},
		{"AddUserToGroup", "--name physicists --user ada", `{"GroupName":"physicists","UserName":"ada"}`},
		{"GetPolicyVersion", "arn:p --version-id v1", `{"PolicyArn":"arn:p","VersionId":"v1"}`},
		{"CreateVirtualMFADevice", "phone", `{"VirtualMFADeviceName":"phone"}`},
		{"DeleteVirtualMFADevice", "arn:mfa", `{"SerialNumber":"arn:mfa"}`},
		{"DeleteAccessKey", "AKIA1 --user ada", `{"AccessKeyId":"AKIA1","UserName":"ada"}`},
		{"CreateAccountAlias", "optics", `{"AccountAlias":"optics"}`},
		{"UntagUser", "ada --tag-keys team", `{"TagKeys":["team"],"UserName":"ada"}`},
	} {
		page := manualOf(t, c.action)
		noun, _ := command(c.action)
		fs := pflag.NewFlagSet("x", pflag.ContinueOnError)
		addFlags(fs, page)
		shorten(fs, page, noun)
		if err := fs.Parse(strings.Fields(c.args)); err != nil {
			t.Errorf("%s %s: %v", c.action, c.args, err)
			continue
		}
		got, err := params(fs, page, noun)
		if err == nil {
			err = position(got, positional(noun, page), fs.Args())
		}
		b, _ := json.Marshal(got)
		if err != nil || string(b) != c.want {
			t.Errorf("%s %s: %s, %v", c.action, c.args, b, err)
		}
	}
}

func TestAnswersOfIAMAreReadable(t *testing.T) {
	for _, c := range []struct{ action, answer, output, want string }{
		{"GetUser", `{"User":{"UserName":"ada","Path":"/"}}`, "table", "ada"},
		{"ListUsers", `{"Users":[{"UserName":"ada"},{"UserName":"bob"}],"IsTruncated":false}`, "table", "bob"},
		{"GetUserPolicy", `{"UserName":"ada","PolicyName":"p","PolicyDocument":"%7B%22a%22%3A%201%7D"}`, "table", `{"a": 1}`},
		{"CreateVirtualMFADevice", `{"VirtualMFADevice":{"SerialNumber":"arn:mfa","Base32StringSeed":"QUJD","QRCodePNG":"AAAA"}}`, "table", "ABC"},
		{"GetGroup", `{"Group":{"GroupName":"g"},"Users":[{"UserName":"ada","UserId":"AIDA1"}]}`, "table", "ada"},
		{"GetAccessKeyLastUsed", `{"UserName":"ada","AccessKeyLastUsed":{"ServiceName":"ec2","Region":"r"}}`, "table", "ec2"},
		{"GetAccountSummary", `{"SummaryMap":{"Users":3,"Groups":1}}`, "table", "Users"},
		{"GetCredentialReport", `{"Content":"dXNlcixhcm4K","ReportFormat":"text/csv"}`, "table", "user,arn\n"},
		{"CreateAccessKey", `{"AccessKey":{"UserName":"ada","AccessKeyId":"AKIA1","SecretAccessKey":"s"}}`, "env", "export AWS_ENDPOINT_URL='http://here'\n"},
		{"CreateAccessKey", `{"AccessKey":{"UserName":"ada","AccessKeyId":"AKIA1","SecretAccessKey":"s"}}`, "env", "export AWS_SECRET_ACCESS_KEY='s'\n"},
	} {
		noun, _ := command(c.action)
		s := &settings{output: c.output, endpoint: "http://here"}
		var b strings.Builder
		if err := s.print(&b, noun, manualOf(t, c.action), decode(t, c.answer)); err != nil || !strings.Contains(b.String(), c.want) || strings.Contains(b.String(), "AAAA") {
			t.Errorf("%s: %v\n%s", c.action, err, b.String())
		}
	}
}
