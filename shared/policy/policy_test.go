package policy

import (
	"fmt"
	"strings"
	"testing"

	"karri/shared/fault"
)

const (
	acct  = "111111111111"
	other = "222222222222"
)

func user(name string) Principal {
	return Principal{Account: acct, ARN: "arn:aws:iam::" + acct + ":user/eng/" + name, ID: "AIDA" + name}
}

func root(account string) Principal {
	return Principal{Account: account, ARN: "arn:aws:iam::" + account + ":root", Canonical: strings.Repeat(account[:1], 64)}
}

func mustParse(t testing.TB, doc string, resource bool) *Policy {
	t.Helper()
	p, err := Parse([]byte(doc), Rules{Resource: resource})
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return p
}

// one returns a policy of one statement.
func one(rest string) string { return `{"Version":"2012-10-17","Statement":{` + rest + `}}` }

const plain = `"Effect":"Allow","Action":"s3:GetObject","Resource":"*"`

var documents = []struct {
	doc      string
	resource bool
	says     string // "": accepted
}{
	{one(plain), false, ""},
	{one(plain + `,"Principal":"*"`), true, ""},
	{`{"Id":"x","Statement":[{` + plain + `}]}`, false, ""},
	{one(plain), true, "Statement: The statement has no Principal"},
	{one(plain + `,"Principal":"*"`), false, "must not have a Principal"},
	{``, false, "not valid JSON"},
	{`[]`, false, "must be a JSON object"},
	{`{"Statement":[{` + plain + `}]} x`, false, "not valid JSON"},
	{`{"Statement":[]}`, false, "Statement: A policy must have at least one"},
	{`{"Version":"2012-10-17"}`, false, "Statement: A policy must have at least one"},
	{`{"Version":"2013-01-01","Statement":{` + plain + `}}`, false, "Version: There is no such version"},
	{`{"Statement":{` + plain + `},"Comment":"x"}`, false, "Comment: There is no such element"},
	{`{"Statement":[{` + plain + `},{` + plain + `,"Colour":"x"}]}`, false, "Statement[1].Colour: There is no such element"},
	{`{"Statement":{` + plain + `},"Statement":{` + plain + `}}`, false, "Statement: It stands there twice"},
	{one(plain + `,"Effect":"Deny"`), false, "Statement.Effect: It stands there twice"},
	{one(`"Effect":"allow","Action":"s3:*","Resource":"*"`), false, "Statement.Effect: It must be Allow or Deny"},
	{one(`"Action":"s3:*","Resource":"*"`), false, "no Effect"},
	{one(`"Effect":"Allow","Resource":"*"`), false, "no Action"},
	{one(`"Effect":"Allow","Action":"s3:*"`), false, "no Resource"},
	{one(`"Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*"`), false, "exclude each other"},
	{one(`"Effect":"Allow","Action":[],"Resource":"*"`), false, "Statement.Action"},
	{one(`"Effect":"Allow","Action":["s3:*","get"],"Resource":"*"`), false, "Statement.Action[1]: 'get' is not an action"},
	{one(`"Effect":"Allow","Action":"s*:Get","Resource":"*"`), false, "is not an action"},
	{one(`"Effect":"Allow","Action":5,"Resource":"*"`), false, "Statement.Action: It must be a string"},
	{one(`"Effect":"Allow","Action":null,"Resource":"*"`), false, "Statement.Action: null"},
	{one(`"Effect":"Allow","Action":"s3:*","Resource":"bucket/*"`), false, "Statement.Resource: 'bucket/*' must be an ARN"},
	{one(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3"`), false, "must be an ARN"},
	{one(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username"`), false, "has no end"},
	{one(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${user}"`), false, "is not a variable"},
	{one(plain + `,"Condition":{"StringEqualss":{"aws:x":"y"}}`), false, "Statement.Condition.StringEqualss: There is no such operator"},
	{one(plain + `,"Condition":{"NullIfExists":{"aws:x":"true"}}`), false, "no such operator"},
	{one(plain + `,"Condition":{"ForMany:StringEquals":{"aws:x":"y"}}`), false, "no such operator"},
	{one(plain + `,"Condition":{"StringEquals":{"x":"y"}}`), false, "Conditions must be prefaced by a vendor"},
	{one(plain + `,"Condition":{"StringEquals":{"aws:x":[]}}`), false, "Statement.Condition.StringEquals.aws:x"},
	{one(plain + `,"Condition":{"StringEquals":{"aws:x":"1","AWS:X":"2"}}`), false, "stands there twice"},
	{one(plain + `,"Condition":{"NumericEquals":{"aws:x":["1","y"]}}`), false, "aws:x[1]: 'y' is not a number"},
	{one(plain + `,"Condition":{"DateLessThan":{"aws:x":"tomorrow"}}`), false, "is not a date"},
	{one(plain + `,"Condition":{"Bool":{"aws:x":"1"}}`), false, "neither true nor false"},
	{one(plain + `,"Condition":{"BinaryEquals":{"aws:x":"!"}}`), false, "not base64"},
	{one(plain + `,"Condition":{"IpAddress":{"aws:x":"10.0.0.0/33"}}`), false, "not an address"},
	{one(plain + `,"Condition":{"ArnLike":{"aws:x":"x"}}`), false, "must be an ARN"},
	{one(plain + `,"Condition":{"Bool":{"aws:x":true},"NumericLessThan":{"aws:y":5}}`), false, ""},
	{one(plain + `,"Principal":"111111111111"`), true, "Statement.Principal: Invalid principal"},
	{one(plain + `,"Principal":{"AWS":["*","arn:aws:iam::111111111111:user/*"]}`), true, "Statement.Principal.AWS[1]: Invalid principal"},
	{one(plain + `,"Principal":{"aws":"*"}`), true, "Invalid principal"},
	{one(plain + `,"Principal":{"AWS":"arn:aws:iam::1111:root"}`), true, "Invalid principal"},
	{one(plain + `,"Principal":{"CanonicalUser":"abc"}`), true, "Invalid principal"},
	{one(plain + `,"NotPrincipal":"*"`), true, "NotPrincipal is not allowed with the effect Allow"},
	{`{"Statement":[{"Sid":"a",` + plain + `},{"Sid":"a",` + plain + `}]}`, false, "Two statements have the Sid 'a'"},
	{strings.Repeat(`{"Statement":`, 40), false, "nested too deeply"},
	{`{"Id":"` + strings.Repeat("x", 30<<10) + `"}`, false, "longer than"},
	{"{\"Id\":\"\xff\"}", false, "not UTF-8"},
}

func TestWhatIsRefusedIsNamed(t *testing.T) {
	for _, c := range documents {
		_, err := Parse([]byte(c.doc), Rules{Resource: c.resource})
		if c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", c.doc, err)
			}
			continue
		}
		if err == nil || fault.CodeOf(err) != Malformed || !strings.Contains(fault.Of(err).Text, c.says) {
			t.Errorf("%.200s: got %v, want %q", c.doc, err, c.says)
		}
	}
}

// own says what a policy of the caller's own answers.
var own = []struct {
	action, resource, condition string
	want                        bool
}{
	{`"s3:GetObject"`, `"arn:aws:s3:::pond/*"`, ``, true},
	{`"S3:getobject"`, `"*"`, ``, true},
	{`"s3:Get*"`, `"arn:aws:s3:::p?nd/k*y"`, ``, true},
	{`"s3:?etObject"`, `"arn:aws:s3:::*"`, ``, true},
	{`["s3:Put*","s3:Get"]`, `"*"`, ``, false},
	{`"*"`, `"arn:aws:s3:::pond"`, ``, false},
	{`"ec2:*"`, `"*"`, ``, false},
	{`"s3:*"`, `"arn:aws:*:::pond/key"`, ``, true},
	{`"s3:*"`, `"arn:aws:s3:*:*:pond/key"`, ``, true},
	{`"s3:*"`, `"arn:aws:s*:::Pond/key"`, ``, false},
	{`"s3:*"`, `["arn:aws:s3:::lake/*","arn:aws:s3:::pond/${aws:username}"]`, ``, false},
	{`"s3:*"`, `"arn:aws:s3:::pond/k${x:none, 'e'}y"`, ``, true},
	{`"s3:*"`, `"arn:aws:s3:::pond/k${x:none}y"`, ``, false},
	{`"s3:*"`, `"arn:aws:s3:::pond/k${*}y"`, ``, false},
	{`"s3:*"`, `"*"`, `"StringEquals":{"s3:prefix":"home/${aws:username}/"}`, true},
	{`"s3:*"`, `"*"`, `"StringEquals":{"S3:Prefix":["x","home/ann/"]}`, true},
	{`"s3:*"`, `"*"`, `"StringEquals":{"s3:prefix":"home/*"}`, false},
	{`"s3:*"`, `"*"`, `"StringLike":{"s3:prefix":"home/*"}`, true},
	{`"s3:*"`, `"*"`, `"StringLike":{"x:star":"a${*}b"}`, true},
	{`"s3:*"`, `"*"`, `"StringLike":{"s3:prefix":"home${*}"}`, false},
	{`"s3:*"`, `"*"`, `"StringNotLike":{"s3:prefix":"home/*"}`, false},
	{`"s3:*"`, `"*"`, `"StringNotEquals":{"s3:prefix":["a","b"]}`, true},
	{`"s3:*"`, `"*"`, `"StringEqualsIgnoreCase":{"s3:prefix":"HOME/ann/"}`, true},
	{`"s3:*"`, `"*"`, `"StringNotEqualsIgnoreCase":{"s3:prefix":"HOME/ann/"}`, false},
	{`"s3:*"`, `"*"`, `"StringEquals":{"x:none":"a"}`, false},
	{`"s3:*"`, `"*"`, `"StringEqualsIfExists":{"x:none":"a"}`, true},
	{`"s3:*"`, `"*"`, `"StringEqualsIfExists":{"s3:prefix":"a"}`, false},
	{`"s3:*"`, `"*"`, `"StringNotEquals":{"x:none":"a"}`, true},
	{`"s3:*"`, `"*"`, `"NumericLessThanEquals":{"s3:max-keys":"100"}`, true},
	{`"s3:*"`, `"*"`, `"NumericLessThan":{"s3:max-keys":100}`, false},
	{`"s3:*"`, `"*"`, `"NumericGreaterThan":{"s3:prefix":"0"}`, false},
	{`"s3:*"`, `"*"`, `"NumericNotEquals":{"s3:max-keys":"1e2"}`, false},
	{`"s3:*"`, `"*"`, `"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}`, true},
	{`"s3:*"`, `"*"`, `"DateGreaterThan":{"aws:CurrentTime":"2027-01-01"}`, false},
	{`"s3:*"`, `"*"`, `"DateGreaterThanEquals":{"aws:EpochTime":"2026-01-01"}`, true},
	{`"s3:*"`, `"*"`, `"DateNotEquals":{"aws:EpochTime":"1795262400"}`, false},
	{`"s3:*"`, `"*"`, `"Bool":{"aws:SecureTransport":"true"}`, true},
	{`"s3:*"`, `"*"`, `"Bool":{"aws:SecureTransport":false}`, false},
	{`"s3:*"`, `"*"`, `"BinaryEquals":{"x:bin":"aGk="}`, true},
	{`"s3:*"`, `"*"`, `"BinaryEquals":{"x:bin":"aGo="}`, false},
	{`"s3:*"`, `"*"`, `"IpAddress":{"aws:SourceIp":["192.168.0.0/16","10.0.0.0/8"]}`, true},
	{`"s3:*"`, `"*"`, `"NotIpAddress":{"aws:SourceIp":"10.1.2.3"}`, false},
	{`"s3:*"`, `"*"`, `"IpAddress":{"x:six":"2001:db8::/32"}`, true},
	{`"s3:*"`, `"*"`, `"ArnLike":{"aws:SourceArn":"arn:aws:s3:::p*"}`, true},
	{`"s3:*"`, `"*"`, `"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::lake"}`, false},
	{`"s3:*"`, `"*"`, `"ArnNotLike":{"aws:SourceArn":"arn:aws:s3:::lake"}`, true},
	{`"s3:*"`, `"*"`, `"Null":{"x:none":"true"}`, true},
	{`"s3:*"`, `"*"`, `"Null":{"s3:prefix":"true"}`, false},
	{`"s3:*"`, `"*"`, `"ForAllValues:StringEquals":{"aws:TagKeys":["a","b","c"]}`, true},
	{`"s3:*"`, `"*"`, `"ForAllValues:StringEquals":{"aws:TagKeys":"a"}`, false},
	{`"s3:*"`, `"*"`, `"ForAllValues:StringEquals":{"x:none":"a"}`, true},
	{`"s3:*"`, `"*"`, `"ForAnyValue:StringEquals":{"aws:TagKeys":["b","x"]}`, true},
	{`"s3:*"`, `"*"`, `"ForAnyValue:StringEquals":{"x:none":"a"}`, false},
	{`"s3:*"`, `"*"`, `"ForAnyValue:StringNotEquals":{"aws:TagKeys":"a"}`, true},
	{`"s3:*"`, `"*"`, `"ForAllValues:StringNotEquals":{"aws:TagKeys":"a"}`, false},
	{`"s3:*"`, `"*"`, `"StringEquals":{"aws:username":"ann","aws:userid":"AIDAann","aws:PrincipalType":"User"}`, true},
	{`"s3:*"`, `"*"`, `"StringEquals":{"aws:username":"ann"},"Bool":{"aws:SecureTransport":"false"}`, false},
}

func TestOwnPolicies(t *testing.T) {
	keys := map[string][]string{
		"aws:sourceip": {"10.1.2.3"}, "aws:currenttime": {"2026-11-21T12:00:00Z"}, "aws:epochtime": {"1795262400"}, "aws:securetransport": {"true"},
		"s3:prefix": {"home/ann/"}, "s3:max-keys": {"100"}, "aws:tagkeys": {"a", "b"}, "x:bin": {"aGk="}, "aws:sourcearn": {"arn:aws:s3:::pond"},
		"x:star": {"a*b"}, "x:six": {"2001:db8::1"},
	}
	for _, c := range own {
		doc := one(`"Effect":"Allow","Action":` + c.action + `,"Resource":` + c.resource + `,"Condition":{` + c.condition + `}`)
		r := &Request{Principal: user("ann"), Action: "s3:GetObject", Resource: "arn:aws:s3:::pond/key", Owner: acct,
			Keys: func(k string) []string { return keys[k] }}
		if d := Evaluate(r, &Policies{Identity: []*Policy{mustParse(t, doc, false)}}); d.Allowed != c.want {
			t.Errorf("%s: %s", doc, d)
		}
		deny := strings.Replace(doc, `"Allow"`, `"Deny"`, 1)
		if d := Evaluate(r, &Policies{All: true, Identity: []*Policy{mustParse(t, deny, false)}}); d.Denied != c.want {
			t.Errorf("%s: %s", deny, d)
		}
	}
}

func TestTheOlderVersionHasNoVariables(t *testing.T) {
	p := mustParse(t, `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::pond/${aws:username}"}}`, false)
	r := &Request{Principal: user("ann"), Action: "s3:GetObject", Resource: "arn:aws:s3:::pond/ann", Owner: acct}
	if Evaluate(r, &Policies{Identity: []*Policy{p}}).Allowed {
		t.Error("a variable was put in")
	}
	r.Resource = "arn:aws:s3:::pond/${aws:username}"
	if !Evaluate(r, &Policies{Identity: []*Policy{p}}).Allowed {
		t.Error("the text did not match")
	}
}

// TestWhoIsMeant holds principals against callers, with an identity side that
// allows nothing, and one that allows all.
func TestWhoIsMeant(t *testing.T) {
	session := Principal{Account: acct, ARN: "arn:aws:sts::" + acct + ":assumed-role/ops/s1", Role: "arn:aws:iam::" + acct + ":role/ops", ID: "AROA:s1"}
	stranger := root(other)
	for _, c := range []struct {
		principal string
		who       Principal
		alone     bool // allowed by the resource's policy alone
		with      bool // allowed when the caller's own policies allow all
	}{
		{`"*"`, user("ann"), true, true},
		{`"*"`, Principal{}, true, true},
		{`{"AWS":"*"}`, stranger, false, true},
		{`{"AWS":"111111111111"}`, user("ann"), false, true},
		{`{"AWS":"111111111111"}`, root(acct), true, true},
		{`{"AWS":"arn:aws:iam::111111111111:root"}`, user("ann"), false, true},
		{`{"AWS":"arn:aws:iam::111111111111:user/eng/ann"}`, user("ann"), true, true},
		{`{"AWS":"arn:aws:iam::111111111111:user/eng/ann"}`, user("bob"), false, true},
		{`{"AWS":"arn:aws:iam::111111111111:role/ops"}`, session, true, true},
		{`{"AWS":"arn:aws:sts::111111111111:assumed-role/ops/s1"}`, session, true, true},
		{`{"AWS":"arn:aws:sts::111111111111:assumed-role/ops/s2"}`, session, false, true},
		{`{"AWS":"111111111111"}`, stranger, false, false},
		{`{"AWS":["333333333333","222222222222"]}`, stranger, false, true},
		{`{"CanonicalUser":"` + strings.Repeat("2", 64) + `"}`, stranger, false, true},
		{`{"CanonicalUser":"` + strings.Repeat("3", 64) + `"}`, stranger, false, false},
		{`{"AWS":"222222222222"}`, Principal{}, false, false},
		{`{"Service":"logging.s3.amazonaws.com"}`, Principal{Service: "logging.s3.amazonaws.com"}, true, true},
		{`{"Service":"logging.s3.amazonaws.com"}`, Principal{Service: "ec2.amazonaws.com"}, false, false},
		{`{"Service":"logging.s3.amazonaws.com"}`, Principal{}, false, false},
		{`{"Federated":"accounts.example.com"}`, Principal{Federated: "accounts.example.com"}, true, true},
	} {
		doc := one(`"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":` + c.principal)
		r := &Request{Principal: c.who, Action: "s3:GetObject", Resource: "arn:aws:s3:::pond/key", Owner: acct}
		p := mustParse(t, doc, true)
		if d := Evaluate(r, &Policies{Resource: p}); d.Allowed != c.alone {
			t.Errorf("%s alone, %+v: %s", c.principal, c.who, d)
		}
		if d := Evaluate(r, &Policies{Resource: p, All: true}); d.Allowed != c.with {
			t.Errorf("%s with all, %+v: %s", c.principal, c.who, d)
		}
	}
}

func TestTheOrderOfPolicies(t *testing.T) {
	allow := func(action string) *Policy {
		return mustParse(t, one(`"Sid":"a","Effect":"Allow","Action":"`+action+`","Resource":"*"`), false)
	}
	deny := mustParse(t, one(`"Sid":"d","Effect":"Deny","Action":"s3:GetObject","Resource":"*"`), false)
	public := mustParse(t, one(`"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"`), true)
	denied := mustParse(t, one(`"Effect":"Deny","Action":"s3:*","Resource":"*","NotPrincipal":{"AWS":"arn:aws:iam::111111111111:user/eng/bob"}`), true)
	ann := func(p *Policy) []*Policy { return []*Policy{p} }
	for i, c := range []struct {
		p    Policies
		want string
	}{
		{Policies{}, "refused: no statement allows it, identity policy"},
		{Policies{Identity: ann(allow("s3:*"))}, "allowed, identity policy, statement 0 (a)"},
		{Policies{Identity: []*Policy{allow("s3:*"), deny}}, "denied, identity policy, statement 0 (d)"},
		{Policies{All: true}, "allowed, account policy"},
		{Policies{All: true, Session: ann(deny)}, "denied, session policy, statement 0 (d)"},
		{Policies{All: true, Boundary: ann(deny)}, "denied, boundary policy, statement 0 (d)"},
		{Policies{All: true, Boundary: ann(allow("ec2:*"))}, "refused: no statement allows it, boundary policy"},
		{Policies{All: true, Boundary: ann(allow("s3:*")), Session: ann(allow("ec2:*"))}, "refused: no statement allows it, session policy"},
		{Policies{All: true, Boundary: ann(allow("s3:*")), Session: ann(allow("s3:GetObject"))}, "allowed, account policy"},
		{Policies{Resource: public}, "allowed, resource policy, statement 0"},
		{Policies{Resource: public, Boundary: ann(allow("ec2:*"))}, "refused: no statement allows it, boundary policy"},
		{Policies{Resource: public, Identity: ann(deny)}, "denied, identity policy, statement 0 (d)"},
		{Policies{Resource: denied, All: true}, "denied, resource policy, statement 0"},
	} {
		r := &Request{Principal: user("ann"), Action: "s3:GetObject", Resource: "arn:aws:s3:::pond/key", Owner: acct}
		if got := Evaluate(r, &c.p).String(); got != c.want {
			t.Errorf("%d: got %q, want %q", i, got, c.want)
		}
	}
	bob := &Request{Principal: user("bob"), Action: "s3:GetObject", Resource: "arn:aws:s3:::pond/key", Owner: acct}
	if d := Evaluate(bob, &Policies{Resource: denied, All: true}); !d.Allowed {
		t.Errorf("bob: %s", d)
	}
}

func TestPatternsStayQuick(t *testing.T) {
	p, err := compile(strings.Repeat("a*", 200)+"b", true, false)
	if err != nil {
		t.Fatal(err)
	}
	if match(p.elems, strings.Repeat("a", 5000)) {
		t.Error("matched")
	}
}

// groups makes the policies of a user with three groups and eight policies.
func groups(t testing.TB) []*Policy {
	var all []*Policy
	for i := range 8 {
		var s []string
		for j := range 5 {
			s = append(s, fmt.Sprintf(`{"Effect":"Allow","Action":["s3:Get*","s3:List*","ec2:Describe*"],"Resource":["arn:aws:s3:::team-%d-%d/*","arn:aws:s3:::team-%d-%d"],
				"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringLike":{"aws:username":"*"}}}`, i, j, i, j))
		}
		s = append(s, `{"Effect":"Deny","Action":"s3:Delete*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`)
		all = append(all, mustParse(t, `{"Version":"2012-10-17","Statement":[`+strings.Join(s, ",")+`]}`, false))
	}
	return all
}

func BenchmarkEvaluate(b *testing.B) {
	p := &Policies{Identity: groups(b)}
	keys := map[string][]string{"aws:sourceip": {"10.1.2.3"}, "aws:securetransport": {"true"}}
	r := &Request{Principal: user("ann"), Action: "s3:GetObject", Resource: "arn:aws:s3:::team-7-4/a/long/key.bin", Owner: acct,
		Keys: func(k string) []string { return keys[k] }}
	b.ReportAllocs()
	for b.Loop() {
		if d := Evaluate(r, p); !d.Allowed {
			b.Fatal(d)
		}
	}
}

func TestTrustPolicies(t *testing.T) {
	const head = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`
	for _, c := range []struct{ doc, want string }{
		{head + `"Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`, ""},
		{head + `"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`, ""},
		{head + `"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/idp"},"Action":"sts:AssumeRoleWithWebIdentity"}]}`, ""},
		{head + `"Principal":"*","Action":"sts:*"}]}`, ""},
		{head + `"Principal":"*","Action":"sts:AssumeRole","Resource":"*"}]}`, "prohibited field Resource"},
		{head + `"Principal":"*","Action":"*"}]}`, "AssumeRole actions"},
		{head + `"Principal":"*","NotAction":"sts:AssumeRole"}]}`, "AssumeRole actions"},
		{head + `"Principal":"*","Action":"s3:GetObject"}]}`, "AssumeRole actions"},
		{head + `"Action":"sts:AssumeRole"}]}`, "no Principal"},
	} {
		p, err := Parse([]byte(c.doc), Rules{Trust: true})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.doc, err, c.want)
		}
		if err == nil && c.want == "" && p.Statements[0].Resources != nil {
			t.Error("a trust policy with resources")
		}
	}
	p, err := Parse([]byte(head+`"Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x"}}}]}`), Rules{Trust: true})
	if err != nil {
		t.Fatal(err)
	}
	r := &Request{Principal: Principal{Account: "111122223333"}, Action: "sts:AssumeRole", Resource: "arn:aws:iam::111122223333:role/r", Owner: "111122223333"}
	if Evaluate(r, &Policies{Resource: p}).Allowed {
		t.Error("without its condition")
	}
	r.Keys = func(key string) []string { return map[string][]string{"sts:externalid": {"x"}}[key] }
	if d := Evaluate(r, &Policies{Resource: p}); !d.Allowed {
		t.Error(d)
	}
}

func FuzzTrust(f *testing.F) {
	f.Add(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}`)
	f.Add(`{"Statement":{"Effect":"Deny","NotPrincipal":"*","Action":"sts:*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":false}}}}`)
	f.Fuzz(func(t *testing.T, doc string) {
		p, err := Parse([]byte(doc), Rules{Trust: true})
		if err != nil {
			return
		}
		for _, s := range p.Statements {
			if s.Resources != nil || s.NotResource || s.Principals == nil || s.Limit {
				t.Errorf("%+v", s)
			}
		}
	})
}

func TestKeysOfWebIdentities(t *testing.T) {
	for key, want := range map[string]bool{
		"login.example.com:sub": true, "oidc.example.com/id/A1:aud": true, "127.0.0.1:8443:sub": true, "token.actions.example.com:job_workflow_ref": true,
		"aws:RequestTag/a:b": true, "login.example.com": false, "login.example.com:": false, ".example.com:sub": false, "a b.example.com:sub": false,
		"login example:sub": false, "nodots/x:sub": false, "x.y/$:sub": false,
	} {
		_, err := Parse([]byte(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*","Condition":{"StringEquals":{"`+key+`":"v"}}}}`), Rules{Trust: true})
		if (err == nil) != want {
			t.Errorf("%s: %v", key, err)
		}
	}
}
