package identity

import (
	"testing"
	"time"

	"karri/shared/policy"
)

const all = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

func TestCompileKeepsEachPart(t *testing.T) {
	i := &Identity{
		Kind: User, Account: "111122223333", ARN: "arn:aws:iam::111122223333:user/ann", ID: "AIDAX",
		Policies: []Document{{Name: "a", Text: all}, {Name: "b", Text: all}}, Boundary: []Document{{Name: "c", Text: all}},
		Session: []Document{{Name: "d", Text: all}}, Limits: []Document{{Name: "e", Text: all}},
	}
	r, err := i.Compile(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Policies
	if p.All || len(p.Identity) != 2 || p.Identity[1].Name != "b" || len(p.Boundary) != 1 || len(p.Session) != 1 || len(r.Limits) != 1 {
		t.Errorf("%+v", r)
	}
	d := policy.Evaluate(&policy.Request{Principal: r.Principal, Action: "s3:GetObject", Resource: "*", Owner: i.Account}, &p)
	if !d.Allowed {
		t.Error(d)
	}
	i.Session[0].Text = "{"
	if _, err := i.Compile(nil); err == nil {
		t.Error("a broken policy was taken")
	}
	if r, err := RootOf("111122223333", true).Compile(nil); err != nil || !r.Policies.All || !r.Admin() || !r.Principal.Root() {
		t.Error(r, err)
	}
}

func TestKeysOfTheIdentity(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	before, later := now.Add(-time.Minute), now.Add(time.Hour)
	session := &Rights{Identity: &Identity{
		Kind: Role, Account: "111122223333", Tags: map[string]string{"team": "red", "site": "a"}, SessionTags: map[string]string{"Team": "blue"},
		Issued: &before, Expires: &later, MFA: &before, Source: "ann", Provider: "idp",
	}}
	user := &Rights{Identity: &Identity{Kind: User, Tags: map[string]string{"team": "red"}}}
	for _, c := range []struct {
		r    *Rights
		key  string
		want string // "": absent
	}{
		{session, "aws:principaltag/team", "blue"}, {session, "aws:principaltag/site", "a"}, {session, "aws:principaltag/none", ""},
		{session, "aws:multifactorauthpresent", "true"}, {session, "aws:multifactorauthage", "60"},
		{session, "aws:tokenissuetime", "2026-11-21T11:59:00Z"}, {session, "aws:sourceidentity", "ann"}, {session, "aws:federatedprovider", "idp"},
		{user, "aws:principaltag/team", "red"}, {user, "aws:multifactorauthpresent", ""}, {user, "aws:multifactorauthage", ""},
		{user, "aws:tokenissuetime", ""}, {user, "s3:prefix", ""},
	} {
		got := c.r.Key(c.key, now)
		if len(got) > 1 || c.want == "" && got != nil || c.want != "" && (len(got) == 0 || got[0] != c.want) {
			t.Errorf("%s: got %q, want %q", c.key, got, c.want)
		}
	}
}

func TestWhoIsCountedForWhatIsMade(t *testing.T) {
	const account = "111122223333"
	for _, c := range []struct {
		i    Identity
		want string
	}{
		{*RootOf(account, false), ""}, {Identity{Account: account, ID: "AIDAX"}, "AIDAX"}, {Identity{Account: account, ID: "AROAX:one"}, "AROAX"},
		{Identity{Account: account, ID: account + ":guest"}, ""}, {Identity{Account: account, ID: account + ":guest", Holder: "AIDAX"}, "AIDAX"},
	} {
		if got := c.i.Maker(); got != c.want {
			t.Errorf("%+v: %q", c.i, got)
		}
	}
}

func TestPoliciesThatLimitAreKnown(t *testing.T) {
	const limit = `{"Statement":{"Effect":"Limit","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"s3:quota-bucketnumber":"2"}}}}`
	i := &Identity{
		Kind: User, Account: "111122223333", ID: "AIDAX", Policies: []Document{{Name: "a", Text: all}, {Name: "b", Text: limit}},
		Boundary: []Document{{Name: "c", Text: limit}}, Session: []Document{{Name: "d", Text: limit}}, Limits: []Document{{Name: "e", Text: limit}},
	}
	r, err := i.Compile(nil)
	if err != nil || len(r.Limiting) != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}
