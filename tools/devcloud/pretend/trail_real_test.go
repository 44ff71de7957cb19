//go:build real

package pretend

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cli runs the aws command as the user.
func (u *Client) cli(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "aws", args...)
	url := u.cloud.EC2()
	if args[0] == "s3" || args[0] == "s3api" {
		url = u.cloud.S3()
	}
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+u.keys.AccessKey, "AWS_SECRET_ACCESS_KEY="+u.keys.Secret, "AWS_SESSION_TOKEN=", "AWS_DEFAULT_REGION="+Region,
		"AWS_ENDPOINT_URL="+url, "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	cmd.Args = append([]string{"aws", "--endpoint-url", url, "--output", "json"}, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	return string(out) + errs.String(), err
}

func (u *Client) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := u.cli(t, args...)
	if err != nil {
		t.Fatalf("aws %s: %s", strings.Join(args, " "), out)
	}
	return out
}

func (u *Client) refused(t *testing.T, code string, args ...string) {
	t.Helper()
	if out, err := u.cli(t, args...); err == nil || !strings.Contains(out, code) {
		t.Errorf("aws %s: %s, want %s", strings.Join(args, " "), out, code)
	}
}

const trailPolicy = `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::first-pond"},
{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::first-pond/AWSLogs/ACCOUNT/*",
 "Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"arn:aws:cloudtrail:us-east-1:ACCOUNT:trail/all"}}}]}`

// A trail of an account as the aws command makes it: what the account asks is
// looked up, and is in its bucket, each event once, and nothing of another's.
func TestTheAWSCommandAndCloudTrail(t *testing.T) {
	c := small(t, func(conf *Config) { conf.Cloudctl = []string{"--trail-delivery", "1s"} })
	id, user := c.account(t, "first")
	_, other := c.account(t, "second")
	user.makeTrail(t, id)
	user.must(t, "cloudtrail", "start-logging", "--name", "all")
	if out := user.must(t, "cloudtrail", "get-trail-status", "--name", "all"); !strings.Contains(out, `"IsLogging": true`) {
		t.Error(out)
	}
	user.must(t, "ec2", "create-security-group", "--group-name", "web", "--description", "web")
	user.refused(t, "InvalidGroup.Duplicate", "ec2", "create-security-group", "--group-name", "web", "--description", "web")
	other.must(t, "ec2", "create-security-group", "--group-name", "secret", "--description", "x")
	user.must(t, "s3api", "create-bucket", "--bucket", "first-lake")
	c.eventually(t, "the events are looked up", func() bool {
		out := user.must(t, "cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=EventName,AttributeValue=CreateSecurityGroup")
		lake := user.must(t, "cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=ResourceName,AttributeValue=first-lake")
		return strings.Count(out, `"EventId"`) == 2 && strings.Contains(out, `InvalidGroup.Duplicate`) && strings.Contains(lake, "CreateBucket")
	})
	if out := user.must(t, "cloudtrail", "lookup-events", "--max-items", "3", "--page-size", "1"); strings.Count(out, `"EventId"`) != 3 {
		t.Error(out)
	}
	if out := other.must(t, "cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=ResourceName,AttributeValue=first-lake"); strings.Contains(out, "EventId") {
		t.Error(out)
	}
	user.must(t, "cloudtrail", "get-trail", "--name", "arn:aws:cloudtrail:us-east-1:"+id+":trail/all")
	other.refused(t, "TrailNotFoundException", "cloudtrail", "get-trail", "--name", "all")
	c.eventually(t, "the events are in the bucket", func() bool {
		events := exported(t, user)
		seen := 0
		for _, e := range events {
			if e["recipientAccountId"] != id {
				t.Fatalf("an event of another account: %v", e)
			}
			if e["eventName"] == "CreateSecurityGroup" {
				seen++
			}
		}
		return seen == 2
	})
	user.must(t, "cloudtrail", "stop-logging", "--name", "all")
	user.must(t, "cloudtrail", "delete-trail", "--name", "all")
	user.refused(t, "TrailNotFoundException", "cloudtrail", "get-trail-status", "--name", "all")
	out, err := c.Admin.Call(t.Context(), "karri", "VerifyAudit", nil)
	if err != nil || out["Whole"] != true || len(List(out, "Logs")) != 5 {
		t.Errorf("%v %v", out, err)
	}
}

// makeTrail makes a trail, after all that is in the way of one.
func (u *Client) makeTrail(t *testing.T, id string) {
	t.Helper()
	u.refused(t, "S3BucketDoesNotExistException", "cloudtrail", "create-trail", "--name", "all", "--s3-bucket-name", "nobody-has-this")
	u.refused(t, "InsufficientS3BucketPolicyException", "cloudtrail", "create-trail", "--name", "all", "--s3-bucket-name", "first-pond")
	u.refused(t, "InsufficientS3BucketPolicyException", "cloudtrail", "create-trail", "--name", "all", "--s3-bucket-name", "second-pond")
	u.refused(t, "InvalidTrailNameException", "cloudtrail", "create-trail", "--name", "a!", "--s3-bucket-name", "first-pond")
	policy := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(policy, []byte(strings.ReplaceAll(trailPolicy, "ACCOUNT", id)), 0o600); err != nil {
		t.Fatal(err)
	}
	u.must(t, "s3api", "put-bucket-policy", "--bucket", "first-pond", "--policy", "file://"+policy)
	u.must(t, "cloudtrail", "create-trail", "--name", "all", "--s3-bucket-name", "first-pond", "--tags-list", "Key=team,Value=red")
	u.refused(t, "TrailAlreadyExistsException", "cloudtrail", "create-trail", "--name", "all", "--s3-bucket-name", "first-pond")
	if out := u.must(t, "cloudtrail", "describe-trails"); !strings.Contains(out, `"TrailARN": "arn:aws:cloudtrail:us-east-1:`+id+`:trail/all"`) {
		t.Error(out)
	}
	if out := u.must(t, "cloudtrail", "list-tags", "--resource-id-list", "arn:aws:cloudtrail:us-east-1:"+id+":trail/all"); !strings.Contains(out, `"red"`) {
		t.Error(out)
	}
}

func (c *Cloud) eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	if err := c.Until(t.Context(), 90*time.Second, func() (bool, error) { return is(), nil }); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// exported reads the files of the trail. An event that is in them twice fails.
func exported(t *testing.T, user *Client) map[string]map[string]any {
	t.Helper()
	dir := t.TempDir()
	user.must(t, "s3", "sync", "--quiet", "s3://first-pond/AWSLogs", dir)
	all := map[string]map[string]any{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || info.Size() == 0 {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return err
		}
		if b, err = io.ReadAll(z); err != nil {
			return err
		}
		var f struct{ Records []map[string]any }
		if err := json.Unmarshal(b, &f); err != nil {
			return err
		}
		for _, r := range f.Records {
			id, _ := r["eventID"].(string)
			if all[id] != nil {
				t.Fatalf("%s is there twice", id)
			}
			all[id] = r
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
