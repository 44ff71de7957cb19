package rights

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/identity"
	"karri/shared/sign"
)

func (w *world) of(key string) *Credential {
	w.Helper()
	c, err := w.cache.Of(w.Context(), key, "")
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// ask says whether the key may, and the error when not.
func (w *world) ask(key, permission string, on ...action.Resource) error {
	w.Helper()
	r := w.of(key).Rights
	service, _, _ := strings.Cut(permission, ":")
	if on == nil {
		on = []action.Resource{{ARN: "*", Owner: acct}}
	}
	return (&Policy{Vault: w.vault}).Allow(w.Context(), &action.Ask{
		Who:     action.Caller{Account: r.Identity.Account, ARN: r.Identity.ARN, UserID: r.Identity.ID, Rights: r},
		Service: service, Permission: permission, On: on, Facts: action.Facts{SourceIP: "192.0.2.7", At: w.now, Region: "us-east-1"},
	})
}

func TestAUserHasWhatItsGroupsAndAttachmentsGive(t *testing.T) {
	w := newWorld(t)
	key := w.user("ann")
	w.put(
		&store.UserGroup{ID: "AGPA1", Account: acct, Name: "ops", Folded: "ops", Path: "/", Created: w.now},
		&store.Member{User: "AIDAann", UserGroup: "AGPA1", Account: acct},
		w.inline("AIDAann", "mine", allow("ec2:RunInstances")),
		w.inline("AGPA1", "ours", allow("ec2:StopInstances")),
		&store.ManagedPolicy{ID: "ANPA1", Account: acct, Name: "m", Folded: "m", Path: "/", ARN: "arn:aws:iam::" + acct + ":policy/m", DefaultVersion: 2, LastVersion: 3, Tags: store.Labels{}, Created: w.now, Updated: w.now},
		&store.PolicyVersion{Policy: "ANPA1", Number: 1, Account: acct, Document: allow("iam:*"), Created: w.now},
		&store.PolicyVersion{Policy: "ANPA1", Number: 2, Account: acct, Document: allow("sts:AssumeRole"), Created: w.now},
		&store.PolicyAttachment{Holder: "AGPA1", Policy: "arn:aws:iam::" + acct + ":policy/m", Account: acct, Created: w.now},
		&store.PolicyAttachment{Holder: "AIDAann", Policy: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", Account: acct, Created: w.now},
		w.inline(acct, "laid", deny("ec2:StopInstances")),
	)
	for permission, want := range map[string]bool{
		"ec2:RunInstances": true, "ec2:StopInstances": false, "sts:AssumeRole": true, "s3:GetObject": true, "iam:CreateUser": false, "s3:PutObject": false,
	} {
		if err := w.ask(key, permission); (err == nil) != want {
			t.Errorf("%s: %v", permission, err)
		}
	}
	i := w.of(key).Rights.Identity
	names := []string{}
	for _, d := range i.Policies {
		names = append(names, d.Name)
	}
	if !slices.Equal(names, []string{"mine", "AmazonS3ReadOnlyAccess", "ours", "m"}) || len(i.Limits) != 1 {
		t.Error(names, i.Limits)
	}
}

// TestAPolicyThatIsLostDoesNotMakeTheKeyUnknown: it could have been one that denies.
func TestAPolicyThatIsLostDoesNotMakeTheKeyUnknown(t *testing.T) {
	w := newWorld(t)
	key := w.user("ann")
	w.put(&store.PolicyAttachment{Holder: "AIDAann", Policy: "arn:aws:iam::" + acct + ":policy/gone", Account: acct, Created: w.now})
	if _, err := w.cache.Of(t.Context(), key, ""); fault.KindOf(err) != fault.Broken {
		t.Errorf("got %v", err)
	}
	if _, err := w.cache.Of(t.Context(), "AKIANOBODY", ""); fault.KindOf(err) != fault.Missing {
		t.Errorf("got %v", err)
	}
}

func TestABoundaryNarrowsAndAMissingOneCloses(t *testing.T) {
	w := newWorld(t)
	key := w.user("ann")
	w.put(w.inline("AIDAann", "all", allow("*")))
	u := &store.User{ID: "AIDAann", Account: acct, Name: "ann", Folded: "ann", Path: "/", Tags: store.Labels{}, Created: w.now, Boundary: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}
	w.change(acct, u)
	if err := w.ask(key, "s3:GetObject"); err != nil {
		t.Error(err)
	}
	err := w.ask(key, "iam:CreateUser")
	if err == nil || fault.CodeOf(err) != "AccessDenied" || !strings.Contains(err.Error(), "because no permissions boundary allows the iam:CreateUser action") {
		t.Error(err)
	}
	u.Boundary = "arn:aws:iam::" + acct + ":policy/none"
	w.change(acct, u)
	if err := w.ask(key, "s3:GetObject"); err == nil {
		t.Error("without its boundary the user may all")
	}
}

func TestAChangeCountsWithTheNextRequestAndNothingElseIsRead(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.user("ann"), w.user("bob")
	if err := w.ask(ann, "s3:GetObject"); err == nil {
		t.Error("allowed without a policy")
	}
	w.change(acct, w.inline("AIDAann", "p", allow("s3:*")))
	if err := w.ask(ann, "s3:GetObject"); err != nil {
		t.Error(err)
	}
	w.of(bob)
	before := w.store.Views()
	for range 100 {
		if err := w.ask(ann, "s3:GetObject"); err != nil {
			t.Fatal(err)
		}
		w.of(bob).Signing("20261121", "us-east-1", "s3")
	}
	if n := w.store.Views() - before; n != 0 {
		t.Errorf("the database was read %d times on the warm path", n)
	}
	w.change("999999999999")
	if w.of(ann); w.store.Views() != before {
		t.Error("what another account changed was forgotten here")
	}
	w.change(acct, &store.AccessKey{ID: ann, Account: acct, User: "AIDAann", Sealed: w.vault.Seal(ann, "x"), Active: false, Created: w.now})
	if got := w.of(ann).State; got == sign.Active {
		t.Error("a disabled key is still good")
	}
	w.put(w.inline("AIDAbob", "p", allow("s3:*"))) // by a process that nothing was heard of
	w.now = w.now.Add(defaultAge)
	if err := w.ask(bob, "s3:GetObject"); err != nil {
		t.Error("an old entry is served")
	}
}

func TestWhatWasReadBeforeADropIsNotKept(t *testing.T) {
	w := newWorld(t)
	w.user("ann")
	found, err := w.cache.resolve(t.Context(), "AKIAann", "")
	if err != nil {
		t.Fatal(err)
	}
	drops := w.cache.drops.Load()
	w.change(acct, w.inline("AIDAann", "p", allow("s3:*")))
	if _, err := w.cache.keep("AKIAann", found, [32]byte{}, w.now, drops); err != nil {
		t.Fatal(err)
	}
	if err := w.ask("AKIAann", "s3:GetObject"); err != nil {
		t.Error("a reading from before the change is served:", err)
	}
}

func TestTheCacheIsBoundedAndSharesDocuments(t *testing.T) {
	w := newWorld(t)
	w.cache.entries = 10
	for n := range 30 {
		name := fmt.Sprintf("u%02d", n)
		w.user(name)
		w.put(w.inline("AIDA"+name, "same", allow("s3:*")), w.inline("AIDA"+name, "own", allow("s3:Get"+name)))
		w.of("AKIA" + name)
	}
	if n := len(w.cache.known); n != 10 {
		t.Errorf("%d entries", n)
	}
	if n := w.cache.shares.Len(); n != 11 {
		t.Errorf("%d documents: want 10 and the one that all have", n)
	}
	w.cache.bytes = 0
	w.of("AKIAu00")
	if len(w.cache.known) > 1 || w.cache.shares.Len() > 2 {
		t.Errorf("%d entries, %d documents over the bound in bytes", len(w.cache.known), w.cache.shares.Len())
	}
	w.cache.Drop("")
	if w.cache.shares.Len() != 0 || w.cache.shares.Spent() != 0 {
		t.Error("documents that nobody has are kept")
	}
}

type oneSession struct{ until time.Time }

func (s oneSession) Resolve(_ context.Context, accessKey, token string) (Resolved, error) {
	if accessKey != "ASIA1" || token != "token" {
		return Resolved{}, sign.TokenInvalid
	}
	return Resolved{
		Identity: &identity.Identity{Kind: identity.Role, Account: acct, ARN: "arn:aws:sts::" + acct + ":assumed-role/r/s", ID: "AROA:s", Expires: &s.until},
		Secret:   "s", State: sign.Active,
	}, nil
}

func TestASessionNeedsItsTokenAndEnds(t *testing.T) {
	w := newWorld(t)
	w.cache.Sessions = oneSession{w.now.Add(10 * time.Second)}
	get := func(token string) error { _, err := w.cache.Of(t.Context(), "ASIA1", token); return err }
	if err := get("token"); err != nil {
		t.Fatal(err)
	}
	if err := get("other"); fault.CodeOf(err) != "InvalidToken" {
		t.Error(err)
	}
	if err := get(""); fault.KindOf(err) != fault.Missing {
		t.Error(err)
	}
	w.now = w.now.Add(10 * time.Second)
	if err := get("token"); fault.CodeOf(err) != "ExpiredToken" {
		t.Error(err)
	}
}

func TestARefusalOfEC2CanBeDecoded(t *testing.T) {
	w := newWorld(t)
	key := w.user("ann")
	w.put(w.inline("AIDAann", "p", deny("ec2:TerminateInstances")))
	err := w.ask(key, "ec2:TerminateInstances", action.Resource{
		ARN: "arn:aws:ec2:us-east-1:" + acct + ":instance/i-1", Owner: acct, Tags: map[string]string{"team": "red"},
		Keys: map[string][]string{"ec2:InstanceType": {"t1.nano"}},
	})
	f := fault.Of(err)
	text, encoded, ok := strings.Cut(f.Text, " Encoded authorization failure message: ")
	if f.Code != "UnauthorizedOperation" || !ok || !strings.HasSuffix(text,
		"is not authorized to perform: ec2:TerminateInstances on resource: arn:aws:ec2:us-east-1:"+acct+":instance/i-1 with an explicit deny in an identity-based policy.") {
		t.Fatal(err)
	}
	said, err := Decode(w.vault, acct, encoded)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"allowed":false,"explicitDeny":true`, `"statementId":"No"`, `"effect":"DENY"`, `{"key":"ec2:InstanceType","values":{"items":[{"value":"t1.nano"}]}}`,
		`{"key":"aws:SourceIp","values":{"items":[{"value":"192.0.2.7"}]}}`, `{"key":"aws:ResourceTag/team"`, `"id":"AIDAann","name":"ann","arn":"arn:aws:iam::` + acct + `:user/ann"`,
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%s lacks %s", said, want)
		}
	}
	if _, err := Decode(w.vault, "999999999999", encoded); err == nil {
		t.Error("another account decodes it")
	}
	for _, bad := range []string{"", "x", encoded[1:], encoded[:20]} {
		if _, err := Decode(w.vault, acct, bad); fault.CodeOf(err) != "InvalidAuthorizationMessageException" {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

// refusal returns what sts:DecodeAuthorizationMessage tells of a refusal.
func (w *world) refusal(err error) (m struct {
	ExplicitDeny      bool
	MatchedStatements struct {
		Items []struct{ StatementID, Effect, SourcePolicyID, SourcePolicyType string }
	}
	Failures struct {
		Items []struct {
			StatementID, NoStatementAllows string
			UnmetCondition                 *struct {
				Operator, Key string
				Values        struct{ Items []struct{ Value string } }
			}
		}
	}
}) {
	w.Helper()
	_, encoded, _ := strings.Cut(fault.Of(err).Text, " Encoded authorization failure message: ")
	said, err := Decode(w.vault, acct, encoded)
	if err == nil {
		err = json.Unmarshal([]byte(said), &m)
	}
	if err != nil {
		w.Fatal(err)
	}
	return m
}

func TestADecodedRefusalTellsOfAllThatCountedAndOfWhatFailed(t *testing.T) {
	w := newWorld(t)
	key := w.user("ann")
	on := action.Resource{ARN: "arn:aws:ec2:us-east-1:" + acct + ":instance/i-1", Owner: acct}
	w.put(w.inline("AIDAann", "p", `{"Version":"2012-10-17","Statement":[
		{"Sid":"All","Effect":"Allow","Action":"ec2:*","Resource":"*"},{"Sid":"No","Effect":"Deny","Action":"ec2:Stop*","Resource":"*"},
		{"Sid":"NotAtNight","Effect":"Deny","Action":"ec2:*","Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":["night","dark"]}}},
		{"Sid":"Other","Effect":"Deny","Action":"s3:*","Resource":"*"}]}`))
	m := w.refusal(w.ask(key, "ec2:StopInstances", on))
	if got := fmt.Sprint(m.MatchedStatements.Items); !m.ExplicitDeny || got != "[{No DENY p IDENTITY} {All ALLOW p IDENTITY}]" {
		t.Errorf("%+v", m)
	}
	if f := m.Failures.Items; len(f) != 1 || f[0].StatementID != "NotAtNight" || f[0].UnmetCondition.Operator != "ForAnyValue:StringLike" ||
		f[0].UnmetCondition.Key != "aws:TagKeys" || len(f[0].UnmetCondition.Values.Items) != 2 {
		t.Errorf("%+v", f)
	}
	w.put(w.inline("AIDAann", "p", `{"Version":"2012-10-17","Statement":{"Sid":"Red","Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}}}}`))
	w.cache.Drop("")
	m = w.refusal(w.ask(key, "ec2:StopInstances", on))
	if f := m.Failures.Items; m.ExplicitDeny || len(m.MatchedStatements.Items) != 0 || len(f) != 2 || f[0].NoStatementAllows != "IDENTITY" || f[1].StatementID != "Red" {
		t.Errorf("%+v", m)
	}
}
