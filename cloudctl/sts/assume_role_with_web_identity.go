package sts

import (
	"context"
	"maps"
	"slices"
	"strings"

	"karri/cloudctl/federation"
	"karri/cloudctl/session"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/policy"
)

// AssumeRoleWithWebIdentityInput names a role, and says who asks by a token.
type AssumeRoleWithWebIdentityInput struct {
	RoleArn          string
	RoleSessionName  string
	WebIdentityToken string
	ProviderId       *string // not of OpenID Connect, so none is known
	Policy           *string
	PolicyArns       []PolicyDescriptorType
	DurationSeconds  *int // absent: an hour
}

// AssumeRoleWithWebIdentityOutput is the session.
type AssumeRoleWithWebIdentityOutput struct {
	Credentials                 *Credentials
	AssumedRoleUser             *AssumedRoleUser
	SubjectFromWebIdentityToken *string
	Audience                    *string
	Provider                    *string
	PackedPolicySize            *int
	SourceIdentity              *string
}

var _ = action.Add(Catalog, action.Def[*API, AssumeRoleWithWebIdentityInput, AssumeRoleWithWebIdentityOutput]{
	Name:     "AssumeRoleWithWebIdentity",
	Doc:      "Gives credentials for a time that may what a role may, to whom an OIDC provider vouches for; the token stands for the signature.",
	Example:  AssumeRoleWithWebIdentityInput{RoleArn: "arn:aws:iam::111122223333:role/web", RoleSessionName: "job-1", WebIdentityToken: "head.claims.signature"},
	Unsigned: true,
	On: func(_ context.Context, _ *API, _ action.Caller, in *AssumeRoleWithWebIdentityInput) ([]action.Resource, error) {
		owner, err := ownerOf(in.RoleArn)
		return []action.Resource{{ARN: in.RoleArn, Owner: owner, Public: true, Free: true}}, err
	},
	Run: assumeRoleWithWebIdentity,
})

// notAuthorized is the one answer to all whom a role does not trust, there or not.
var notAuthorized = fault.New(fault.Denied, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")

func assumeRoleWithWebIdentity(ctx context.Context, api *API, _ action.Caller, in *AssumeRoleWithWebIdentityInput) (*AssumeRoleWithWebIdentityOutput, error) {
	if in.ProviderId != nil {
		return nil, fault.New(fault.Invalid, "InvalidIdentityToken", "The provider %.100q is none of OpenID Connect.", *in.ProviderId)
	}
	role, provider, err := api.trusted(ctx, in)
	if err != nil {
		return nil, err
	}
	who, err := api.Issuers.Verify(ctx, provider, in.WebIdentityToken)
	if err != nil {
		return nil, err
	}
	if err := agrees(role, provider, who, in); err != nil {
		return nil, err
	}
	c := session.Claims{Name: in.RoleSessionName, Source: who.Source, Provider: provider.ARN}
	if c.Source != "" && !nameForm.MatchString(c.Source) {
		return nil, validation("The source identity %.100q of the token is invalid.", c.Source)
	}
	var tags []Tag
	for _, k := range slices.Sorted(maps.Keys(who.Tags)) {
		tags = append(tags, Tag{k, who.Tags[k]})
	}
	if err := label(&c, tags, who.Transitive); err != nil {
		return nil, err
	}
	out := &AssumeRoleWithWebIdentityOutput{
		AssumedRoleUser: assumed(role, in.RoleSessionName), SubjectFromWebIdentityToken: &who.Subject, Audience: &who.Audience,
		Provider: &provider.ARN, SourceIdentity: opt(who.Source),
	}
	out.Credentials, out.PackedPolicySize, err = api.take(ctx, role, &c, in.Policy, in.PolicyArns, in.DurationSeconds, role.MaxSession)
	return out, err
}

// trusted returns the role, and the provider of its account for the issuer of
// the token.
func (api *API) trusted(ctx context.Context, in *AssumeRoleWithWebIdentityInput) (*store.Role, *store.OIDCProvider, error) {
	name, err := federation.IssuerOf(in.WebIdentityToken)
	if err != nil {
		return nil, nil, err
	}
	role, err := api.role(ctx, in.RoleArn)
	if err != nil {
		return nil, nil, err
	}
	if role == nil {
		return nil, nil, notAuthorized
	}
	var provider *store.OIDCProvider
	err = api.Store.View(ctx, func(tx *store.Tx) (err error) {
		provider, err = tx.OIDCProvider(role.Account, "arn:aws:iam::"+role.Account+":oidc-provider/"+name)
		return err
	})
	if fault.KindOf(err) == fault.Missing && err != nil {
		return nil, nil, fault.New(fault.Invalid, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://%.200s", name)
	}
	return role, provider, err
}

// agrees refuses what the trust policy of the role does not allow to whom the
// token names.
func agrees(role *store.Role, p *store.OIDCProvider, who *federation.Identity, in *AssumeRoleWithWebIdentityInput) error {
	trust, err := trustOf(role)
	if err != nil {
		return err
	}
	prefix := strings.ToLower(p.URL) + ":"
	keys := map[string][]string{"sts:rolesessionname": {in.RoleSessionName}, "aws:federatedprovider": {p.ARN}}
	for name, values := range who.Claims {
		keys[prefix+strings.ToLower(name)] = values
	}
	keys[prefix+"aud"] = []string{who.Audience}
	if who.Source != "" {
		keys["sts:sourceidentity"] = []string{who.Source}
	}
	for k, v := range who.Tags {
		keys["aws:requesttag/"+strings.ToLower(k)] = []string{v}
		keys["aws:tagkeys"] = append(keys["aws:tagkeys"], k)
	}
	if len(who.Transitive) > 0 {
		keys["sts:transitivetagkeys"] = who.Transitive
	}
	acts := []string{"sts:AssumeRoleWithWebIdentity"}
	if len(who.Tags) > 0 {
		acts = append(acts, "sts:TagSession")
	}
	if who.Source != "" {
		acts = append(acts, "sts:SetSourceIdentity")
	}
	for _, act := range acts {
		r := &policy.Request{
			Principal: policy.Principal{Federated: p.ARN}, Action: act, Resource: in.RoleArn, Owner: role.Account,
			Keys: func(key string) []string { return keys[key] },
		}
		if !policy.Evaluate(r, &policy.Policies{Resource: trust}).Allowed {
			return notAuthorized
		}
	}
	return nil
}
