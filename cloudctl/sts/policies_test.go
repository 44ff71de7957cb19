package sts

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// A managed policy counts by its default version, at once, for whoever has it.
func TestAVersionOfAPolicyCountsAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	root, ann := w.iam(w.root), w.user("ann", "")
	arn := do(w, root.CreatePolicy, &awsiam.CreatePolicyInput{PolicyName: aws.String("see"), PolicyDocument: aws.String(onlyRoles)}).Policy.Arn
	do(w, root.AttachUserPolicy, &awsiam.AttachUserPolicyInput{UserName: aws.String("ann"), PolicyArn: arn})
	w.sees(ann, false, true)
	wide := strings.Replace(onlyRoles, "iam:ListRoles", "iam:List*", 1)
	do(w, root.CreatePolicyVersion, &awsiam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &wide})
	w.sees(ann, false, true)
	do(w, root.SetDefaultPolicyVersion, &awsiam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")})
	w.sees(ann, true, true)
	v := do(w, root.GetPolicyVersion, &awsiam.GetPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")}).PolicyVersion
	if text, err := url.QueryUnescape(*v.Document); err != nil || text != wide || !v.IsDefaultVersion {
		t.Errorf("%s %v", text, err)
	}
	do(w, root.DetachUserPolicy, &awsiam.DetachUserPolicyInput{UserName: aws.String("ann"), PolicyArn: arn})
	w.sees(ann, false, false)
	refused(w, w.iam(ann).CreatePolicyVersion, &awsiam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &wide}, "AccessDenied")

	// Nobody changes the policies of the cloud, and nobody sees those of others.
	admin := aws.String("arn:aws:iam::aws:policy/AdministratorAccess")
	refused(w, root.CreatePolicyVersion, &awsiam.CreatePolicyVersionInput{PolicyArn: admin, PolicyDocument: &wide}, "AccessDenied")
	refused(w, root.DeletePolicy, &awsiam.DeletePolicyInput{PolicyArn: admin}, "AccessDenied")
	do(w, root.GetPolicy, &awsiam.GetPolicyInput{PolicyArn: admin})
	_, other := w.newAccount("chemistry")
	refused(w, w.iam(other).GetPolicy, &awsiam.GetPolicyInput{PolicyArn: arn}, "AccessDenied")
	refused(w, w.iam(other).DeletePolicy, &awsiam.DeletePolicyInput{PolicyArn: arn}, "AccessDenied")
}

// A boundary bounds a role whatever its policies allow.
func TestARoleIsBounded(t *testing.T) {
	w := newWorld(t, nil)
	ann := w.user("ann", allowAssume)
	arn := w.role("web", trust(`{"AWS":"`+w.account+`"}`, ""), allowAll)
	session := of(do(w, w.sts(ann).AssumeRole, assume(arn)).Credentials)
	w.sees(session, true, true)
	bound := do(w, w.iam(w.root).CreatePolicy, &awsiam.CreatePolicyInput{PolicyName: aws.String("bound"), PolicyDocument: aws.String(onlyRoles)}).Policy.Arn
	do(w, w.iam(w.root).PutRolePermissionsBoundary, &awsiam.PutRolePermissionsBoundaryInput{RoleName: aws.String("web"), PermissionsBoundary: bound})
	w.sees(session, false, true)
	do(w, w.iam(w.root).DeleteRolePermissionsBoundary, &awsiam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String("web")})
	w.sees(session, true, true)
}

func TestTheWholeAccountComesInPages(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 3 {
		w.user(fmt.Sprint("user", i), onlyRoles)
		w.role(fmt.Sprint("role", i), trust(`"*"`, ""), allowAll)
		do(w, w.iam(w.root).CreatePolicy, &awsiam.CreatePolicyInput{PolicyName: aws.String(fmt.Sprint("policy", i)), PolicyDocument: aws.String(allowAll)})
	}
	do(w, w.iam(w.root).AttachRolePolicy, &awsiam.AttachRolePolicyInput{RoleName: aws.String("role1"), PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")})
	var names []string
	pages := awsiam.NewGetAccountAuthorizationDetailsPaginator(w.iam(w.root), &awsiam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		p, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := len(names)
		for _, x := range p.UserDetailList {
			names = append(names, *x.UserName)
			if len(x.UserPolicyList) != 1 {
				t.Errorf("%+v", x)
			}
		}
		for _, x := range p.RoleDetailList {
			names = append(names, *x.RoleName)
		}
		for _, x := range p.Policies {
			names = append(names, *x.PolicyName)
			if len(x.PolicyVersionList) != 1 {
				t.Errorf("%+v", x)
			}
		}
		if len(names)-n > 2 {
			t.Errorf("a page has %d things", len(names)-n)
		}
	}
	slices.Sort(names)
	if got, want := strings.Join(names, " "), "ReadOnlyAccess policy0 policy1 policy2 role0 role1 role2 user0 user1 user2"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var seen []string
	all := awsiam.NewListPoliciesPaginator(w.iam(w.root), &awsiam.ListPoliciesInput{MaxItems: aws.Int32(4), Scope: iamtypes.PolicyScopeTypeAll})
	for all.HasMorePages() {
		p, err := all.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range p.Policies {
			seen = append(seen, *x.PolicyName)
		}
	}
	if len(seen) < 20 || strings.Count(strings.Join(seen, " "), "policy1") != 1 {
		t.Errorf("%v", seen)
	}
}

// Who may make roles only within a boundary cannot reach beyond it.
func TestRolesAreMadeWithinABoundary(t *testing.T) {
	w := newWorld(t, nil)
	root := w.iam(w.root)
	bound := *do(w, root.CreatePolicy, &awsiam.CreatePolicyInput{PolicyName: aws.String("bound"), PolicyDocument: aws.String(onlyRoles)}).Policy.Arn
	ann := w.user("ann", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["iam:CreateRole","iam:AttachRolePolicy","iam:PutRolePolicy","iam:PutRolePermissionsBoundary"],"Resource":"*",
		 "Condition":{"StringEquals":{"iam:PermissionsBoundary":"`+bound+`"}}},
		{"Effect":"Allow","Action":"iam:TagRole","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"red"}}},
		{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`)
	c := w.iam(ann)
	newRole := func(name string, boundary *string, team string) *awsiam.CreateRoleInput {
		in := &awsiam.CreateRoleInput{RoleName: &name, PermissionsBoundary: boundary, AssumeRolePolicyDocument: aws.String(trust(`{"AWS":"`+w.account+`"}`, ""))}
		if team != "" {
			in.Tags = []iamtypes.Tag{{Key: aws.String("team"), Value: &team}}
		}
		return in
	}
	admin := aws.String("arn:aws:iam::aws:policy/AdministratorAccess")
	refused(w, c.CreateRole, newRole("free", nil, ""), "AccessDenied")
	refused(w, c.CreateRole, newRole("free", admin, ""), "AccessDenied")
	refused(w, c.CreateRole, newRole("blue", &bound, "blue"), "AccessDenied")
	do(w, c.CreateRole, newRole("red", &bound, "red"))
	arn := do(w, c.CreateRole, newRole("plain", &bound, "")).Role.Arn
	do(w, c.AttachRolePolicy, &awsiam.AttachRolePolicyInput{RoleName: aws.String("plain"), PolicyArn: admin})
	refused(w, c.PutRolePermissionsBoundary, &awsiam.PutRolePermissionsBoundaryInput{RoleName: aws.String("plain"), PermissionsBoundary: admin}, "AccessDenied")
	refused(w, c.DeleteRolePermissionsBoundary, &awsiam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String("plain")}, "AccessDenied")
	w.sees(of(do(w, w.sts(ann).AssumeRole, assume(*arn)).Credentials), false, true)
	w.role("unbound", trust(`"*"`, ""), "")
	refused(w, c.AttachRolePolicy, &awsiam.AttachRolePolicyInput{RoleName: aws.String("unbound"), PolicyArn: admin}, "AccessDenied")
}
