package access

import (
	"strings"
	"testing"

	"karri/shared/policy"
)

func mustPolicy(t *testing.T, statements ...string) *Policy {
	t.Helper()
	p, err := ParsePolicy([]byte(`{"Version":"2012-10-17","Statement":[`+strings.Join(statements, ",")+`]}`), "pond")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	toAll    = `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::pond","arn:aws:s3:::pond/*"]}`
	toBob    = `{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::pond/*"}`
	denyAll  = `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::pond","arn:aws:s3:::pond/*"]}`
	denyRead = `{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::pond/*"}`
)

// A verdict is what each of the owner, another account and anonymous may: y or n.
type verdict struct {
	name  string
	ask   Ask
	acts  string // actions, without s3:
	wants []string
}

func canned(name, owner string, object bool) *ACL {
	a, _ := Canned(name, owner, ann, object)
	return a
}

// of answers that the object is an account's, with a canned list.
func of(owner, name string) func() (string, *ACL, bool) {
	return func() (string, *ACL, bool) { return owner, canned(name, owner, true), true }
}

func verdicts(t *testing.T) []verdict {
	const acts = "GetObject PutObject DeleteObject ListBucket GetObjectAcl PutBucketPolicy GetBucketAcl"
	all, onlyBob, deny, noRead := mustPolicy(t, toAll), mustPolicy(t, toBob), mustPolicy(t, denyAll), mustPolicy(t, toAll, denyRead)
	block := func(b PublicAccessBlock) *PublicAccessBlock { return &b }
	return []verdict{
		{"nothing", Ask{}, acts, []string{"yyyyyyy", "nnnnnnn", "nnnnnnn"}},
		{"policy for all", Ask{Policy: all}, acts, []string{"yyyyyyy", "yyyyyyy", "yyyyyyy"}},
		{"policy for bob", Ask{Policy: onlyBob}, acts, []string{"yyyyyyy", "yynnnnn", "nnnnnnn"}},
		{"policy that denies", Ask{Policy: deny}, acts, []string{"nnnnnyn", "nnnnnnn", "nnnnnnn"}},
		{"policy that denies reading", Ask{Policy: noRead}, acts, []string{"nyyyyyy", "nyyyyyy", "nyyyyyy"}},
		{"public policy, restricted", Ask{Policy: all, Block: block(PublicAccessBlock{RestrictPublicBuckets: true})}, acts, []string{"yyyyyyy", "nnnnnnn", "nnnnnnn"}},
		{"policy for bob, restricted", Ask{Policy: onlyBob, Block: block(PublicAccessBlock{RestrictPublicBuckets: true})}, acts, []string{"yyyyyyy", "yynnnnn", "nnnnnnn"}},
		{"bucket public-read", Ask{ACL: canned("public-read", ann, false)}, acts, []string{"yyyyyyy", "nnnynnn", "nnnynnn"}},
		{"bucket public-read-write", Ask{ACL: canned("public-read-write", ann, false)}, acts, []string{"yyyyyyy", "nynynnn", "nynynnn"}},
		{"bucket authenticated-read", Ask{ACL: canned("authenticated-read", ann, false)}, acts, []string{"yyyyyyy", "nnnynnn", "nnnnnnn"}},
		{"bucket public, ignored", Ask{ACL: canned("public-read-write", ann, false), Block: block(PublicAccessBlock{IgnorePublicAcls: true})}, acts, []string{"yyyyyyy", "nnnnnnn", "nnnnnnn"}},
		{"bucket public, enforced", Ask{ACL: canned("public-read-write", ann, false), Ownership: OwnerEnforced}, acts, []string{"yyyyyyy", "nnnnnnn", "nnnnnnn"}},
		{"bucket to bob", Ask{ACL: &ACL{Owner: Canonical(ann), Grants: []Grant{{ID: Canonical(bob), Permission: FullControl}}}}, acts, []string{"yyyyyyy", "nynynny", "nnnnnnn"}},
		{"object public-read", Ask{Object: of(ann, "public-read")}, acts, []string{"yyyyyyy", "ynnnnnn", "ynnnnnn"}},
		{"object public-read, enforced", Ask{Object: of(ann, "public-read"), Ownership: OwnerEnforced}, acts, []string{"yyyyyyy", "nnnnnnn", "nnnnnnn"}},
		{"object authenticated-read", Ask{Object: of(ann, "authenticated-read")}, acts, []string{"yyyyyyy", "ynnnnnn", "nnnnnnn"}},
		{"object of bob", Ask{Object: of(bob, "private")}, acts, []string{"nyyynyy", "ynnnynn", "nnnnnnn"}},
		{"object of bob, public policy", Ask{Object: of(bob, "private"), Policy: all}, acts, []string{"nyyynyy", "yyyyyyy", "nyyynyy"}},
		{"object of bob, owner-read", Ask{Object: of(bob, "bucket-owner-read")}, acts, []string{"yyyynyy", "ynnnynn", "nnnnnnn"}},
		{"object of bob, full control", Ask{Object: of(bob, "bucket-owner-full-control")}, acts, []string{"yyyyyyy", "ynnnynn", "nnnnnnn"}},
		{"object of bob, enforced", Ask{Object: of(bob, "private"), Ownership: OwnerEnforced}, acts, []string{"yyyyyyy", "nnnnnnn", "nnnnnnn"}},
		{"object of bob, denied", Ask{Object: of(bob, "private"), Policy: mustPolicy(t, denyRead)}, acts, []string{"nyyynyy", "nnnnynn", "nnnnnnn"}},
		{"object of bob, bucket public", Ask{Object: of(bob, "private"), ACL: canned("public-read-write", ann, false)}, acts, []string{"nyyynyy", "yyyyynn", "nynynnn"}},
	}
}

func TestDecide(t *testing.T) {
	for _, v := range verdicts(t) {
		for i, who := range []string{ann, bob, ""} {
			got := ""
			for act := range strings.FieldsSeq(v.acts) {
				a := v.ask
				a.Caller, a.Mine, a.Action, a.Bucket, a.Owner = root(who), policy.Policies{All: true}, "s3:"+act, "pond", ann
				if strings.Contains(act, "Object") {
					a.Key = "key"
				}
				d := Decide(&a)
				if d.Allowed {
					got += "y"
				} else {
					got += "n"
				}
				if d.String() == "" {
					t.Errorf("%s, %q, %s: nobody decided", v.name, who, act)
				}
			}
			if got != v.wants[i] {
				t.Errorf("%s, %q: got %s, want %s (%s)", v.name, who, got, v.wants[i], v.acts)
			}
		}
	}
}

// TestOwnPoliciesCount sees to it that a list or a policy of a bucket opens it
// to another account, and that this account's own policies still decide for
// which of its users.
func TestOwnPoliciesCount(t *testing.T) {
	user := policy.Principal{Account: bob, ARN: "arn:aws:iam::" + bob + ":user/kim"}
	mine, err := policy.Parse([]byte(`{"Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}`), policy.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mine policy.Policies
		ask  Ask
		want bool
	}{
		{policy.Policies{}, Ask{Policy: mustPolicy(t, toBob)}, false},
		{policy.Policies{Identity: []*policy.Policy{mine}}, Ask{Policy: mustPolicy(t, toBob)}, true},
		{policy.Policies{Identity: []*policy.Policy{mine}}, Ask{}, false},
		{policy.Policies{}, Ask{Object: of(ann, "public-read")}, false},
		{policy.Policies{Identity: []*policy.Policy{mine}}, Ask{Object: of(ann, "public-read")}, true},
		{policy.Policies{}, Ask{Object: of(bob, "private")}, false},
		{policy.Policies{Identity: []*policy.Policy{mine}}, Ask{Object: of(bob, "private")}, true},
	} {
		a := c.ask
		a.Caller, a.Mine, a.Action, a.Bucket, a.Key, a.Owner = user, c.mine, "s3:GetObject", "pond", "key", ann
		if d := Decide(&a); d.Allowed != c.want {
			t.Errorf("%+v: %+v", c, d)
		}
	}
	// In the bucket's own account, too, a user who is not its root.
	a := Ask{Caller: policy.Principal{Account: ann, ARN: "arn:aws:iam::" + ann + ":user/kim"}, Action: "s3:PutBucketPolicy", Bucket: "pond", Owner: ann}
	if d := Decide(&a); d.Allowed {
		t.Error(d)
	}
}

func TestLogsAreDelivered(t *testing.T) {
	logging := policy.Principal{Service: loggingService}
	a := Ask{Caller: logging, Action: "s3:PutObject", Bucket: "pond", Key: "log", Owner: ann, ACL: canned("log-delivery-write", ann, false)}
	if d := Decide(&a); !d.Allowed {
		t.Error(d)
	}
	a.Ownership = OwnerEnforced
	if d := Decide(&a); d.Allowed {
		t.Error(d)
	}
	a.Policy = mustPolicy(t, `{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::pond/*"}`)
	if d := Decide(&a); !d.Allowed {
		t.Error(d)
	}
}

// BenchmarkDecide is the common case: the owner reads an object.
func BenchmarkDecide(b *testing.B) {
	a := Ask{Caller: root(ann), Mine: policy.Policies{All: true}, Action: "s3:GetObject", Bucket: "pond", Key: "some/key", Owner: ann,
		Keys: func(string) []string { return nil }, Object: func() (string, *ACL, bool) { return ann, nil, true }}
	b.ReportAllocs()
	for b.Loop() {
		if d := Decide(&a); !d.Allowed {
			b.Fatal(d)
		}
	}
}

func TestCanonicalUsersAreMeant(t *testing.T) {
	p := mustPolicy(t, `{"Effect":"Allow","Principal":{"CanonicalUser":"`+Canonical(bob)+`"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::pond/*"}`)
	for account, want := range map[string]bool{bob: true, eve: false, "": false} {
		a := Ask{Caller: root(account), Mine: policy.Policies{All: true}, Action: "s3:GetObject", Bucket: "pond", Key: "key", Owner: ann, Policy: p}
		if d := Decide(&a); d.Allowed != want {
			t.Errorf("%s: %s", account, d)
		}
	}
	if p.Public {
		t.Error("public")
	}
}
