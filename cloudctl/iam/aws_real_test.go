//go:build real

package iam_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/mfa"
	"karri/cloudctl/rights"
)

// A cli is the system's own aws command line with a key.
type cli struct {
	*world
	env []string
	url string
}

func (w *world) cli(url, key, secret string) *cli {
	return &cli{w, append(os.Environ(), "AWS_ACCESS_KEY_ID="+key, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_DEFAULT_REGION=us-east-1",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER="), url}
}

func (c *cli) try(command string, more ...string) (string, error) {
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/bin/aws", append(append([]string{"--endpoint-url", c.url, "--output", "text", "iam"}, strings.Fields(command)...), more...)...)
	cmd.Env = c.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return stderr.String(), err
	}
	return strings.Join(strings.Fields(string(out)), " "), nil
}

// is fails the test unless the command answers what is wanted; "*" is anything.
func (c *cli) is(want, command string, more ...string) string {
	c.Helper()
	got, err := c.try(command, more...)
	if err != nil || want != "*" && got != want {
		c.Fatalf("aws iam %s %v: %q, %v, not %q", command, more, got, err, want)
	}
	return got
}

func (c *cli) refuses(code, command string, more ...string) {
	c.Helper()
	if out, err := c.try(command, more...); err == nil || !strings.Contains(out, "("+code+")") {
		c.Errorf("aws iam %s %v: %q, not %s", command, more, out, code)
	}
}

func TestTheCommandLineOfAWSManagesAUser(t *testing.T) {
	w := newWorld(t)
	w.door.Policy = &rights.Policy{Vault: w.api.Vault}
	server := httptest.NewServer(w.door)
	t.Cleanup(server.Close)
	secret, err := w.book.RotateKey(t.Context(), w.account)
	if err != nil {
		t.Fatal(err)
	}
	root := w.cli(server.URL, secret.AccessKey, secret.Secret)
	ada := "arn:aws:iam::" + w.account + ":user/physics/ada"
	root.is(ada, "create-user --user-name ada --path /physics/ --tags Key=team,Value=lasers --query User.Arn")
	root.refuses("EntityAlreadyExists", "create-user --user-name ada")
	root.is("ada", "list-users --path-prefix /physics/ --max-items 1 --query Users[].UserName")
	key := strings.Fields(root.is("*", "create-access-key --user-name ada --query AccessKey.[AccessKeyId,SecretAccessKey]"))
	me := w.cli(server.URL, key[0], key[1])
	me.refuses("AccessDenied", "get-user")

	file := filepath.Join(t.TempDir(), "policy.json")
	document := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "arn:aws:iam::*:user/physics/${aws:username}"}]}`
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	root.is("", "put-user-policy --user-name ada --policy-name self --policy-document", "file://"+file)
	root.is("iam:GetUser", "get-user-policy --user-name ada --policy-name self --query PolicyDocument.Statement[0].Action")
	me.is(ada, "get-user --query User.Arn")
	me.refuses("AccessDenied", "list-users")
	root.is("", "attach-user-policy --user-name ada --policy-arn arn:aws:iam::aws:policy/ReadOnlyAccess")
	root.is("ReadOnlyAccess", "list-attached-user-policies --user-name ada --query AttachedPolicies[].PolicyName")

	root.is("True", "create-login-profile --user-name ada --password Engine-1843 --password-reset-required --query LoginProfile.PasswordResetRequired")
	root.device("ada")
	root.is("1", "get-account-summary --query SummaryMap.MFADevicesInUse")
	root.is("STARTED", "generate-credential-report --query State")
	root.is("text/csv", "get-credential-report --query ReportFormat")

	root.refuses("DeleteConflict", "delete-user --user-name ada")
	for _, command := range []string{
		"delete-user-policy --user-name ada --policy-name self", "detach-user-policy --user-name ada --policy-arn arn:aws:iam::aws:policy/ReadOnlyAccess",
		"delete-login-profile --user-name ada", "deactivate-mfa-device --user-name ada --serial-number arn:aws:iam::" + w.account + ":mfa/phone",
		"delete-virtual-mfa-device --serial-number arn:aws:iam::" + w.account + ":mfa/phone", "delete-access-key --user-name ada --access-key-id " + key[0],
		"delete-user --user-name ada",
	} {
		root.is("", command)
	}
	me.refuses("InvalidClientTokenId", "get-user")
}

// A service without regions is signed for us-east-1 by clients that know their
// region, and for their region by others.
func TestTheCommandLineOfAWSIsUnderstoodInEveryRegion(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(w.door)
	t.Cleanup(server.Close)
	secret, err := w.book.RotateKey(t.Context(), w.account)
	if err != nil {
		t.Fatal(err)
	}
	root := w.cli(server.URL, secret.AccessKey, secret.Secret)
	for _, region := range []string{"eu-west-1", "karri-1"} {
		w.region = region
		root.env = append(root.env, "AWS_DEFAULT_REGION="+region)
		root.is(w.account, "get-user --query User.UserId")
	}
}

// device gives a user a device, whose seed the command line writes to a file.
func (c *cli) device(user string) {
	c.Helper()
	seed := filepath.Join(c.TempDir(), "seed")
	serial := c.is("*", "create-virtual-mfa-device --virtual-mfa-device-name phone --bootstrap-method Base32StringSeed --query VirtualMFADevice.SerialNumber --outfile", seed)
	b, err := os.ReadFile(seed)
	if err != nil {
		c.Fatal(err)
	}
	var codes [2]string
	for i := range codes {
		if codes[i], err = mfa.CodeAt(string(b), time.Now().Add(time.Duration(i-1)*30*time.Second)); err != nil {
			c.Fatal(err)
		}
	}
	c.refuses("InvalidAuthenticationCode", "enable-mfa-device --user-name "+user+" --serial-number "+serial+" --authentication-code1 "+codes[1]+" --authentication-code2 "+codes[0])
	c.is("", "enable-mfa-device --user-name "+user+" --serial-number "+serial+" --authentication-code1 "+codes[0]+" --authentication-code2 "+codes[1])
	c.is(serial, "list-mfa-devices --user-name "+user+" --query MFADevices[].SerialNumber")
}
