package iam

import (
	"time"

	"karri/cloudctl/managed"
	"karri/cloudctl/store"
)

// PolicyDetail is an inline policy with its document, percent-encoded.
type PolicyDetail struct {
	PolicyName     string
	PolicyDocument string
}

// UserDetail is a user with all that decides what it may.
type UserDetail struct {
	Path                    string
	UserName                string
	UserId                  string
	Arn                     string
	CreateDate              time.Time
	UserPolicyList          []PolicyDetail
	GroupList               []string
	AttachedManagedPolicies []AttachedPolicy
	PermissionsBoundary     *AttachedPermissionsBoundary
	Tags                    []Tag
}

// GroupDetail is a group with its policies.
type GroupDetail struct {
	Path                    string
	GroupName               string
	GroupId                 string
	Arn                     string
	CreateDate              time.Time
	GroupPolicyList         []PolicyDetail
	AttachedManagedPolicies []AttachedPolicy
}

// RoleDetail is a role with all that decides who may take it and what it may.
type RoleDetail struct {
	Path                     string
	RoleName                 string
	RoleId                   string
	Arn                      string
	CreateDate               time.Time
	AssumeRolePolicyDocument string
	InstanceProfileList      []InstanceProfile
	RolePolicyList           []PolicyDetail
	AttachedManagedPolicies  []AttachedPolicy
	PermissionsBoundary      *AttachedPermissionsBoundary
	Tags                     []Tag
	RoleLastUsed             *RoleLastUsed
}

// ManagedPolicyDetail is a managed policy with its versions.
type ManagedPolicyDetail struct {
	PolicyName                    string
	PolicyId                      string
	Arn                           string
	Path                          string
	DefaultVersionId              string
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   *string
	CreateDate                    time.Time
	UpdateDate                    time.Time
	PolicyVersionList             []PolicyVersion
}

// rightsOf returns the inline and attached policies of a holder.
func rightsOf(tx *store.Tx, id string) ([]PolicyDetail, []AttachedPolicy, error) {
	inline, err := tx.InlinePolicies(id)
	if err != nil {
		return nil, nil, err
	}
	own := []PolicyDetail{}
	for _, p := range inline {
		own = append(own, PolicyDetail{p.Name, encodePolicy(p.Document)})
	}
	rows, err := tx.AttachedTo(id)
	attached := []AttachedPolicy{}
	for _, a := range rows {
		attached = append(attached, AttachedPolicy{PolicyName: nameOf(a.Policy), PolicyArn: a.Policy})
	}
	return own, attached, err
}

func userDetail(tx *store.Tx, u *store.User) (UserDetail, error) {
	d := UserDetail{
		Path: u.Path, UserName: u.Name, UserId: u.ID, Arn: u.ARN(), CreateDate: u.Created,
		GroupList: []string{}, PermissionsBoundary: boundary(u.Boundary), Tags: tagList(u.Tags),
	}
	groups, err := tx.GroupsOfUser(u.ID)
	if err != nil {
		return d, err
	}
	for _, g := range groups {
		d.GroupList = append(d.GroupList, g.Name)
	}
	d.UserPolicyList, d.AttachedManagedPolicies, err = rightsOf(tx, u.ID)
	return d, err
}

func groupDetail(tx *store.Tx, g *store.UserGroup) (d GroupDetail, err error) {
	d = GroupDetail{Path: g.Path, GroupName: g.Name, GroupId: g.ID, Arn: g.ARN(), CreateDate: g.Created}
	d.GroupPolicyList, d.AttachedManagedPolicies, err = rightsOf(tx, g.ID)
	return d, err
}

func roleDetail(tx *store.Tx, r *store.Role) (RoleDetail, error) {
	document, err := trust(tx, r)
	if err != nil {
		return RoleDetail{}, err
	}
	d := RoleDetail{
		Path: r.Path, RoleName: r.Name, RoleId: r.ID, Arn: r.ARN(), CreateDate: r.Created, AssumeRolePolicyDocument: document,
		InstanceProfileList: []InstanceProfile{}, PermissionsBoundary: boundary(r.Boundary), Tags: tagList(r.Tags), RoleLastUsed: lastUsed(r),
	}
	profiles, err := tx.InstanceProfilesOfRole(r.ID)
	if err != nil {
		return d, err
	}
	for _, p := range profiles {
		shown, err := showProfile(tx, &p)
		if err != nil {
			return d, err
		}
		d.InstanceProfileList = append(d.InstanceProfileList, shown)
	}
	d.RolePolicyList, d.AttachedManagedPolicies, err = rightsOf(tx, r.ID)
	return d, err
}

// policyDetail is a policy with its versions.
func policyDetail(p Policy, description string, versions []PolicyVersion) ManagedPolicyDetail {
	return ManagedPolicyDetail{
		PolicyName: p.PolicyName, PolicyId: p.PolicyId, Arn: p.Arn, Path: p.Path, DefaultVersionId: p.DefaultVersionId,
		AttachmentCount: p.AttachmentCount, PermissionsBoundaryUsageCount: p.PermissionsBoundaryUsageCount, IsAttachable: p.IsAttachable,
		Description: opt(description), CreateDate: p.CreateDate, UpdateDate: p.UpdateDate, PolicyVersionList: versions,
	}
}

func localDetail(tx *store.Tx, p *store.ManagedPolicy, use store.PolicyUse) (ManagedPolicyDetail, error) {
	rows, err := tx.PolicyVersions(p.ID)
	versions := []PolicyVersion{}
	for _, v := range rows {
		versions = append(versions, showVersion(p, &v))
	}
	return policyDetail(showPolicy(p, use), p.Description, versions), err
}

func cloudDetail(p *managed.Policy, use store.PolicyUse) ManagedPolicyDetail {
	return policyDetail(showManaged(p, use), p.Description, []PolicyVersion{managedVersion(p)})
}
