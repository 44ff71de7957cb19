package sts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"karri/cloudctl/store"
)

const (
	allowAll    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	allowAssume = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Resource":"*"}]}`
	onlyRoles   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}]}`
)

// trust returns a trust policy for a principal, with conditions.
func trust(principal, conditions string) string {
	if conditions != "" {
		conditions = `,"Condition":` + conditions
	}
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal +
		`,"Action":["sts:AssumeRole","sts:AssumeRoleWithWebIdentity","sts:TagSession","sts:SetSourceIdentity"]` + conditions + `}]}`
}

// role makes a role that may what a document says, and returns its ARN.
func (w *world) role(name, trust, document string, change ...func(*awsiam.CreateRoleInput)) string {
	w.t.Helper()
	in := &awsiam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}
	for _, c := range change {
		c(in)
	}
	r := do(w, w.iam(w.root).CreateRole, in).Role
	if document != "" {
		do(w, w.iam(w.root).PutRolePolicy, &awsiam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("own"), PolicyDocument: &document})
	}
	return *r.Arn
}

func assume(arn string, change ...func(*awssts.AssumeRoleInput)) *awssts.AssumeRoleInput {
	in := &awssts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: aws.String("story")}
	for _, c := range change {
		c(in)
	}
	return in
}

// sees checks which of two reads keys may do.
func (w *world) sees(k keys, users, roles bool) {
	w.t.Helper()
	_, err1 := w.iam(k).ListUsers(w.t.Context(), &awsiam.ListUsersInput{})
	_, err2 := w.iam(k).ListRoles(w.t.Context(), &awsiam.ListRolesInput{})
	if (err1 == nil) != users || (err2 == nil) != roles {
		w.t.Errorf("users: %v, roles: %v; want %v, %v", err1, err2, users, roles)
	}
}

func TestARoleIsTaken(t *testing.T) {
	w := newWorld(t, nil)
	ann := w.user("ann", allowAssume)
	arn := w.role("web", trust(`{"AWS":"`+w.account+`"}`, ""), allowAll)
	w.sees(ann, false, false)
	out := do(w, w.sts(ann).AssumeRole, assume(arn))
	if want := "arn:aws:sts::" + w.account + ":assumed-role/web/story"; *out.AssumedRoleUser.Arn != want || !strings.HasSuffix(*out.AssumedRoleUser.AssumedRoleId, ":story") {
		t.Errorf("%+v", out.AssumedRoleUser)
	}
	if life := time.Until(*out.Credentials.Expiration); life < 58*time.Minute || life > time.Hour {
		t.Errorf("it lasts %s", life)
	}
	session := of(out.Credentials)
	w.sees(session, true, true)
	who := do(w, w.sts(session).GetCallerIdentity, &awssts.GetCallerIdentityInput{})
	if *who.Arn != *out.AssumedRoleUser.Arn || *who.UserId != *out.AssumedRoleUser.AssumedRoleId || *who.Account != w.account {
		t.Errorf("%+v", who)
	}
	for _, id := range []string{session.id, ann.id} {
		if a := do(w, w.sts(ann).GetCallerIdentity, &awssts.GetCallerIdentityInput{}).Account; *a != w.account {
			t.Error(*a)
		}
		if info := do(w, w.sts(w.root).GetAccessKeyInfo, &awssts.GetAccessKeyInfoInput{AccessKeyId: &id}); *info.Account != w.account {
			t.Errorf("%s is of %s", id, *info.Account)
		}
	}
	refused(w, w.sts(w.root).GetAccessKeyInfo, &awssts.GetAccessKeyInfoInput{AccessKeyId: aws.String("ASIAAAAAAAAAAAAAAAAA")}, "ValidationError")
	refused(w, w.sts(w.root).AssumeRole, assume(arn), "AccessDenied") // the root of an account takes no role
	refused(w, w.sts(ann).AssumeRole, assume(arn+"x"), "AccessDenied")
	refused(w, w.sts(ann).AssumeRole, assume("arn:aws:iam::"+w.account+":user/ann"), "ValidationError")
	refused(w, w.sts(keys{session.id, session.secret, ""}).GetCallerIdentity, &awssts.GetCallerIdentityInput{}, "InvalidClientTokenId")
	refused(w, w.sts(keys{session.id, session.secret, session.token[:40] + "A" + session.token[41:]}).GetCallerIdentity, &awssts.GetCallerIdentityInput{}, "InvalidClientTokenId")
	refused(w, w.sts(keys{ann.id, ann.secret, session.token}).GetCallerIdentity, &awssts.GetCallerIdentityInput{}, "InvalidClientTokenId")
	refused(w, w.sts(keys{session.id, ann.secret, session.token}).GetCallerIdentity, &awssts.GetCallerIdentityInput{}, "SignatureDoesNotMatch")
}

func TestWhomARoleTrusts(t *testing.T) {
	w := newWorld(t, nil)
	ann, bob := w.user("ann", allowAssume), w.user("bob", "")
	other, _ := w.newAccount("chemistry")
	annsARN := "arn:aws:iam::" + w.account + ":user/ann"
	with := func(f func(*awssts.AssumeRoleInput)) func(*awssts.AssumeRoleInput) { return f }
	external := with(func(in *awssts.AssumeRoleInput) { in.ExternalId = aws.String("x-1") })
	source := with(func(in *awssts.AssumeRoleInput) { in.SourceIdentity = aws.String("ann@site") })
	tagged := with(func(in *awssts.AssumeRoleInput) {
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}
	})
	for i, c := range []struct {
		trust   string
		who     keys
		how     func(*awssts.AssumeRoleInput)
		allowed bool
	}{
		{trust(`{"AWS":"`+w.account+`"}`, ""), ann, nil, true},
		{trust(`{"AWS":"`+w.account+`"}`, ""), bob, nil, false},                                  // its own policies do not allow it
		{trust(`{"AWS":"`+annsARN+`"}`, ""), bob, nil, false},                                    // means another
		{trust(`{"AWS":"`+annsARN+`"}`, ""), ann, nil, true},                                     //
		{trust(`{"AWS":"`+other+`"}`, ""), ann, nil, false},                                      // though her own policies allow it
		{trust(`{"Service":"ec2.amazonaws.com"}`, ""), ann, nil, false},                          //
		{trust(`{"AWS":"`+strings.Replace(annsARN, "/ann", "/bob", 1)+`"}`, ""), bob, nil, true}, // who is named needs no policy
		{trust(`"*"`, `{"StringEquals":{"sts:ExternalId":"x-1"}}`), ann, nil, false},
		{trust(`"*"`, `{"StringEquals":{"sts:ExternalId":"x-1"}}`), ann, external, true},
		{trust(`"*"`, `{"StringLike":{"sts:RoleSessionName":"st?ry"}}`), ann, nil, true},
		{trust(`"*"`, `{"StringLike":{"sts:RoleSessionName":"other"}}`), ann, nil, false},
		{trust(`"*"`, `{"StringEquals":{"sts:SourceIdentity":"ann@site"}}`), ann, nil, false},
		{trust(`"*"`, `{"StringEquals":{"sts:SourceIdentity":"ann@site"}}`), ann, source, true},
		{trust(`"*"`, `{"StringEquals":{"aws:RequestTag/team":"red"}}`), ann, tagged, true},
		{trust(`"*"`, `{"StringEquals":{"aws:RequestTag/team":"blue"}}`), ann, tagged, false},
		{trust(`"*"`, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), ann, nil, false},
		{trust(`"*"`, `{"StringEquals":{"aws:PrincipalArn":"`+annsARN+`"}}`), ann, nil, true},
		{strings.Replace(trust(`"*"`, ""), `,"sts:TagSession"`, "", 1), ann, tagged, false},
		{strings.Replace(trust(`"*"`, ""), `,"sts:SetSourceIdentity"`, "", 1), ann, source, false},
		{strings.Replace(trust(`"*"`, ""), `"sts:AssumeRole",`, "", 1), ann, nil, false},
	} {
		in := assume(w.role(fmt.Sprint("r", i), c.trust, ""))
		if c.how != nil {
			c.how(in)
		}
		_, err := w.sts(c.who).AssumeRole(t.Context(), in)
		if (err == nil) != c.allowed || err != nil && !strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("%s: %v", c.trust, err)
		}
	}
}

func TestAcrossAccounts(t *testing.T) {
	w := newWorld(t, nil)
	arn := w.role("guest", trust(`"*"`, `{"StringEquals":{"sts:ExternalId":"deal"}}`), onlyRoles)
	other, root := w.newAccount("chemistry")
	first := w.account
	w.account, w.root = other, root
	bob, eve := w.user("bob", allowAssume), w.user("eve", "")
	deal := func(in *awssts.AssumeRoleInput) { in.ExternalId = aws.String("deal") }
	refused(w, w.sts(bob).AssumeRole, assume(arn), "AccessDenied")
	refused(w, w.sts(eve).AssumeRole, assume(arn, deal), "AccessDenied")
	session := do(w, w.sts(bob).AssumeRole, assume(arn, deal))
	w.sees(of(session.Credentials), false, true)
	if who := do(w, w.sts(of(session.Credentials)).GetCallerIdentity, &awssts.GetCallerIdentityInput{}); *who.Account != first {
		t.Errorf("%+v", who)
	}
}

func TestASecondFactorIsShownOnce(t *testing.T) {
	w := newWorld(t, nil)
	ann := w.user("ann", allowAll)
	serial := w.device("ann")
	arn := w.role("safe", trust(`{"AWS":"`+w.account+`"}`, `{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}`), allowAll)
	code := w.code()
	with := func(code string) func(*awssts.AssumeRoleInput) {
		return func(in *awssts.AssumeRoleInput) { in.SerialNumber, in.TokenCode = &serial, &code }
	}
	refused(w, w.sts(ann).AssumeRole, assume(arn), "AccessDenied")
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	refused(w, w.sts(ann).AssumeRole, assume(arn, with(wrong)), "AccessDenied")
	refused(w, w.sts(w.user("bob", allowAll)).AssumeRole, assume(arn, with(code)), "AccessDenied") // not his device
	session := of(do(w, w.sts(ann).AssumeRole, assume(arn, with(code))).Credentials)
	w.sees(session, true, true)
	refused(w, w.sts(ann).AssumeRole, assume(arn, with(code)), "AccessDenied") // the code was taken

	plain := of(do(w, w.sts(ann).GetSessionToken, &awssts.GetSessionTokenInput{}).Credentials)
	w.sees(plain, false, false) // manages no identities
	refused(w, w.sts(plain).AssumeRole, assume(arn), "AccessDenied")
	refused(w, w.sts(plain).GetSessionToken, &awssts.GetSessionTokenInput{}, "AccessDenied")
	refused(w, w.sts(plain).GetAccessKeyInfo, &awssts.GetAccessKeyInfoInput{AccessKeyId: &ann.id}, "AccessDenied")
	w.shift.Store(int64(30 * time.Second))
	code = w.code()
	strong := of(do(w, w.sts(ann).GetSessionToken, &awssts.GetSessionTokenInput{SerialNumber: &serial, TokenCode: &code, DurationSeconds: aws.Int32(900)}).Credentials)
	w.sees(strong, true, true)
	w.sees(of(do(w, w.sts(strong).AssumeRole, assume(arn)).Credentials), true, true)
	who := do(w, w.sts(strong).GetCallerIdentity, &awssts.GetCallerIdentityInput{})
	if *who.Arn != "arn:aws:iam::"+w.account+":user/ann" {
		t.Errorf("%+v", who)
	}
	w.shift.Store(int64(931 * time.Second))
	w.book.Rights().Drop("")
	refused(w, w.sts(strong).GetCallerIdentity, &awssts.GetCallerIdentityInput{}, "ExpiredToken")
}

func TestSessionsAreNarrowed(t *testing.T) {
	w := newWorld(t, nil)
	ann := w.user("ann", allowAssume)
	arn := w.role("web", trust(`{"AWS":"`+w.account+`"}`, ""), allowAll)
	iamRead := "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
	take := func(change func(*awssts.AssumeRoleInput)) *awssts.AssumeRoleOutput {
		return do(w, w.sts(ann).AssumeRole, assume(arn, change))
	}
	out := take(func(in *awssts.AssumeRoleInput) { in.Policy = aws.String(onlyRoles) })
	w.sees(of(out.Credentials), false, true)
	if out.PackedPolicySize == nil || *out.PackedPolicySize < 1 {
		t.Errorf("%v", out.PackedPolicySize)
	}
	w.sees(of(take(func(in *awssts.AssumeRoleInput) {
		in.PolicyArns = []types.PolicyDescriptorType{{Arn: &iamRead}}
	}).Credentials), true, true)
	local := do(w, w.iam(w.root).CreatePolicy, &awsiam.CreatePolicyInput{PolicyName: aws.String("roles"), PolicyDocument: aws.String(onlyRoles)}).Policy.Arn
	session := of(take(func(in *awssts.AssumeRoleInput) { in.PolicyArns = []types.PolicyDescriptorType{{Arn: local}} }).Credentials)
	w.sees(session, false, true)
	do(w, w.iam(w.root).DeletePolicy, &awsiam.DeletePolicyInput{PolicyArn: local})
	w.sees(session, false, false) // a policy that is gone gives nothing
	for _, c := range []struct {
		change func(*awssts.AssumeRoleInput)
		code   string
	}{
		{func(in *awssts.AssumeRoleInput) { in.Policy = aws.String("{}") }, "MalformedPolicyDocument"},
		{func(in *awssts.AssumeRoleInput) { in.PolicyArns = []types.PolicyDescriptorType{{Arn: local}} }, "NoSuchEntity"},
		{func(in *awssts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, "ValidationError"},
		{func(in *awssts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, "ValidationError"},
		{func(in *awssts.AssumeRoleInput) {
			in.Policy = aws.String(strings.Replace(onlyRoles, `"*"`, `"arn:aws:s3:::`+strings.Repeat("x", 2048)+`"`, 1))
		}, "PackedPolicyTooLarge"},
		{func(in *awssts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"none"} }, "InvalidParameterValue"},
	} {
		refused(w, w.sts(ann).AssumeRole, assume(arn, c.change), c.code)
	}
}

func TestAChainCarriesTagsAndLastsAnHour(t *testing.T) {
	w := newWorld(t, nil)
	ann := w.user("ann", allowAssume)
	byTag := strings.Replace(onlyRoles, `"Resource":"*"`, `"Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red","aws:SourceIdentity":"ann@site"}}`, 1)
	long := func(in *awsiam.CreateRoleInput) { in.MaxSessionDuration = aws.Int32(7200) }
	first := w.role("first", trust(`{"AWS":"`+w.account+`"}`, ""), allowAssume, long)
	second := w.role("second", trust(`{"AWS":"`+first+`"}`, ""), byTag, long, func(in *awsiam.CreateRoleInput) {
		in.Tags = []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("blue")}}
	})
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}, {Key: aws.String("desk"), Value: aws.String("3")}}
	one := do(w, w.sts(ann).AssumeRole, assume(first, func(in *awssts.AssumeRoleInput) {
		in.Tags, in.TransitiveTagKeys, in.SourceIdentity, in.DurationSeconds = tags, []string{"team"}, aws.String("ann@site"), aws.Int32(7200)
	}))
	k := of(one.Credentials)
	two := do(w, w.sts(k).AssumeRole, assume(second))
	w.sees(of(two.Credentials), false, true)
	if two.SourceIdentity == nil || *two.SourceIdentity != "ann@site" || two.Credentials.Expiration.Sub(time.Now()) > time.Hour {
		t.Errorf("%+v", two)
	}
	refused(w, w.sts(k).AssumeRole, assume(second, func(in *awssts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }), "ValidationError")
	refused(w, w.sts(k).AssumeRole, assume(second, func(in *awssts.AssumeRoleInput) { in.SourceIdentity = aws.String("eve") }), "AccessDenied")
	refused(w, w.sts(k).AssumeRole, assume(second, func(in *awssts.AssumeRoleInput) { in.Tags = tags[:1] }), "InvalidParameterValue")
	refused(w, w.sts(ann).AssumeRole, assume(second), "AccessDenied")
	// Without the tag that came down, the tag of the role itself counts: blue.
	plain := of(do(w, w.sts(ann).AssumeRole, assume(first)).Credentials)
	w.sees(of(do(w, w.sts(plain).AssumeRole, assume(second)).Credentials), false, false)
}

func TestFederatedUsers(t *testing.T) {
	w := newWorld(t, nil)
	const s3 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","sts:*","iam:*"],"Resource":"*"}]}`
	ann := w.user("ann", allowAll)
	out := do(w, w.sts(ann).GetFederationToken, &awssts.GetFederationTokenInput{Name: aws.String("guest"), Policy: aws.String(s3)})
	if *out.FederatedUser.Arn != "arn:aws:sts::"+w.account+":federated-user/guest" || *out.FederatedUser.FederatedUserId != w.account+":guest" {
		t.Errorf("%+v", out.FederatedUser)
	}
	guest := of(out.Credentials)
	if who := do(w, w.sts(guest).GetCallerIdentity, &awssts.GetCallerIdentityInput{}); *who.Arn != *out.FederatedUser.Arn || *who.UserId != w.account+":guest" {
		t.Errorf("%+v", who)
	}
	w.sees(guest, false, false)
	refused(w, w.sts(guest).GetFederationToken, &awssts.GetFederationTokenInput{Name: aws.String("more")}, "AccessDenied")
	open := w.role("open", trust(`{"AWS":"`+w.account+`"}`, ""), allowAll)
	refused(w, w.sts(guest).AssumeRole, assume(open), "AccessDenied")
	trusting := w.role("trusting", trust(`{"AWS":"`+*out.FederatedUser.Arn+`"}`, ""), allowAll)
	refused(w, w.sts(guest).AssumeRole, assume(trusting), "AccessDenied")
	refused(w, w.sts(w.user("bob", "")).GetFederationToken, &awssts.GetFederationTokenInput{Name: aws.String("guest")}, "AccessDenied")
	root := do(w, w.sts(w.root).GetFederationToken, &awssts.GetFederationTokenInput{Name: aws.String("guest"), DurationSeconds: aws.Int32(7200)})
	if time.Until(*root.Credentials.Expiration) > time.Hour {
		t.Error("root's federated user has more than an hour")
	}
	do(w, w.sts(of(root.Credentials)).GetCallerIdentity, &awssts.GetCallerIdentityInput{})
}

// Each of these ends or changes a session at once.
func TestHowSessionsEnd(t *testing.T) {
	w := newWorld(t, nil)
	ann := w.user("ann", allowAll)
	root := w.iam(w.root)
	arn := w.role("web", trust(`{"AWS":"`+w.account+`"}`, ""), allowAll)
	session := of(do(w, w.sts(ann).AssumeRole, assume(arn)).Credentials)
	own := of(do(w, w.sts(ann).GetSessionToken, &awssts.GetSessionTokenInput{}).Credentials)
	w.sees(session, true, true)

	old := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"` +
		time.Now().Add(time.Minute).UTC().Format(time.RFC3339) + `"}}}]}`
	do(w, root.PutRolePolicy, &awsiam.PutRolePolicyInput{RoleName: aws.String("web"), PolicyName: aws.String("revoke"), PolicyDocument: &old})
	w.sees(session, false, false)
	do(w, root.DeleteRolePolicy, &awsiam.DeleteRolePolicyInput{RoleName: aws.String("web"), PolicyName: aws.String("revoke")})
	w.sees(session, true, true)

	do(w, root.DeleteRolePolicy, &awsiam.DeleteRolePolicyInput{RoleName: aws.String("web"), PolicyName: aws.String("own")})
	w.sees(session, false, false)
	do(w, root.DeleteRole, &awsiam.DeleteRoleInput{RoleName: aws.String("web")})
	refused(w, w.sts(session).GetCallerIdentity, &awssts.GetCallerIdentityInput{}, "InvalidClientTokenId")
	w.role("web", trust(`{"AWS":"`+w.account+`"}`, ""), allowAll) // another one of the same name
	refused(w, w.sts(session).GetCallerIdentity, &awssts.GetCallerIdentityInput{}, "InvalidClientTokenId")

	do(w, w.sts(own).GetCallerIdentity, &awssts.GetCallerIdentityInput{})
	if err := w.book.Suspend(t.Context(), w.account); err != nil {
		t.Fatal(err)
	}
	refused(w, w.sts(own).GetCallerIdentity, &awssts.GetCallerIdentityInput{}, "InvalidClientTokenId")
	if err := w.book.Resume(t.Context(), w.account); err != nil {
		t.Fatal(err)
	}
	do(w, w.sts(own).GetCallerIdentity, &awssts.GetCallerIdentityInput{})
	do(w, root.DeleteUserPolicy, &awsiam.DeleteUserPolicyInput{UserName: aws.String("ann"), PolicyName: aws.String("own")})
	do(w, root.DeleteAccessKey, &awsiam.DeleteAccessKeyInput{UserName: aws.String("ann"), AccessKeyId: &ann.id})
	do(w, root.DeleteUser, &awsiam.DeleteUserInput{UserName: aws.String("ann")})
	refused(w, w.sts(own).GetCallerIdentity, &awssts.GetCallerIdentityInput{}, "InvalidClientTokenId")
}

func TestWhenARoleWasLastUsed(t *testing.T) {
	w := newWorld(t, nil)
	arn := w.role("web", trust(`"*"`, ""), allowAll)
	at := time.Now().UTC().Truncate(time.Second)
	if err := w.book.Store.InTx(t.Context(), func(tx *store.Tx) error { return tx.RoleUsed(arn, region, at) }); err != nil {
		t.Fatal(err)
	}
	if err := w.book.Store.InTx(t.Context(), func(tx *store.Tx) error { return tx.RoleUsed(arn+"x", region, at) }); err != nil {
		t.Error(err)
	}
	r := do(w, w.iam(w.root).GetRole, &awsiam.GetRoleInput{RoleName: aws.String("web")}).Role
	if r.RoleLastUsed == nil || !r.RoleLastUsed.LastUsedDate.Equal(at) || *r.RoleLastUsed.Region != region {
		t.Errorf("%+v", r.RoleLastUsed)
	}
}

func TestOneCodeGivesOneSession(t *testing.T) {
	w := newWorld(t, nil)
	ann := w.user("ann", "")
	serial, code := w.device("ann"), w.code()
	client := w.sts(ann)
	given := make(chan bool)
	const callers = 8
	for range callers {
		go func() {
			_, err := client.GetSessionToken(t.Context(), &awssts.GetSessionTokenInput{SerialNumber: &serial, TokenCode: &code})
			given <- err == nil
		}()
	}
	n := 0
	for range callers {
		if <-given {
			n++
		}
	}
	if n != 1 {
		t.Errorf("one code gave %d sessions", n)
	}
}
