package policy

import "testing"

// corners are questions that the public reference answers and that are easily
// answered otherwise.
var corners = []struct {
	condition string
	want      bool
}{
	{`"StringEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/eng/ops"}`, true}, // of a session it is the role's
	{`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*/ops"}`, true},
	{`"ArnEquals":{"aws:PrincipalArn":"arn:aws:sts::*:assumed-role/ops/*"}`, false},
	{`"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::1111*:role/eng/o?s"}`, true},
	{`"ArnLike":{"aws:PrincipalArn":"arn:aws:*:*:*:ops"}`, false}, // a star stays within its colons
	{`"ArnNotEquals":{"aws:PrincipalArn":["arn:aws:iam::*:user/*","arn:aws:iam::*:role/eng/*"]}`, false},
	{`"StringLike":{"aws:userid":"AROAOPS:*"}`, true},
	{`"StringEquals":{"aws:PrincipalType":"AssumedRole","aws:PrincipalAccount":"111111111111"}`, true},
	{`"Null":{"aws:username":"true"}`, true}, // sessions of roles have none
	{`"Null":{"aws:username":["true","false"]}`, true},
	{`"Null":{"x:many":"false"}`, true},
	{`"StringNotEquals":{"aws:username":"ann"}`, true},
	{`"StringNotEqualsIfExists":{"x:one":"a"}`, false},
	{`"StringEquals":{"x:one":"${aws:username}"}`, false},
	{`"StringLike":{"x:one":"${aws:username}*"}`, false},
	{`"StringEquals":{"x:star":"${*}"}`, true},
	{`"StringEquals":{"x:star":"*"}`, true},
	{`"StringLike":{"x:one":"${*}"}`, false},
	{`"ForAllValues:StringEqualsIfExists":{"x:none":"a"}`, true},
	{`"ForAnyValue:StringEqualsIfExists":{"x:none":"a"}`, true},
	{`"ForAnyValue:StringNotEquals":{"x:none":"a"}`, false},
	{`"ForAllValues:StringNotEquals":{"x:none":"a"}`, true},
	{`"ForAllValues:StringLike":{"x:many":["a*","b"]}`, true},
	{`"ForAnyValue:StringNotEquals":{"x:many":["a","b"]}`, false},
	{`"StringNotEquals":{"x:many":"a"}`, false}, // without a set operator none may be
	{`"IpAddress":{"x:six":"2001:db8:0:0::/64"}`, true},
	{`"IpAddress":{"x:six":"2001:db8:0:1::/64"}`, false},
	{`"NotIpAddress":{"x:six":"10.0.0.0/8"}`, true},
	{`"IpAddress":{"x:mapped":"10.0.0.0/8"}`, true},
	{`"IpAddress":{"x:mapped":"::ffff:10.0.0.0/104"}`, true},
	{`"IpAddress":{"x:mapped":"::/0"}`, false},
	{`"IpAddress":{"x:one":"0.0.0.0/0"}`, false},
	{`"DateEquals":{"x:when":"1795262400"}`, true},
	{`"DateEquals":{"x:when":1795262400}`, true},
	{`"DateEquals":{"x:when":"2026-11-21T13:00:00+01:00"}`, true},
	{`"DateLessThan":{"x:epoch":"2026-11-21T12:00:01Z"}`, true},
	{`"DateGreaterThan":{"x:when":"2026"}`, true},
	{`"NumericEquals":{"x:number":"7.0"}`, true},
	{`"NumericEquals":{"x:one":"7"}`, false},
	{`"NumericNotEquals":{"x:none":"7"}`, true},
	{`"Bool":{"x:none":"false"}`, false},
	{`"BoolIfExists":{"x:none":"false"}`, true},
	{`"Bool":{"x:yes":"TRUE"}`, true},
}

func TestCornersOfConditions(t *testing.T) {
	keys := map[string][]string{
		"x:one": {"a"}, "x:star": {"*"}, "x:many": {"a", "b"}, "x:six": {"2001:db8::1"}, "x:mapped": {"::ffff:10.1.2.3"},
		"x:when": {"2026-11-21T12:00:00Z"}, "x:epoch": {"1795262400"}, "x:number": {"7"}, "x:yes": {"true"},
	}
	session := Principal{Account: acct, ARN: "arn:aws:sts::" + acct + ":assumed-role/ops/s1", Role: "arn:aws:iam::" + acct + ":role/eng/ops", ID: "AROAOPS:s1"}
	for _, c := range corners {
		doc := one(`"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{` + c.condition + `}`)
		r := &Request{Principal: session, Action: "s3:GetObject", Resource: "arn:aws:s3:::pond/key", Owner: acct, Keys: func(k string) []string { return keys[k] }}
		if d := Evaluate(r, &Policies{Identity: []*Policy{mustParse(t, doc, false)}}); d.Allowed != c.want {
			t.Errorf("%s: %s", c.condition, d)
		}
	}
}

func TestTheOlderVersionHasNoEscapesEither(t *testing.T) {
	p := mustParse(t, `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::pond/${*}","Condition":{"StringEquals":{"x:name":"${aws:username}"}}}}`, false)
	r := &Request{Principal: user("ann"), Action: "s3:GetObject", Resource: "arn:aws:s3:::pond/${any}", Owner: acct, Keys: func(string) []string { return []string{"${aws:username}"} }}
	if d := Evaluate(r, &Policies{Identity: []*Policy{p}}); !d.Allowed {
		t.Errorf("the text did not match: %s", d)
	}
	r.Resource = "arn:aws:s3:::pond/*"
	if d := Evaluate(r, &Policies{Identity: []*Policy{p}}); d.Allowed {
		t.Error("an escape was put in")
	}
}

// TestSessionsAndResources holds what the policy of a resource gives to a role,
// and to one session of it, against what narrows the session.
func TestSessionsAndResources(t *testing.T) {
	session := Principal{Account: acct, ARN: "arn:aws:sts::" + acct + ":assumed-role/ops/s1", Role: "arn:aws:iam::" + acct + ":role/ops", ID: "AROAOPS2RBXWTOJHODXC:s1"}
	const byRole, bySession, bySessionID = `{"AWS":"arn:aws:iam::111111111111:role/ops"}`, `{"AWS":"arn:aws:sts::111111111111:assumed-role/ops/s1"}`, `{"AWS":"AROAOPS2RBXWTOJHODXC:s1"}`
	only := func(action string) []*Policy {
		return []*Policy{mustParse(t, one(`"Effect":"Allow","Action":"`+action+`","Resource":"*"`), false)}
	}
	for _, c := range []struct {
		principal, owner string
		p                Policies
		want             bool
	}{
		{byRole, acct, Policies{}, true},
		{byRole, acct, Policies{Session: only("ec2:*")}, false}, // narrowed
		{byRole, acct, Policies{Boundary: only("ec2:*")}, false},
		{byRole, acct, Policies{Session: only("s3:*"), Boundary: only("s3:*")}, true},
		{bySession, acct, Policies{Session: only("ec2:*"), Boundary: only("ec2:*")}, true}, // given to the session itself
		{bySessionID, acct, Policies{Session: only("ec2:*"), Boundary: only("ec2:*")}, true},
		{`"*"`, acct, Policies{Session: only("ec2:*")}, false},
		{`{"AWS":"111111111111"}`, acct, Policies{Session: only("s3:*")}, false}, // the account's word is not the role's
		{`{"AWS":"111111111111"}`, acct, Policies{Identity: only("s3:*"), Session: only("s3:*")}, true},
		{bySession, other, Policies{}, false}, // across accounts both sides must
		{bySession, other, Policies{Identity: only("s3:*")}, true},
		{bySession, other, Policies{Identity: only("s3:*"), Session: only("ec2:*")}, false},
		{byRole, other, Policies{Identity: only("s3:*"), Boundary: only("ec2:*")}, false},
		{`{"AWS":"333333333333"}`, other, Policies{Identity: only("s3:*")}, false},
	} {
		c.p.Resource = mustParse(t, one(`"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":`+c.principal), true)
		r := &Request{Principal: session, Action: "s3:GetObject", Resource: "arn:aws:s3:::pond/key", Owner: c.owner}
		if d := Evaluate(r, &c.p); d.Allowed != c.want {
			t.Errorf("%s of %s: %s", c.principal, c.owner, d)
		}
	}
}
