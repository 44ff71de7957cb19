package iam

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/managed"
	"karri/cloudctl/store"
	"karri/cloudctl/storetest"
	"karri/shared/action"
	"karri/shared/fault"
)

const (
	annsAccount = "111122223333"
	bobsAccount = "444455556666"
	allowAll    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	trustEC2    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
)

var ann, bob = rootOf(annsAccount), rootOf(bobsAccount)

func rootOf(account string) action.Caller {
	return action.Caller{Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account}
}

// scene returns an API over an empty database with two accounts.
func scene(t *testing.T) *API {
	t.Helper()
	s, v, _ := storetest.Open(t)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	if err := s.InTx(t.Context(), func(tx *store.Tx) error {
		for _, a := range []string{annsAccount, bobsAccount} {
			if err := tx.Add(&store.Account{ID: a, Name: a, State: store.AccountActive, Created: now}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return &API{Store: s, Vault: v, Clock: func() time.Time { now = now.Add(time.Second); return now }, Managed: managed.Policies{}}
}

// try runs an action and returns the code of its fault, "" when there is none.
func try[In, Out any](t *testing.T, api *API, who action.Caller, run func(context.Context, *API, action.Caller, *In) (*Out, error), in In) (*Out, string) {
	t.Helper()
	out, err := run(t.Context(), api, who, &in)
	if err == nil {
		return out, ""
	}
	if fault.KindOf(err) == fault.Broken {
		t.Error(err)
	}
	return out, fault.CodeOf(err)
}

// must runs an action that succeeds.
func must[In, Out any](t *testing.T, api *API, who action.Caller, run func(context.Context, *API, action.Caller, *In) (*Out, error), in In) *Out {
	t.Helper()
	out, err := run(t.Context(), api, who, &in)
	if err != nil {
		t.Fatalf("%+v: %v", in, err)
	}
	return out
}

// refused runs an action that must be refused with a code.
func refused[In, Out any](t *testing.T, api *API, who action.Caller, run func(context.Context, *API, action.Caller, *In) (*Out, error), in In, code string) {
	t.Helper()
	if _, got := try(t, api, who, run, in); got != code {
		t.Errorf("%+v: %q, want %q", in, got, code)
	}
}

func TestTheLifeOfAManagedPolicy(t *testing.T) {
	api := scene(t)
	p := must(t, api, ann, createPolicy, CreatePolicyInput{PolicyName: "look", Path: ptr("/a/"), PolicyDocument: allowAll, Description: ptr("d"), Tags: []Tag{{"k", "v"}}}).Policy
	if p.Arn != "arn:aws:iam::111122223333:policy/a/look" || p.DefaultVersionId != "v1" || !strings.HasPrefix(p.PolicyId, "ANPA") {
		t.Errorf("%+v", p)
	}
	refused(t, api, ann, createPolicy, CreatePolicyInput{PolicyName: "LOOK", PolicyDocument: allowAll}, "EntityAlreadyExists")
	refused(t, api, ann, createPolicy, CreatePolicyInput{PolicyName: "x", PolicyDocument: "{"}, "MalformedPolicyDocument")
	refused(t, api, ann, createPolicy, CreatePolicyInput{PolicyName: "x", PolicyDocument: trustEC2}, "MalformedPolicyDocument")
	big := strings.Replace(allowAll, `"Resource":"*"`, `"Resource":"arn:aws:s3:::`+strings.Repeat("x", policyRoom)+`"`, 1)
	refused(t, api, ann, createPolicy, CreatePolicyInput{PolicyName: "x", PolicyDocument: big}, "LimitExceeded")
	must(t, api, bob, createPolicy, CreatePolicyInput{PolicyName: "look", Path: ptr("/a/"), PolicyDocument: allowAll})
	refused(t, api, bob, getPolicy, GetPolicyInput{PolicyArn: p.Arn}, "NoSuchEntity")
	for n := 2; n <= maxVersions; n++ {
		v := must(t, api, ann, createPolicyVersion, CreatePolicyVersionInput{PolicyArn: p.Arn, PolicyDocument: strings.Replace(allowAll, `"*"`, fmt.Sprintf(`"ec2:A%d"`, n), 1), SetAsDefault: ptr(n == 3)}).PolicyVersion
		if v.VersionId != versionID(n) || v.IsDefaultVersion != (n == 3) {
			t.Errorf("%+v", v)
		}
	}
	refused(t, api, ann, createPolicyVersion, CreatePolicyVersionInput{PolicyArn: p.Arn, PolicyDocument: allowAll}, "LimitExceeded")
	refused(t, api, ann, deletePolicyVersion, DeletePolicyVersionInput{p.Arn, "v3"}, "DeleteConflict")
	refused(t, api, ann, deletePolicyVersion, DeletePolicyVersionInput{p.Arn, "v9"}, "NoSuchEntity")
	refused(t, api, ann, deletePolicyVersion, DeletePolicyVersionInput{p.Arn, "3"}, "ValidationError")
	must(t, api, ann, deletePolicyVersion, DeletePolicyVersionInput{p.Arn, "v5"})
	if v := must(t, api, ann, createPolicyVersion, CreatePolicyVersionInput{PolicyArn: p.Arn, PolicyDocument: allowAll}).PolicyVersion; v.VersionId != "v6" {
		t.Errorf("a number comes again: %+v", v)
	}
	must(t, api, ann, setDefaultPolicyVersion, SetDefaultPolicyVersionInput{p.Arn, "v2"})
	if v := must(t, api, ann, getPolicyVersion, GetPolicyVersionInput{p.Arn, "v2"}).PolicyVersion; !strings.Contains(*v.Document, "%22ec2%3AA2%22") || !v.IsDefaultVersion {
		t.Errorf("%+v %s", v, *v.Document)
	}
	vs := must(t, api, ann, listPolicyVersions, ListPolicyVersionsInput{PolicyArn: p.Arn}).Versions
	if len(vs) != 5 || vs[0].VersionId != "v6" || vs[4].VersionId != "v1" || vs[0].Document != nil {
		t.Errorf("%+v", vs)
	}
	refused(t, api, ann, deletePolicy, DeletePolicyInput{p.Arn}, "DeleteConflict")
	for _, v := range []string{"v1", "v3", "v4", "v6"} {
		must(t, api, ann, deletePolicyVersion, DeletePolicyVersionInput{p.Arn, v})
	}
	must(t, api, ann, createRole, CreateRoleInput{RoleName: "r", AssumeRolePolicyDocument: trustEC2, PermissionsBoundary: &p.Arn})
	refused(t, api, ann, deletePolicy, DeletePolicyInput{p.Arn}, "DeleteConflict")
	must(t, api, ann, deleteRolePermissionsBoundary, DeleteRolePermissionsBoundaryInput{"r"})
	must(t, api, ann, attachRolePolicy, AttachRolePolicyInput{"r", p.Arn})
	refused(t, api, ann, deletePolicy, DeletePolicyInput{p.Arn}, "DeleteConflict")
	must(t, api, ann, detachRolePolicy, DetachRolePolicyInput{"r", p.Arn})
	must(t, api, ann, deletePolicy, DeletePolicyInput{p.Arn})
	refused(t, api, ann, getPolicy, GetPolicyInput{PolicyArn: p.Arn}, "NoSuchEntity")
	must(t, api, ann, createPolicy, CreatePolicyInput{PolicyName: "look", PolicyDocument: allowAll})
}

func TestPoliciesAreListedByScopeAndUse(t *testing.T) {
	api := scene(t)
	local := must(t, api, ann, createPolicy, CreatePolicyInput{PolicyName: "mine", Path: ptr("/a/"), PolicyDocument: allowAll}).Policy.Arn
	must(t, api, ann, createPolicy, CreatePolicyInput{PolicyName: "other", PolicyDocument: allowAll})
	const readOnly, admin = managed.Prefix + "ReadOnlyAccess", managed.Prefix + "AdministratorAccess"
	must(t, api, ann, createUser, CreateUserInput{UserName: "u", Path: ptr("/x/"), PermissionsBoundary: ptr(readOnly)})
	must(t, api, ann, createGroup, CreateGroupInput{GroupName: "g"})
	must(t, api, ann, createRole, CreateRoleInput{RoleName: "r", AssumeRolePolicyDocument: trustEC2})
	must(t, api, ann, attachUserPolicy, AttachUserPolicyInput{"u", local})
	must(t, api, ann, attachRolePolicy, AttachRolePolicyInput{"r", local})
	must(t, api, ann, attachRolePolicy, AttachRolePolicyInput{"r", admin})
	for _, c := range []struct {
		in   ListPoliciesInput
		want string
	}{
		{ListPoliciesInput{Scope: ptr("Local")}, "mine 2 0,other 0 0"},
		{ListPoliciesInput{Scope: ptr("Local"), PathPrefix: ptr("/a")}, "mine 2 0"},
		{ListPoliciesInput{OnlyAttached: ptr(true)}, "AdministratorAccess 1 0,mine 2 0"},
		{ListPoliciesInput{Scope: ptr("AWS"), OnlyAttached: ptr(true)}, "AdministratorAccess 1 0"},
		{ListPoliciesInput{PolicyUsageFilter: ptr("PermissionsBoundary")}, "ReadOnlyAccess 0 1"},
		{ListPoliciesInput{Scope: ptr("AWS"), PathPrefix: ptr("/service-role/")}, "AmazonEBSCSIDriverPolicy 0 0"},
	} {
		var got []string
		for _, p := range must(t, api, ann, listPolicies, c.in).Policies {
			got = append(got, fmt.Sprint(p.PolicyName, " ", p.AttachmentCount, " ", p.PermissionsBoundaryUsageCount))
		}
		if s := strings.Join(got, ","); s != c.want {
			t.Errorf("%+v: %s, want %s", c.in, s, c.want)
		}
	}
	if n := len(must(t, api, bob, listPolicies, ListPoliciesInput{}).Policies); n != len(managed.All()) {
		t.Errorf("another account sees %d policies", n)
	}
	seeEntities(t, api, local, readOnly)
	refused(t, api, bob, listEntitiesForPolicy, ListEntitiesForPolicyInput{PolicyArn: local}, "NoSuchEntity")
	refused(t, api, ann, deletePolicy, DeletePolicyInput{admin}, "AccessDenied")
	if p := must(t, api, ann, getPolicy, GetPolicyInput{admin}).Policy; p.AttachmentCount != 1 || p.Description == nil {
		t.Errorf("%+v", p)
	}
	refused(t, api, ann, getPolicyVersion, GetPolicyVersionInput{admin, "v2"}, "NoSuchEntity")
	must(t, api, ann, getPolicyVersion, GetPolicyVersionInput{admin, "v1"})
}

func seeEntities(t *testing.T, api *API, local, readOnly string) {
	t.Helper()
	for _, c := range []struct {
		in   ListEntitiesForPolicyInput
		want string
	}{
		{ListEntitiesForPolicyInput{PolicyArn: local}, "[] [u] [r]"},
		{ListEntitiesForPolicyInput{PolicyArn: local, EntityFilter: ptr("Role")}, "[] [] [r]"},
		{ListEntitiesForPolicyInput{PolicyArn: local, PathPrefix: ptr("/x/")}, "[] [u] []"},
		{ListEntitiesForPolicyInput{PolicyArn: readOnly}, "[] [] []"},
		{ListEntitiesForPolicyInput{PolicyArn: readOnly, PolicyUsageFilter: ptr("PermissionsBoundary")}, "[] [u] []"},
	} {
		out := must(t, api, ann, listEntitiesForPolicy, c.in)
		groups, users, roles := []string{}, []string{}, []string{}
		for _, g := range out.PolicyGroups {
			groups = append(groups, g.GroupName)
		}
		for _, u := range out.PolicyUsers {
			users = append(users, u.UserName)
		}
		for _, r := range out.PolicyRoles {
			roles = append(roles, r.RoleName)
		}
		if s := fmt.Sprint(groups, users, roles); s != c.want {
			t.Errorf("%+v: %s, want %s", c.in, s, c.want)
		}
	}
}

func TestTheLifeOfARole(t *testing.T) {
	api := scene(t)
	r := must(t, api, ann, createRole, CreateRoleInput{RoleName: "web", Path: ptr("/srv/"), AssumeRolePolicyDocument: trustEC2, Description: ptr("d"), MaxSessionDuration: ptr(7200), Tags: []Tag{{"k", "v"}}}).Role
	if r.Arn != "arn:aws:iam::111122223333:role/srv/web" || *r.MaxSessionDuration != 7200 || !strings.Contains(*r.AssumeRolePolicyDocument, "%22sts%3AAssumeRole%22") {
		t.Errorf("%+v", r)
	}
	refused(t, api, ann, createRole, CreateRoleInput{RoleName: "WEB", AssumeRolePolicyDocument: trustEC2}, "EntityAlreadyExists")
	refused(t, api, ann, createRole, CreateRoleInput{RoleName: "x", AssumeRolePolicyDocument: allowAll}, "MalformedPolicyDocument")
	refused(t, api, ann, createRole, CreateRoleInput{RoleName: "x y", AssumeRolePolicyDocument: trustEC2}, "ValidationError")
	refused(t, api, ann, createRole, CreateRoleInput{RoleName: "x", AssumeRolePolicyDocument: trustEC2, MaxSessionDuration: ptr(43201)}, "ValidationError")
	refused(t, api, ann, createRole, CreateRoleInput{RoleName: "x", AssumeRolePolicyDocument: trustEC2, PermissionsBoundary: ptr(managed.Prefix + "None")}, "NoSuchEntity")
	trust := func(principal string) string {
		return strings.Replace(trustEC2, `{"Service":"ec2.amazonaws.com"}`, principal, 1)
	}
	for principal, want := range map[string]string{
		`{"AWS":"444455556666"}`: "", `{"AWS":"arn:aws:iam::444455556666:root"}`: "", `"*"`: "", `{"AWS":"arn:aws:iam::111122223333:role/srv/web"}`: "",
		`{"AWS":"777788889999"}`: "MalformedPolicyDocument", `{"AWS":"arn:aws:iam::111122223333:user/none"}`: "MalformedPolicyDocument",
		`{"AWS":"arn:aws:iam::111122223333:role/web"}`: "MalformedPolicyDocument", `{"AWS":"arn:aws:iam::111122223333:group/g"}`: "MalformedPolicyDocument",
	} {
		refused(t, api, ann, updateAssumeRolePolicy, UpdateAssumeRolePolicyInput{"web", trust(principal)}, want)
	}
	many := strings.Replace(trustEC2, `"sts:AssumeRole"`, `["sts:AssumeRole"`+strings.Repeat(`,"sts:AssumeRole"`, 150)+"]", 1)
	refused(t, api, ann, updateAssumeRolePolicy, UpdateAssumeRolePolicyInput{"web", many}, "LimitExceeded")
	must(t, api, ann, updateRole, UpdateRoleInput{RoleName: "web", Description: ptr("e")})
	must(t, api, ann, putRolePolicy, PutRolePolicyInput{"web", "own", allowAll})
	must(t, api, ann, attachRolePolicy, AttachRolePolicyInput{"web", managed.Prefix + "ReadOnlyAccess"})
	must(t, api, ann, tagRole, TagRoleInput{"web", []Tag{{"K", "w"}}})
	must(t, api, ann, createInstanceProfile, CreateInstanceProfileInput{InstanceProfileName: "p"})
	must(t, api, ann, addRoleToInstanceProfile, AddRoleToInstanceProfileInput{"p", "web"})
	refused(t, api, ann, addRoleToInstanceProfile, AddRoleToInstanceProfileInput{"p", "web"}, "LimitExceeded")
	refused(t, api, ann, deleteInstanceProfile, DeleteInstanceProfileInput{"p"}, "DeleteConflict")
	got := must(t, api, ann, getRole, GetRoleInput{"web"}).Role
	if *got.Description != "e" || len(got.Tags) != 1 || got.Tags[0] != (Tag{"K", "w"}) || got.RoleLastUsed.LastUsedDate != nil {
		t.Errorf("%+v", got)
	}
	for _, undo := range []func(){
		func() {
			must(t, api, ann, removeRoleFromInstanceProfile, RemoveRoleFromInstanceProfileInput{"p", "web"})
		},
		func() {
			must(t, api, ann, detachRolePolicy, DetachRolePolicyInput{"web", managed.Prefix + "ReadOnlyAccess"})
		},
		func() { must(t, api, ann, deleteRolePolicy, DeleteRolePolicyInput{"web", "own"}) },
	} {
		refused(t, api, ann, deleteRole, DeleteRoleInput{"web"}, "DeleteConflict")
		undo()
	}
	must(t, api, ann, deleteRole, DeleteRoleInput{"web"})
	refused(t, api, ann, getRole, GetRoleInput{"web"}, "NoSuchEntity")
	must(t, api, ann, deleteInstanceProfile, DeleteInstanceProfileInput{"p"})
}

func TestProvidersOfWebIdentities(t *testing.T) {
	api := scene(t)
	arn := must(t, api, ann, createOpenIDConnectProvider, CreateOpenIDConnectProviderInput{Url: "https://login.example.com/a", ClientIDList: []string{"x", "x"}, ThumbprintList: []string{strings.Repeat("A", 40)}}).OpenIDConnectProviderArn
	if arn != "arn:aws:iam::111122223333:oidc-provider/login.example.com/a" {
		t.Error(arn)
	}
	refused(t, api, ann, createOpenIDConnectProvider, CreateOpenIDConnectProviderInput{Url: "https://login.example.com/a/"}, "EntityAlreadyExists")
	for _, bad := range []string{"http://a", "https://", "a", "https://a?b", "https://u@a", "https://a#b"} {
		refused(t, api, ann, createOpenIDConnectProvider, CreateOpenIDConnectProviderInput{Url: bad}, "InvalidInput")
	}
	must(t, api, ann, addClientIDToOpenIDConnectProvider, AddClientIDToOpenIDConnectProviderInput{arn, "y"})
	must(t, api, ann, removeClientIDFromOpenIDConnectProvider, RemoveClientIDFromOpenIDConnectProviderInput{arn, "x"})
	refused(t, api, ann, updateOpenIDConnectProviderThumbprint, UpdateOpenIDConnectProviderThumbprintInput{arn, []string{"zz"}}, "ValidationError")
	refused(t, api, bob, addClientIDToOpenIDConnectProvider, AddClientIDToOpenIDConnectProviderInput{arn, "y"}, "NoSuchEntity")
	p := must(t, api, ann, getOpenIDConnectProvider, GetOpenIDConnectProviderInput{arn})
	if p.Url != "login.example.com/a" || fmt.Sprint(p.ClientIDList, p.ThumbprintList) != "[y] ["+strings.Repeat("a", 40)+"]" {
		t.Errorf("%+v", p)
	}
	must(t, api, ann, deleteOpenIDConnectProvider, DeleteOpenIDConnectProviderInput{arn})
	if l := must(t, api, ann, listOpenIDConnectProviders, ListOpenIDConnectProvidersInput{}).OpenIDConnectProviderList; len(l) != 0 {
		t.Errorf("%+v", l)
	}
}

func TestTheWholeAccountIsShown(t *testing.T) {
	api := scene(t)
	must(t, api, ann, createUser, CreateUserInput{UserName: "u"})
	must(t, api, ann, putUserPolicy, PutUserPolicyInput{"u", "own", allowAll})
	must(t, api, ann, createGroup, CreateGroupInput{GroupName: "g"})
	must(t, api, ann, addUserToGroup, AddUserToGroupInput{UserName: "u", GroupName: "g"})
	must(t, api, ann, createRole, CreateRoleInput{RoleName: "r", AssumeRolePolicyDocument: trustEC2})
	must(t, api, ann, createInstanceProfile, CreateInstanceProfileInput{InstanceProfileName: "p"})
	must(t, api, ann, addRoleToInstanceProfile, AddRoleToInstanceProfileInput{"p", "r"})
	must(t, api, ann, attachRolePolicy, AttachRolePolicyInput{"r", managed.Prefix + "ReadOnlyAccess"})
	must(t, api, ann, createPolicy, CreatePolicyInput{PolicyName: "mine", PolicyDocument: allowAll})
	must(t, api, bob, createUser, CreateUserInput{UserName: "hidden"})
	out := must(t, api, ann, getAccountAuthorizationDetails, GetAccountAuthorizationDetailsInput{})
	if len(out.UserDetailList) != 1 || len(out.GroupDetailList) != 1 || len(out.RoleDetailList) != 1 || len(out.Policies) != 2 {
		t.Fatalf("%+v", out)
	}
	u, r := out.UserDetailList[0], out.RoleDetailList[0]
	if fmt.Sprint(u.GroupList) != "[g]" || len(u.UserPolicyList) != 1 || len(r.InstanceProfileList) != 1 || r.AttachedManagedPolicies[0].PolicyName != "ReadOnlyAccess" {
		t.Errorf("%+v %+v", u, r)
	}
	out = must(t, api, ann, getAccountAuthorizationDetails, GetAccountAuthorizationDetailsInput{Filter: []string{"LocalManagedPolicy"}})
	if len(out.UserDetailList)+len(out.RoleDetailList) != 0 || len(out.Policies) != 1 || len(out.Policies[0].PolicyVersionList) != 1 {
		t.Errorf("%+v", out)
	}
}
