package rights

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/sign"
)

// keysOf makes a cache a source of keys for a verifier.
type keysOf struct{ *Cache }

func (k keysOf) SigningKey(ctx context.Context, accessKey, token, date, region, service string) (sign.Key, error) {
	c, err := k.Of(ctx, accessKey, token)
	if err != nil {
		return sign.Key{}, err
	}
	key := c.Key()
	key.Signing = c.Signing(date, region, service)
	return key, nil
}

func (k keysOf) CheckV2(context.Context, string, string, string, string, string) (sign.Key, error) {
	return sign.Key{}, sign.TokenInvalid
}

// policies that the users of a company may have.
var typical = []string{
	`{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["ec2:Describe*","ec2:Get*"],"Resource":"*"}]}`,
	`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:StartInstances","ec2:StopInstances","ec2:RebootInstances","ec2:TerminateInstances"],"Resource":"arn:aws:ec2:*:*:instance/*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}}]}`,
	`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::team-${aws:PrincipalTag/team}","arn:aws:s3:::team-${aws:PrincipalTag/team}/*"]},{"Effect":"Deny","Action":"s3:DeleteBucket","Resource":"*"}]}`,
	`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","198.51.100.0/24"]}}}]}`,
	`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetUser","iam:ListAccessKeys","iam:CreateAccessKey","iam:DeleteAccessKey"],"Resource":"arn:aws:iam::*:user/${aws:username}"}]}`,
	`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:CreateTags"],"Resource":"*","Condition":{"StringEquals":{"ec2:CreateAction":"RunInstances"}}},{"Effect":"Allow","Action":"ec2:RunInstances","Resource":"*","Condition":{"StringLikeIfExists":{"ec2:InstanceType":["t1.*","m1.*"]}}}]}`,
	`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["iam:DeleteUser","iam:DeleteRole","iam:PutRolePolicy"],"Resource":"*"}]}`,
	`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/team-*"}]}`,
}

// typicalUser has three groups and eight policies: one of its own, one
// attached, two of each group.
func (w *world) typicalUser(name string) string {
	w.Helper()
	key := w.user(name)
	attached := func(n int) string { return fmt.Sprintf("arn:aws:iam::%s:policy/p%d", acct, n) }
	rows := []store.Record{w.inline("AIDA"+name, "p0", typical[0])}
	for n, text := range typical {
		id := fmt.Sprintf("ANPA%d", n)
		rows = append(rows,
			&store.ManagedPolicy{ID: id, Account: acct, Name: fmt.Sprintf("p%d", n), Folded: fmt.Sprintf("p%d", n), Path: "/", ARN: attached(n), DefaultVersion: 1, LastVersion: 1, Tags: store.Labels{}, Created: w.now, Updated: w.now},
			&store.PolicyVersion{Policy: id, Number: 1, Account: acct, Document: text, Created: w.now})
	}
	rows = append(rows, &store.PolicyAttachment{Holder: "AIDA" + name, Policy: attached(1), Account: acct, Created: w.now})
	for g := range 3 {
		id := fmt.Sprintf("AGPA%d", g)
		rows = append(rows,
			&store.UserGroup{ID: id, Account: acct, Name: id, Folded: store.Fold(id), Path: "/", Created: w.now},
			&store.Member{User: "AIDA" + name, UserGroup: id, Account: acct},
			&store.PolicyAttachment{Holder: id, Policy: attached(2 + 2*g), Account: acct, Created: w.now},
			&store.PolicyAttachment{Holder: id, Policy: attached(3 + 2*g), Account: acct, Created: w.now})
	}
	rows = append(rows, &store.User{ID: "AIDA" + name, Account: acct, Name: name, Folded: store.Fold(name), Path: "/", Tags: store.Labels{{Key: "team", Value: "red"}}, Created: w.now})
	w.put(rows...)
	return key
}

// signedRequest is a signed POST to EC2 that can be sent any number of times.
func (w *world) signedRequest(key, secret string) func() *http.Request {
	w.Helper()
	body := []byte("Action=StopInstances&InstanceId.1=i-1a2b3c4d5e6f70819&Version=2016-11-15")
	r := httptest.NewRequest(http.MethodPost, "http://ec2.cloud.test/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("User-Agent", "aws-cli/2.9")
	err := sign.Request(r, sign.Credentials{AccessKey: key, Secret: secret}, sign.Scope{Region: "us-east-1", Service: "ec2", At: w.now}, fmt.Sprintf("%x", sha256.Sum256(body)))
	if err != nil {
		w.Fatal(err)
	}
	return func() *http.Request {
		again := *r
		again.Body = io.NopCloser(bytes.NewReader(body))
		again.ContentLength = int64(len(body))
		return &again
	}
}

// decide is all that a request costs before its action runs.
func (w *world) decide(v *sign.Verifier, r *http.Request) error {
	id, _, err := v.Verify(r)
	if err != nil {
		return err
	}
	ask := &action.Ask{
		Who:     action.Caller{Account: id.Account, ARN: id.ARN, AccessKey: id.AccessKey, Rights: id.Rights},
		Service: "ec2", Permission: "ec2:StopInstances", Facts: action.Facts{SourceIP: "192.0.2.7", At: w.now, Region: "us-east-1", UserAgent: r.UserAgent()},
		On: []action.Resource{{ARN: "arn:aws:ec2:us-east-1:" + acct + ":instance/i-1a2b3c4d5e6f70819", Owner: acct, Tags: map[string]string{"team": "red"}}},
	}
	return (&Policy{Vault: w.vault}).Allow(r.Context(), ask)
}

func (w *world) verifier() *sign.Verifier {
	return &sign.Verifier{Dialect: sign.EC2, Region: "us-east-1", Services: []string{"ec2"}, Keys: keysOf{w.cache}, Clock: func() time.Time { return w.now }}
}

func TestTheWarmPathReadsNothing(t *testing.T) {
	w := newWorld(t)
	next, v := w.signedRequest(w.typicalUser("ann"), "secret of ann"), w.verifier()
	if err := w.decide(v, next()); err != nil {
		t.Fatal(err)
	}
	before, changes := w.store.Views(), w.store.Changes()
	for range 100 {
		if err := w.decide(v, next()); err != nil {
			t.Fatal(err)
		}
	}
	if w.store.Views() != before || w.store.Changes() != changes {
		t.Error("the database was used")
	}
}

func BenchmarkSignatureAndDecision(b *testing.B) {
	w := newWorld(b)
	next, v := w.signedRequest(w.typicalUser("ann"), "secret of ann"), w.verifier()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if err := w.decide(v, next()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
}

func BenchmarkDecision(b *testing.B) {
	w := newWorld(b)
	r := w.of(w.typicalUser("ann")).Rights
	ask := &action.Ask{
		Who: action.Caller{Account: acct, Rights: r}, Service: "ec2", Permission: "ec2:StopInstances", Facts: action.Facts{SourceIP: "192.0.2.7", At: w.now},
		On: []action.Resource{{ARN: "arn:aws:ec2:us-east-1:" + acct + ":instance/i-1a2b3c4d5e6f70819", Owner: acct, Tags: map[string]string{"team": "red"}}},
	}
	b.ReportAllocs()
	for b.Loop() {
		if v := ask.Judge(); v != nil {
			b.Fatal(v.Sentence(ask.Who))
		}
	}
}
