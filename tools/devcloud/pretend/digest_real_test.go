//go:build real

package pretend

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// run starts a program with the settings of the user.
func (u *Client) run(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+u.keys.AccessKey, "AWS_SECRET_ACCESS_KEY="+u.keys.Secret, "AWS_SESSION_TOKEN=", "AWS_DEFAULT_REGION="+Region,
		"AWS_ENDPOINT_URL="+u.cloud.EC2(), "AWS_ENDPOINT_URL_S3="+u.cloud.S3(), "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// The files of a trail are verified by the aws command and by karri; a file and
// a digest that are changed or removed are found by both.
func TestTheDigestsOfATrailAreVerified(t *testing.T) {
	c := small(t, func(conf *Config) { conf.Cloudctl = []string{"--trail-delivery", "1s", "--trail-digest", "2s"} })
	karri := filepath.Join(t.TempDir(), "karri")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", karri, "../../karri").CombinedOutput(); err != nil {
		t.Fatal(string(out), err)
	}
	id, user := c.account(t, "first")
	policy := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(policy, []byte(strings.ReplaceAll(trailPolicy, "ACCOUNT", id)), 0o600); err != nil {
		t.Fatal(err)
	}
	user.must(t, "s3api", "put-bucket-policy", "--bucket", "first-pond", "--policy", "file://"+policy)
	if out := user.must(t, "cloudtrail", "create-trail", "--name", "all", "--s3-bucket-name", "first-pond", "--enable-log-file-validation"); !strings.Contains(out, `"LogFileValidationEnabled": true`) {
		t.Error(out)
	}
	user.must(t, "cloudtrail", "start-logging", "--name", "all")
	from := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	for _, name := range []string{"one", "two", "three"} {
		user.must(t, "ec2", "create-security-group", "--group-name", name, "--description", "x")
		c.eventually(t, "a digest", func() bool {
			return strings.Contains(user.must(t, "cloudtrail", "get-trail-status", "--name", "all"), "LatestDigestDeliveryTime")
		})
		time.Sleep(3 * time.Second)
	}
	user.must(t, "cloudtrail", "stop-logging", "--name", "all")
	c.eventually(t, "the last digest", func() bool { // all files are in one
		out, err := user.run(t, karri, "trail", "verify", "all")
		return err == nil && !strings.Contains(out, " 0 files")
	})
	validate := []string{"cloudtrail", "validate-logs", "--trail-arn", "arn:aws:cloudtrail:us-east-1:" + id + ":trail/all", "--start-time", from, "--verbose"}
	out, err := user.run(t, "aws", validate...)
	if err != nil || strings.Contains(strings.ToLower(out), "invalid") || !strings.Contains(out, "digest files valid") || !strings.Contains(out, "log files valid") {
		t.Errorf("aws: %v\n%s", err, out)
	}
	files := user.objects(t, "AWSLogs/"+id+"/CloudTrail/")
	digests := user.objects(t, "AWSLogs/"+id+"/CloudTrail-Digest/")
	if len(files) < 3 || len(digests) < 3 {
		t.Fatalf("%q %q", files, digests)
	}
	user.must(t, "s3api", "put-object", "--bucket", "first-pond", "--key", files[0], "--body", policy)
	user.must(t, "s3api", "delete-object", "--bucket", "first-pond", "--key", files[1])
	found := func(wants ...string) {
		t.Helper()
		out, err := user.run(t, karri, "trail", "verify", "all")
		for _, want := range wants {
			if err == nil || !strings.Contains(out, want) {
				t.Errorf("karri does not say that %s: %v\n%s", want, err, out)
			}
		}
	}
	found(files[0]+" was changed", files[1]+" is gone")
	user.must(t, "s3api", "delete-object", "--bucket", "first-pond", "--key", digests[1])
	found(digests[1] + " is gone")
	if out, err = user.run(t, "aws", validate...); !strings.Contains(out, "INVALID") {
		t.Errorf("aws: %v\n%s", err, out)
	}
}

// objects lists objects of the first account's bucket.
func (u *Client) objects(t *testing.T, prefix string) (all []string) {
	t.Helper()
	out := u.must(t, "s3api", "list-objects-v2", "--bucket", "first-pond", "--prefix", prefix, "--query", "Contents[].Key", "--output", "text")
	for _, key := range strings.Fields(out) {
		if strings.HasSuffix(key, ".gz") {
			all = append(all, key)
		}
	}
	return all
}
