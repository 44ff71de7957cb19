package pretend

import (
	"errors"
	"fmt"
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
