package policy

import (
	"strings"
	"testing"
	"time"

	"karri/shared/fault"
)

// limits says what statements with the effect Limit may be.
var limits = []struct {
	rest, says string // "": accepted
}{
	{limit("ec2:RunInstances", `"NumericLessThanEquals":{"ec2:quota-vminstancenumber":"16"}`), ""},
	{limit("ec2:*", `"NumericLessThan":{"EC2:Quota-VolumeTotalSize":16.5}`), ""},
	{limit("*", `"NumericLessThanEquals":{"s3:quota-bucketnumber":"0"},"NumericLessThan":{"iam:quota-usernumber":"3"}`), ""},
	{limit("ec2:RunInstances", `"NumericEquals":{"ec2:KeepAlive":"60"}`), ""},
	{limit("ec2:RunInstances", `"DateEquals":{"ec2:ExpirationTime":"2027-01-01T00:00:00Z"}`), ""},
	{`"Effect":"Limit","NotAction":"s3:*","NotResource":"arn:aws:ec2:*:*:instance/*","Condition":{"NumericLessThan":{"ec2:quota-imagenumber":1}}`, ""},
	{`"Effect":"Limit","Action":"ec2:*","Resource":"arn:aws:ec2:us-east-1:*:volume/*","Condition":{"NumericLessThan":{"ec2:quota-imagenumber":1}}`, "of the region '*'"},
	{`"Effect":"Limit","Action":"ec2:*","Resource":"*"`, "needs a Condition"},
	{`"Effect":"Limit","Action":"ec2:*","Resource":"*","Condition":{}`, "needs a Condition"},
	{`"Effect":"limit","Action":"ec2:*","Resource":"*"`, "Effect: It must be"},
	{limit("ec2:*", `"NumericLessThanEquals":{"ec2:quota-colour":"16"}`), "'ec2:quota-colour' is not something that can be limited"},
	{limit("ec2:*", `"NumericLessThanEquals":{"aws:EpochTime":"16"}`), "cannot be limited|is not something"},
	{limit("ec2:*", `"StringEquals":{"aws:username":"ann"}`), "is not something"},
	{limit("ec2:*", `"StringEquals":{"ec2:quota-imagenumber":"1"}`), "Statement.Condition.StringEquals.ec2:quota-imagenumber: A limit of it is given by one of NumericLessThanEquals, NumericLessThan."},
	{limit("ec2:*", `"NumericGreaterThan":{"ec2:quota-imagenumber":"1"}`), "is given by one of"},
	{limit("ec2:*", `"NumericEquals":{"ec2:quota-imagenumber":"1"}`), "is given by one of"},
	{limit("ec2:*", `"NumericLessThan":{"ec2:quota-imagenumber":["1","2"]}`), "is one number"},
	{limit("ec2:*", `"NumericLessThan":{"ec2:quota-imagenumber":"-1"}`), "not a number of 0 or more"},
	{limit("ec2:*", `"NumericLessThan":{"ec2:quota-imagenumber":"x"}`), "is not a number"},
	{limit("ec2:*", `"NumericLessThanIfExists":{"ec2:quota-imagenumber":"1"}`), "neither a set operator nor IfExists"},
	{limit("ec2:*", `"ForAnyValue:NumericLessThan":{"ec2:quota-imagenumber":"1"}`), "neither a set operator nor IfExists"},
	{limit("ec2:*", `"NumericLessThan":{"ec2:ExpirationTime":"1"}`), "is given by one of Date"},
	{limit("ec2:*", `"DateLessThan":{"ec2:KeepAlive":"2026"}`), "is given by one of Numeric"},
}

func limit(action, condition string) string {
	return `"Effect":"Limit","Action":"` + action + `","Resource":"*","Condition":{` + condition + `}`
}

func TestLimitsAreReadStrictly(t *testing.T) {
	for _, c := range limits {
		_, err := Parse([]byte(one(c.rest)), Rules{})
		ok := err == nil && c.says == ""
		for _, says := range strings.Split(c.says, "|") {
			ok = ok || err != nil && says != "" && fault.CodeOf(err) == Malformed && strings.Contains(fault.Of(err).Text, says)
		}
		if !ok {
			t.Errorf("%s: got %v, want %q", c.rest, err, c.says)
		}
	}
	if _, err := Parse([]byte(one(limits[0].rest+`,"Principal":"*"`)), Rules{Resource: true}); err == nil {
		t.Error("a bucket's policy limits")
	}
}

func TestALimitNeitherAllowsNorDenies(t *testing.T) {
	p := mustParse(t, one(limit("*", `"NumericLessThanEquals":{"s3:quota-bucketnumber":"0"}`)), false)
	r := &Request{Principal: user("ann"), Action: "s3:CreateBucket", Resource: "arn:aws:s3:::pond", Owner: acct}
	if d := Evaluate(r, &Policies{Identity: []*Policy{p}}); d.Allowed || d.Denied {
		t.Error(d)
	}
	if d := Evaluate(r, &Policies{All: true, Identity: []*Policy{p}, Account: []*Policy{p}}); !d.Allowed || d.Source != Root {
		t.Error(d)
	}
	if p.Mentions(&r.Principal, r.Action) {
		t.Error("a limit is taken for an allowance")
	}
}

func TestWhatIsLaidOnTheAccountDeniesAndGivesNothing(t *testing.T) {
	r := &Request{Principal: root(acct), Action: "s3:CreateBucket", Resource: "arn:aws:s3:::pond", Owner: acct}
	all := mustParse(t, one(`"Effect":"Allow","Action":"*","Resource":"*"`), false)
	none := mustParse(t, one(`"Effect":"Deny","Action":"s3:CreateBucket","Resource":"*"`), false)
	if d := Evaluate(r, &Policies{All: true, Account: []*Policy{none}}); !d.Denied || d.Source != Laid || d.By != none.Statements[0] {
		t.Error(d)
	}
	r.Principal = user("ann")
	if d := Evaluate(r, &Policies{Account: []*Policy{all}}); d.Allowed {
		t.Error(d)
	}
	if d := Evaluate(r, &Policies{Identity: []*Policy{all}, Account: []*Policy{all}}); !d.Allowed || d.Source != Identity {
		t.Error(d)
	}
}

func TestTheTightestLimitCounts(t *testing.T) {
	const key = "ec2:quota-volumenumber"
	docs := []string{
		limit("ec2:CreateVolume", `"NumericLessThanEquals":{"ec2:quota-VolumeNumber":"7"}`),
		limit("ec2:Create*", `"NumericLessThan":{"ec2:quota-volumenumber":"7","ec2:quota-volumesize":"1"}`),
		limit("ec2:RunInstances", `"NumericLessThan":{"ec2:quota-volumenumber":"2"}`),
		`"Effect":"Limit","Action":"*","Resource":"arn:aws:ec2:*:*:snapshot/*","Condition":{"NumericLessThan":{"ec2:quota-volumenumber":"1"}}`,
		`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"ec2:quota-volumenumber":"1"}}`,
		limit("*", `"NumericLessThan":{"ec2:quota-volumenumber":"6.5"}`),
		limit("*", `"NumericLessThan":{"ec2:quota-volumenumber":"0"}`),
	}
	r := &Request{Principal: root(acct), Action: "ec2:CreateVolume", Resource: "arn:aws:ec2:us-east-1:" + acct + ":volume/*", Owner: acct}
	var all []*Policy
	for i, want := range []int64{7, 6, 6, 6, 6, 6, 0} {
		all = append(all, nil, mustParse(t, one(docs[i]), false))
		if l, ok := LimitOf(r, key, all); !ok || l.Most != want || l.By == nil {
			t.Errorf("with %s: %+v, want %d", docs[i], l, want)
		}
	}
	if l, ok := LimitOf(r, "ec2:quota-imagenumber", all); ok {
		t.Error(l)
	}
	if _, ok := LimitOf(r, key, nil); ok {
		t.Error("nobody limits, and there is a limit")
	}
}

func TestTheEarliestEndCounts(t *testing.T) {
	made := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	r := &Request{Principal: root(acct), Action: "ec2:RunInstances", Resource: "arn:aws:ec2:us-east-1:" + acct + ":instance/*", Owner: acct}
	hour := mustParse(t, one(limit("ec2:RunInstances", `"NumericLessThanEquals":{"ec2:KeepAlive":"60"}`)), false)
	noon := mustParse(t, one(limit("*", `"DateLessThanEquals":{"ec2:ExpirationTime":"2026-11-21T12:30:00Z"}`)), false)
	other := mustParse(t, one(limit("ec2:StartInstances", `"NumericEquals":{"ec2:KeepAlive":"1"}`)), false)
	if e, ok := ExpiryOf(r, made, []*Policy{hour, other}); !ok || !e.At.Equal(made.Add(time.Hour)) {
		t.Error(e)
	}
	if e, ok := ExpiryOf(r, made, []*Policy{hour, noon}); !ok || !e.At.Equal(made.Add(30*time.Minute)) || e.By != noon.Statements[0] {
		t.Error(e)
	}
	if _, ok := ExpiryOf(r, made, []*Policy{other}); ok {
		t.Error("an end by what is about another action")
	}
}
