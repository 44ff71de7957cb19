package sts

import (
	"net/url"
	"strings"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// trustOf returns the trust policy of a role as its account sees it.
func (w *world) trustOf(role string) string {
	w.t.Helper()
	text, err := url.QueryUnescape(*do(w, w.iam(w.root).GetRole, &awsiam.GetRoleInput{RoleName: &role}).Role.AssumeRolePolicyDocument)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// gone deletes a user with its keys.
func (w *world) gone(name string, k keys) {
	w.t.Helper()
	do(w, w.iam(w.root).DeleteAccessKey, &awsiam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: &k.id})
	do(w, w.iam(w.root).DeleteUser, &awsiam.DeleteUserInput{UserName: &name})
}

func trusts(who string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + who + `"},"Action":"sts:AssumeRole"}]}`
}

func TestWhoComesUnderTheNameOfADeletedUserIsNotTrusted(t *testing.T) {
	w := newWorld(t, nil)
	ada := w.user("ada", "")
	arn := "arn:aws:iam::" + w.account + ":user/ada"
	first := *do(w, w.iam(w.root).GetUser, &awsiam.GetUserInput{UserName: new("ada")}).User.UserId
	in := &awssts.AssumeRoleInput{RoleArn: new(w.role("web", trusts(arn), "")), RoleSessionName: new("one")}
	do(w, w.sts(ada).AssumeRole, in)
	if got := w.trustOf("web"); got != trusts(arn) {
		t.Error(got)
	}
	do(w, w.iam(w.root).UpdateUser, &awsiam.UpdateUserInput{UserName: new("ada"), NewUserName: new("ann")})
	do(w, w.sts(ada).AssumeRole, in) // the same user
	if got := w.trustOf("web"); got != trusts(strings.Replace(arn, "ada", "ann", 1)) {
		t.Error(got)
	}
	w.gone("ann", ada)
	for _, name := range []string{"ada", "ann"} {
		refused(w, w.sts(w.user(name, "")).AssumeRole, in, "AccessDenied")
	}
	if got := w.trustOf("web"); got != trusts(first) {
		t.Errorf("who is gone is shown as %s", got)
	}
	refused(w, w.iam(w.root).UpdateAssumeRolePolicy, &awsiam.UpdateAssumeRolePolicyInput{RoleName: new("web"), PolicyDocument: new(trusts(first))}, "MalformedPolicyDocument")
	do(w, w.iam(w.root).UpdateAssumeRolePolicy, &awsiam.UpdateAssumeRolePolicyInput{RoleName: new("web"), PolicyDocument: new(trusts(arn))})
}

func TestARoleMadeAnewIsNotTrustedForTheOldOne(t *testing.T) {
	w := newWorld(t, nil)
	ada := w.user("ada", "")
	arn := "arn:aws:iam::" + w.account + ":user/ada"
	step, session := w.role("step", trusts(arn), ""), "arn:aws:sts::"+w.account+":assumed-role/step/one"
	last, only := w.role("last", trusts(step), ""), w.role("only", trusts(session), "")
	take := func(k keys, role, name string) keys {
		return of(do(w, w.sts(k).AssumeRole, &awssts.AssumeRoleInput{RoleArn: &role, RoleSessionName: &name}).Credentials)
	}
	one, two := take(ada, step, "one"), take(ada, step, "two")
	take(one, last, "xx")
	take(two, last, "xx")
	take(one, only, "xx")
	refused(w, w.sts(two).AssumeRole, &awssts.AssumeRoleInput{RoleArn: &only, RoleSessionName: new("xx")}, "AccessDenied")
	if got := w.trustOf("only"); got != trusts(session) {
		t.Error(got)
	}
	do(w, w.iam(w.root).DeleteRole, &awsiam.DeleteRoleInput{RoleName: new("step")})
	w.role("step", trusts(arn), "")
	one = take(ada, step, "one")
	for _, role := range []string{last, only} {
		refused(w, w.sts(one).AssumeRole, &awssts.AssumeRoleInput{RoleArn: &role, RoleSessionName: new("xx")}, "AccessDenied")
	}
}

// What a session hands on to the next one of a chain is given there anew, so
// the next role must let itself be given it.
func TestTheNextRoleOfAChainMustTakeTagsAndSource(t *testing.T) {
	w := newWorld(t, nil)
	ada := w.user("ada", "")
	arn := "arn:aws:iam::" + w.account + ":user/ada"
	first := w.role("first", trust(`{"AWS":"`+arn+`"}`, ""), "")
	bare := w.role("bare", trusts(first), "")
	both := w.role("both", trust(`{"AWS":"`+first+`"}`, `{"StringEquals":{"sts:SourceIdentity":"ada"}}`), "")
	take := func(change func(*awssts.AssumeRoleInput)) keys {
		return of(do(w, w.sts(ada).AssumeRole, assume(first, change)).Credentials)
	}
	plain := take(func(*awssts.AssumeRoleInput) {})
	tagged := take(func(in *awssts.AssumeRoleInput) {
		in.Tags, in.TransitiveTagKeys = []types.Tag{{Key: new("team"), Value: new("red")}, {Key: new("job"), Value: new("x")}}, []string{"team"}
	})
	own := take(func(in *awssts.AssumeRoleInput) { in.Tags = []types.Tag{{Key: new("team"), Value: new("red")}} })
	sourced := take(func(in *awssts.AssumeRoleInput) { in.SourceIdentity = new("ada") })
	do(w, w.sts(plain).AssumeRole, assume(bare))
	do(w, w.sts(own).AssumeRole, assume(bare)) // its tags end with it
	refused(w, w.sts(tagged).AssumeRole, assume(bare), "AccessDenied")
	refused(w, w.sts(sourced).AssumeRole, assume(bare), "AccessDenied")
	if out := do(w, w.sts(sourced).AssumeRole, assume(both)); out.SourceIdentity == nil || *out.SourceIdentity != "ada" {
		t.Errorf("%+v", out)
	}
	refused(w, w.sts(sourced).AssumeRole, assume(both, func(in *awssts.AssumeRoleInput) { in.SourceIdentity = new("eve") }), "AccessDenied")
	refused(w, w.sts(plain).AssumeRole, assume(both), "AccessDenied")
}
