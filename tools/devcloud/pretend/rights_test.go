package pretend

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"karri/shared/sign"
)

// newcomer makes an account and in it a user with one inline policy, and
// returns both.
func (c *Cloud) newcomer(t *testing.T, name, policy string) (root, user *Client) {
	t.Helper()
	_, root = c.account(t, name)
	ask := func(action string, in params) map[string]any {
		out, err := root.Call(t.Context(), "iam", action, in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	ask("CreateUser", params{"UserName": name})
	ask("PutUserPolicy", params{"UserName": name, "PolicyName": "p", "PolicyDocument": policy})
	key := ask("CreateAccessKey", params{"UserName": name})["AccessKey"].(map[string]any)
	user = c.As(sign.Credentials{AccessKey: key["AccessKeyId"].(string), Secret: key["SecretAccessKey"].(string)})
	t.Cleanup(user.Close)
	return root, user
}

func TestAUserIsRefusedEverywhereAndToldWhy(t *testing.T) {
	s := small(t, nil)
	s.hears(t)
	root, ann := s.newcomer(t, "ann", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:Describe*","s3:CreateBucket","s3:PutObject","karri:ExplainDenied","sts:DecodeAuthorizationMessage"],"Resource":"*"},
		{"Sid":"NoEnd","Effect":"Deny","Action":"ec2:CreateVolume","Resource":"arn:aws:ec2:*:*:volume/*","Condition":{"NumericGreaterThan":{"ec2:VolumeSize":"1"}}}]}`)
	if _, err := ann.Call(t.Context(), "ec2", "DescribeInstances", nil); err != nil {
		t.Fatal(err)
	}
	if err := ann.Put(t.Context(), "ann-pond", "fish", []byte("carp")); err != nil {
		t.Fatal(err)
	}
	_, err := ann.Call(t.Context(), "ec2", "CreateVolume", params{"AvailabilityZone": s.ZoneNames()[0], "Size": 2})
	refusal, is := errors.AsType[*Refusal](err)
	if !is || refusal.Code != "UnauthorizedOperation" || refusal.RequestID == "" {
		t.Fatalf("%v %+v", err, refusal)
	}
	_, sealed, _ := strings.Cut(refusal.Text, "Encoded authorization failure message: ")
	out, err := ann.Call(t.Context(), "sts", "DecodeAuthorizationMessage", params{"EncodedMessage": sealed})
	if err != nil || !strings.Contains(fmt.Sprint(out), "NoEnd") {
		t.Error(out, err)
	}
	err = s.Until(t.Context(), time.Minute, func() (bool, error) { // the audit log is taken over after a moment
		out, err := ann.Call(t.Context(), "karri", "ExplainDenied", params{"RequestId": refusal.RequestID})
		if CodeOf(err) == "NoSuchRequest" {
			return false, nil
		}
		return strings.Contains(fmt.Sprint(out["Lines"]), `DENY by statement "NoEnd"`), err
	})
	if err != nil {
		t.Error(err)
	}
	// Taken away, the right is gone with the next request here, and within a
	// second in walrus.
	if _, err := root.Call(t.Context(), "iam", "DeleteUserPolicy", params{"UserName": "ann", "PolicyName": "p"}); err != nil {
		t.Fatal(err)
	}
	if _, err := ann.Call(t.Context(), "ec2", "DescribeInstances", nil); CodeOf(err) != "UnauthorizedOperation" {
		t.Error(err)
	}
	err = s.Until(t.Context(), patience, func() (bool, error) {
		return ann.Put(t.Context(), "ann-pond", "fish", []byte("carp")) != nil, nil
	})
	if err != nil {
		t.Error(err)
	}
}

// bucketPolicy puts a policy on a bucket, or, without one, returns what it has.
func (u *Client) bucketPolicy(t *testing.T, bucket, document string) (string, error) {
	t.Helper()
	method := http.MethodPut
	if document == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(t.Context(), method, u.cloud.S3()+"/"+bucket+"?policy", strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	b, err := u.send(r, "s3")
	return string(b), err
}

// write puts an object into a bucket that is there.
func (u *Client) write(t *testing.T, path string) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, u.cloud.S3()+"/"+path, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.send(r, "s3")
	return err
}

// Who is let into a bucket by name is let in for who he is: not who comes later
// under the same name.
func TestABucketsPolicyMeansTheUserAndNotTheName(t *testing.T) {
	s := small(t, nil)
	root, eve := s.newcomer(t, "eve", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}`)
	who, err := eve.Call(t.Context(), "sts", "GetCallerIdentity", nil)
	if err != nil {
		t.Fatal(err)
	}
	arn, id := who["Arn"].(string), who["UserId"].(string)
	if err := root.Put(t.Context(), "guarded", "k", []byte("x")); err != nil {
		t.Fatal(err)
	}
	policy := func(name string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + name + `"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::guarded/*"}]}`
	}
	if _, err := root.bucketPolicy(t, "guarded", policy(strings.Replace(arn, "user/eve", "user/nobody", 1))); err == nil || !strings.Contains(err.Error(), "MalformedPolicy") {
		t.Errorf("a user who is not there: %v", err)
	}
	if _, err := root.bucketPolicy(t, "guarded", policy(arn)); err != nil {
		t.Fatal(err)
	}
	shows := func(want string) {
		t.Helper()
		if got, err := root.bucketPolicy(t, "guarded", ""); err != nil || got != policy(want) {
			t.Errorf("%s, %v", got, err)
		}
	}
	shows(arn)
	if err := eve.write(t, "guarded/of-eve"); err != nil {
		t.Error(err)
	}
	ask := func(action string, in params) map[string]any {
		t.Helper()
		out, err := root.Call(t.Context(), "iam", action, in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, k := range List(ask("ListAccessKeys", params{"UserName": "eve"}), "AccessKeyMetadata") {
		ask("DeleteAccessKey", params{"UserName": "eve", "AccessKeyId": k["AccessKeyId"]})
	}
	ask("DeleteUserPolicy", params{"UserName": "eve", "PolicyName": "p"})
	ask("DeleteUser", params{"UserName": "eve"})
	shows(id)
	ask("CreateUser", params{"UserName": "eve"})
	key := ask("CreateAccessKey", params{"UserName": "eve"})["AccessKey"].(map[string]any)
	second := s.As(sign.Credentials{AccessKey: key["AccessKeyId"].(string), Secret: key["SecretAccessKey"].(string)})
	t.Cleanup(second.Close)
	if err := second.write(t, "guarded/of-eve"); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("who came later is let in: %v", err)
	}
	if _, err := root.bucketPolicy(t, "guarded", policy(arn)); err != nil {
		t.Fatal(err)
	}
	if err := second.write(t, "guarded/of-eve"); err != nil {
		t.Error(err)
	}
}
