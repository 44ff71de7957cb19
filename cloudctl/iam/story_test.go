package iam_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"karri/shared/fault"
)

const look = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}`

func TestAUserFromTheFirstKeyToTheEnd(t *testing.T) {
	w := newWorld(t)
	ada := ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str("Ada"), Path: str("/physics/"), Tags: []types.Tag{{Key: str("team"), Value: str("lasers")}}}).User
	if *ada.Arn != "arn:aws:iam::"+w.account+":user/physics/Ada" || len(*ada.UserId) != 21 || !strings.HasPrefix(*ada.UserId, "AIDA") || len(ada.Tags) != 1 {
		t.Errorf("%+v", ada)
	}
	refused(w, "EntityAlreadyExists", w.root.CreateUser, &iam.CreateUserInput{UserName: str("ada")})
	refused(w, "NoSuchEntity", w.root.GetUser, &iam.GetUserInput{UserName: str("bob")})
	if got := ok(w, w.root.GetUser, &iam.GetUserInput{UserName: str("ADA")}).User; *got.UserName != "Ada" {
		t.Errorf("%+v", got)
	}
	if got := ok(w, w.root.GetUser, &iam.GetUserInput{}).User; *got.Arn != "arn:aws:iam::"+w.account+":root" {
		t.Errorf("%+v", got)
	}
	name := str("ada")
	key := ok(w, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: name}).AccessKey
	me := w.client(*key.AccessKeyId, *key.SecretAccessKey)
	if got := ok(w, me.GetUser, &iam.GetUserInput{}).User; *got.Arn != *ada.Arn {
		t.Errorf("the key stands for %+v", got)
	}
	second := ok(w, me.CreateAccessKey, &iam.CreateAccessKeyInput{}).AccessKey // her own
	refused(w, "LimitExceeded", w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: name})
	if got := ok(w, me.ListAccessKeys, &iam.ListAccessKeysInput{}).AccessKeyMetadata; len(got) != 2 || *got[0].UserName != "Ada" {
		t.Errorf("%+v", got)
	}
	ok(w, w.root.UpdateAccessKey, &iam.UpdateAccessKeyInput{UserName: name, AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive})
	refused(w, "InvalidClientTokenId", me.GetUser, &iam.GetUserInput{})
	ok(w, w.root.UpdateAccessKey, &iam.UpdateAccessKeyInput{UserName: name, AccessKeyId: key.AccessKeyId, Status: types.StatusTypeActive})
	ok(w, me.GetUser, &iam.GetUserInput{})
	refused(w, "NoSuchEntity", w.root.DeleteAccessKey, &iam.DeleteAccessKeyInput{AccessKeyId: key.AccessKeyId}) // it is not root's

	w.renamed(name, me)
	name = str("lovelace")

	w.emptied(name, key, second)
	ok(w, w.root.DeleteUser, &iam.DeleteUserInput{UserName: name})
	refused(w, "NoSuchEntity", w.root.DeleteUser, &iam.DeleteUserInput{UserName: name})
	refused(w, "InvalidClientTokenId", me.GetUser, &iam.GetUserInput{})
}

// renamed gives a user another name; the key stays good.
func (w *world) renamed(name *string, me *iam.Client) {
	w.Helper()
	ok(w, w.root.UpdateUser, &iam.UpdateUserInput{UserName: name, NewUserName: str("lovelace"), NewPath: str("/")})
	if got := ok(w, me.GetUser, &iam.GetUserInput{}).User; *got.Arn != "arn:aws:iam::"+w.account+":user/lovelace" {
		w.Errorf("%+v", got)
	}
	ok(w, w.root.UpdateUser, &iam.UpdateUserInput{UserName: str("lovelace"), NewUserName: str("Lovelace")}) // only its spelling
}

// emptied takes from a user what it holds; nothing goes while it holds something.
func (w *world) emptied(name *string, key, second *types.AccessKey) {
	w.Helper()
	ok(w, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: str("physicists")})
	for range 2 {
		ok(w, w.root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: str("physicists"), UserName: name})
	}
	ok(w, w.root.PutUserPolicy, &iam.PutUserPolicyInput{UserName: name, PolicyName: str("look"), PolicyDocument: str(look)})
	ok(w, w.root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: str("arn:aws:iam::aws:policy/ReadOnlyAccess")})
	ok(w, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: name, Password: str("Engine-1843")})
	for _, free := range []func(){
		func() {
			ok(w, w.root.DeleteAccessKey, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: key.AccessKeyId})
		},
		func() {
			ok(w, w.root.DeleteAccessKey, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: second.AccessKeyId})
		},
		func() {
			ok(w, w.root.RemoveUserFromGroup, &iam.RemoveUserFromGroupInput{GroupName: str("physicists"), UserName: name})
		},
		func() {
			ok(w, w.root.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: name, PolicyName: str("look")})
		},
		func() {
			ok(w, w.root.DetachUserPolicy, &iam.DetachUserPolicyInput{UserName: name, PolicyArn: str("arn:aws:iam::aws:policy/ReadOnlyAccess")})
		},
		func() { ok(w, w.root.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: name}) },
	} {
		refused(w, "DeleteConflict", w.root.DeleteUser, &iam.DeleteUserInput{UserName: name})
		free()
	}
}

func TestAnotherAccountSeesNothing(t *testing.T) {
	w := newWorld(t)
	_, other := w.newAccount("chemistry")
	ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str("ada")})
	key := ok(w, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: str("ada")}).AccessKey
	device := ok(w, w.root.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: str("ada")}).VirtualMFADevice
	refused(w, "NoSuchEntity", other.GetUser, &iam.GetUserInput{UserName: str("ada")})
	refused(w, "NoSuchEntity", other.DeleteVirtualMFADevice, &iam.DeleteVirtualMFADeviceInput{SerialNumber: device.SerialNumber})
	refused(w, "NoSuchEntity", other.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKeyId})
	refused(w, "NoSuchEntity", other.DeleteAccessKey, &iam.DeleteAccessKeyInput{AccessKeyId: key.AccessKeyId})
	if got := ok(w, other.ListUsers, &iam.ListUsersInput{}).Users; len(got) != 0 {
		t.Errorf("%+v", got)
	}
	ok(w, other.CreateUser, &iam.CreateUserInput{UserName: str("ada")})
}

func TestListsComeInPages(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		path := "/"
		if i%2 == 1 {
			path = "/odd/"
		}
		ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str(fmt.Sprintf("user%d", i)), Path: &path})
	}
	two := int32(2)
	var got []string
	p := iam.NewListUsersPaginator(w.root, &iam.ListUsersInput{MaxItems: &two})
	for n := 0; p.HasMorePages(); n++ {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == 1 { // what goes and comes between two pages neither repeats nor hides others
			ok(w, w.root.DeleteUser, &iam.DeleteUserInput{UserName: str("user3")})
			ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str("user00")})
		}
		for _, u := range page.Users {
			got = append(got, *u.UserName)
		}
	}
	if want := []string{"user0", "user1", "user2", "user3", "user4", "user5", "user6"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if odd := ok(w, w.root.ListUsers, &iam.ListUsersInput{PathPrefix: str("/odd/")}); len(odd.Users) != 2 || odd.IsTruncated {
		t.Errorf("%+v", odd.Users)
	}
	refused(w, "ValidationError", w.root.ListUsers, &iam.ListUsersInput{Marker: str("bogus")})
	refused(w, "ValidationError", w.root.ListUsers, &iam.ListUsersInput{PathPrefix: str("odd")})
	var tags []types.Tag
	for i := range 5 {
		tags = append(tags, types.Tag{Key: str(strings.Repeat("ß", 100) + fmt.Sprint(i)), Value: str("x")})
	}
	ok(w, w.root.TagUser, &iam.TagUserInput{UserName: str("user1"), Tags: tags})
	seen := 0
	for p := iam.NewListUserTagsPaginator(w.root, &iam.ListUserTagsInput{UserName: str("user1"), MaxItems: &two}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen += len(page.Tags)
	}
	if seen != 5 {
		t.Errorf("%d tags", seen)
	}
}

func TestGroupsAndTheirPolicies(t *testing.T) {
	w := newWorld(t)
	g := str("physicists")
	ok(w, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: g, Path: str("/a/b/")})
	refused(w, "EntityAlreadyExists", w.root.CreateGroup, &iam.CreateGroupInput{GroupName: str("PHYSICISTS")})
	ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str("ada")})
	refused(w, "NoSuchEntity", w.root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: g, UserName: str("bob")})
	ok(w, w.root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: g, UserName: str("ada")})
	if got := ok(w, w.root.GetGroup, &iam.GetGroupInput{GroupName: g}); len(got.Users) != 1 || *got.Group.Arn != "arn:aws:iam::"+w.account+":group/a/b/physicists" {
		t.Errorf("%+v", got)
	}
	ok(w, w.root.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: g, PolicyName: str("look"), PolicyDocument: str(look)})
	got := ok(w, w.root.GetGroupPolicy, &iam.GetGroupPolicyInput{GroupName: g, PolicyName: str("look")})
	if text, err := url.PathUnescape(*got.PolicyDocument); err != nil || text != look || strings.ContainsAny(*got.PolicyDocument, " {\"+") {
		t.Errorf("%s", *got.PolicyDocument)
	}
	refused(w, "MalformedPolicyDocument", w.root.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: g, PolicyName: str("x"), PolicyDocument: str(`{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps"}]}`)})
	long := strings.Replace(look, "ec2:Describe*", "ec2:"+strings.Repeat("D", 5000), 1)
	refused(w, "LimitExceeded", w.root.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: g, PolicyName: str("x"), PolicyDocument: &long})
	ok(w, w.root.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: g, PolicyName: str("look"), PolicyDocument: str(look + strings.Repeat(" ", 6000))})
	for i := range 10 {
		for range 2 {
			ok(w, w.root.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: g, PolicyArn: str(fmt.Sprintf("arn:aws:iam::aws:policy/job/P%d", i))})
		}
	}
	refused(w, "LimitExceeded", w.root.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: g, PolicyArn: str("arn:aws:iam::aws:policy/P11")})
	refused(w, "NoSuchEntity", w.root.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: g, PolicyArn: str("arn:aws:iam::aws:policy/MissingOne")})
	refused(w, "NoSuchEntity", w.root.DetachGroupPolicy, &iam.DetachGroupPolicyInput{GroupName: g, PolicyArn: str("arn:aws:iam::aws:policy/P11")})
	for prefix, want := range map[string]int{"/": 10, "/job/": 10, "/else/": 0} {
		if got := ok(w, w.root.ListAttachedGroupPolicies, &iam.ListAttachedGroupPoliciesInput{GroupName: g, PathPrefix: &prefix}).AttachedPolicies; len(got) != want {
			t.Errorf("%s: %d", prefix, len(got))
		}
	}
	refused(w, "DeleteConflict", w.root.DeleteGroup, &iam.DeleteGroupInput{GroupName: g})
	for i := range 10 {
		ok(w, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: str(fmt.Sprintf("g%d", i))})
		if i < 9 {
			ok(w, w.root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: str(fmt.Sprintf("g%d", i)), UserName: str("ada")})
		}
	}
	refused(w, "LimitExceeded", w.root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: str("g9"), UserName: str("ada")})
	refused(w, "EntityAlreadyExists", w.root.UpdateGroup, &iam.UpdateGroupInput{GroupName: g, NewGroupName: str("G1")})
	ok(w, w.root.UpdateGroup, &iam.UpdateGroupInput{GroupName: g, NewGroupName: str("lasers"), NewPath: str("/")})
	groups := ok(w, w.root.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: str("ada")}).Groups
	if len(groups) != 10 || *groups[9].GroupName != "lasers" {
		t.Errorf("%d groups", len(groups))
	}
}

func TestAnAlias(t *testing.T) {
	w := newWorld(t)
	_, other := w.newAccount("chemistry")
	for _, bad := range []string{"-a-b", "a--b", "ABC", "abc-", "123456789012", "a_b"} {
		refused(w, "ValidationError", w.root.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: &bad})
	}
	ok(w, w.root.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: str("first")})
	ok(w, w.root.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: str("optics")})
	refused(w, "EntityAlreadyExists", other.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: str("optics")})
	refused(w, "EntityAlreadyExists", other.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: str("physics")}) // a name
	refused(w, "NoSuchEntity", w.root.DeleteAccountAlias, &iam.DeleteAccountAliasInput{AccountAlias: str("first")})
	if got := ok(w, w.root.ListAccountAliases, &iam.ListAccountAliasesInput{}).AccountAliases; !slices.Equal(got, []string{"optics"}) {
		t.Errorf("%v", got)
	}
	ok(w, w.root.DeleteAccountAlias, &iam.DeleteAccountAliasInput{AccountAlias: str("optics")})
	ok(w, other.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: str("optics")})
}

func TestNamesAreChecked(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ name, path, code string }{
		{"a b", "/", "ValidationError"}, {"ä", "/", "ValidationError"}, {"a/b", "/", "ValidationError"}, {strings.Repeat("a", 65), "/", "ValidationError"},
		{"a", "x/", "ValidationError"}, {"a", "/x", "ValidationError"}, {"a", "//", "ValidationError"}, {"a", "/a//b/", "ValidationError"}, {"a", "/a b/", "ValidationError"},
		{"a", "/" + strings.Repeat("p", 511) + "/", "ValidationError"},
	} {
		refused(w, c.code, w.root.CreateUser, &iam.CreateUserInput{UserName: &c.name, Path: &c.path})
		refused(w, c.code, w.root.CreateUser, &iam.CreateUserInput{UserName: &c.name, Path: &c.path, Tags: []types.Tag{{Key: str("k"), Value: str("v")}}})
	}
	for _, good := range []string{"a", "A+b=c,d.e@f-g_h", strings.Repeat("a", 64)} {
		ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: &good, Path: str("/a/!~/")})
		if good != "a" {
			ok(w, w.root.DeleteUser, &iam.DeleteUserInput{UserName: &good})
		}
	}
	tag := func(key, value string) *iam.TagUserInput {
		return &iam.TagUserInput{UserName: str("a"), Tags: []types.Tag{{Key: &key, Value: &value}}}
	}
	refused(w, "InvalidInput", w.root.TagUser, tag("aws:x", "y"))
	refused(w, "InvalidInput", w.root.TagUser, tag("AWS:x", "y"))
	refused(w, "ValidationError", w.root.TagUser, tag("a*", "y"))
	refused(w, "ValidationError", w.root.TagUser, tag("a", "y;"))
	refused(w, "InvalidInput", w.root.TagUser, &iam.TagUserInput{UserName: str("a"), Tags: []types.Tag{{Key: str("k"), Value: str("v")}, {Key: str("K"), Value: str("v")}}})
	ok(w, w.root.TagUser, tag("Team", ""))
	ok(w, w.root.TagUser, tag("team", "x"))
	if got := ok(w, w.root.ListUserTags, &iam.ListUserTagsInput{UserName: str("a")}).Tags; len(got) != 1 || *got[0].Value != "x" {
		t.Errorf("%+v", got)
	}
	var many []types.Tag
	for i := range 50 {
		many = append(many, types.Tag{Key: str(fmt.Sprint("k", i)), Value: str("")})
	}
	refused(w, "LimitExceeded", w.root.TagUser, &iam.TagUserInput{UserName: str("a"), Tags: many})
}

func TestEveryChangeIsAnnounced(t *testing.T) {
	w := newWorld(t)
	w.announced()
	for _, c := range []struct {
		subject string
		do      func()
	}{
		{"identity.user", func() { ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str("ada")}) }},
		{"identity.key", func() { ok(w, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: str("ada")}) }},
		{"identity.user", func() {
			ok(w, w.root.PutUserPolicy, &iam.PutUserPolicyInput{UserName: str("ada"), PolicyName: str("look"), PolicyDocument: str(look)})
		}},
		{"identity.group", func() { ok(w, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: str("g")}) }},
		{"identity.group", func() {
			ok(w, w.root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: str("g"), UserName: str("ada")})
		}},
		{"identity.user", func() {
			ok(w, w.root.PutUserPermissionsBoundary, &iam.PutUserPermissionsBoundaryInput{UserName: str("ada"), PermissionsBoundary: str("arn:aws:iam::aws:policy/ReadOnlyAccess")})
		}},
		{"identity.account", func() { ok(w, w.root.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: str("abc")}) }},
		{"identity.mfa", func() {
			ok(w, w.root.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: str("m")})
		}},
	} {
		c.do()
		if got := w.announced(); !slices.Equal(got, []string{c.subject}) {
			t.Errorf("%v, not %s", got, c.subject)
		}
	}
	refused(w, "EntityAlreadyExists", w.root.CreateUser, &iam.CreateUserInput{UserName: str("ada")})
	if got := w.announced(); len(got) != 0 {
		t.Errorf("a refusal announces %v", got)
	}
}

func TestAnAccountGoesWithAllOfItsIAM(t *testing.T) {
	w := newWorld(t)
	ok(w, w.root.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: str("optics")})
	ok(w, w.root.CreateUser, &iam.CreateUserInput{UserName: str("ada")})
	key := ok(w, w.root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: str("ada")}).AccessKey
	me := w.client(*key.AccessKeyId, *key.SecretAccessKey)
	ok(w, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: str("g")})
	ok(w, w.root.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: str("g"), UserName: str("ada")})
	ok(w, w.root.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: str("g"), PolicyName: str("look"), PolicyDocument: str(look)})
	ok(w, w.root.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: str("ada"), PolicyArn: str("arn:aws:iam::aws:policy/ReadOnlyAccess")})
	ok(w, w.root.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: str("ada"), Password: str("Engine-1843")})
	ok(w, w.root.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: str("ada")})
	body, private := certificate(t, "www", w.api.Clock().Add(24*time.Hour))
	ok(w, w.root.UploadServerCertificate, &iam.UploadServerCertificateInput{ServerCertificateName: str("www"), CertificateBody: &body, PrivateKey: &private})
	ok(w, w.root.UploadSigningCertificate, &iam.UploadSigningCertificateInput{UserName: str("ada"), CertificateBody: &body})

	if _, _, err := w.book.Create(t.Context(), "optics"); fault.CodeOf(err) != "EntityAlreadyExists" {
		t.Errorf("an account takes the alias of another for its name: %v", err)
	}
	if err := w.book.Suspend(t.Context(), "optics"); err != nil {
		t.Fatal(err)
	}
	refused(w, "InvalidClientTokenId", me.GetUser, &iam.GetUserInput{})
	refused(w, "InvalidClientTokenId", w.root.GetUser, &iam.GetUserInput{})
	if err := w.book.Resume(t.Context(), "physics"); err != nil {
		t.Fatal(err)
	}
	ok(w, me.GetUser, &iam.GetUserInput{})
	if _, err := w.book.RotateKey(t.Context(), w.account); err != nil {
		t.Fatal(err)
	}
	refused(w, "InvalidClientTokenId", w.root.GetUser, &iam.GetUserInput{})
	ok(w, me.GetUser, &iam.GetUserInput{}) // the keys of users are their own
	if err := w.book.Delete(t.Context(), "optics"); err != nil {
		t.Fatal(err)
	}
	refused(w, "InvalidClientTokenId", me.GetUser, &iam.GetUserInput{})
	if _, root := w.newAccount("optics"); len(ok(w, root.ListUsers, &iam.ListUsersInput{}).Users) != 0 {
		t.Error("users outlive their account")
	}
}

func TestASidHasLettersAndDigitsOnly(t *testing.T) {
	w := newWorld(t)
	doc := func(sid string) *string {
		return str(`{"Version":"2012-10-17","Statement":[{"Sid":"` + sid + `","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`)
	}
	refused(w, "MalformedPolicyDocument", w.root.CreatePolicy, &iam.CreatePolicyInput{PolicyName: str("p"), PolicyDocument: doc("let me in")})
	ok(w, w.root.CreatePolicy, &iam.CreatePolicyInput{PolicyName: str("p"), PolicyDocument: doc("LetMeIn2")})
	ok(w, w.root.CreatePolicy, &iam.CreatePolicyInput{PolicyName: str("q"), PolicyDocument: doc("")})
	refused(w, "MalformedPolicyDocument", w.root.CreateRole, &iam.CreateRoleInput{RoleName: str("r"), AssumeRolePolicyDocument: str(
		`{"Statement":[{"Sid":"a b","Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
}

func TestAToolThatReadsTagsReadsThoseOfTheCloudsPoliciesToo(t *testing.T) {
	w := newWorld(t)
	out := ok(w, w.root.ListPolicyTags, &iam.ListPolicyTagsInput{PolicyArn: str("arn:aws:iam::aws:policy/ReadOnlyAccess")})
	if len(out.Tags) != 0 || out.IsTruncated {
		t.Errorf("%+v", out)
	}
	refused(w, "NoSuchEntity", w.root.ListPolicyTags, &iam.ListPolicyTagsInput{PolicyArn: str("arn:aws:iam::" + w.account + ":policy/none")})
}

// The vendor's client tells a simulation on all resources from one on some.
func TestASimulationIsReadByTheVendorsClient(t *testing.T) {
	w := newWorld(t)
	in := &iam.SimulateCustomPolicyInput{
		PolicyInputList: []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`}, ActionNames: []string{"s3:GetObject"},
	}
	if r := ok(w, w.root.SimulateCustomPolicy, in).EvaluationResults[0]; r.EvalDecisionDetails != nil || len(r.ResourceSpecificResults) != 0 || r.EvalDecision != "allowed" {
		t.Errorf("%+v", r)
	}
	in.ResourceArns = []string{"arn:aws:s3:::pond/k"}
	if r := ok(w, w.root.SimulateCustomPolicy, in).EvaluationResults[0]; r.EvalDecisionDetails == nil || len(r.ResourceSpecificResults) != 1 || *r.EvalResourceName != in.ResourceArns[0] {
		t.Errorf("%+v", r)
	}
}
