package sts

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"karri/cloudctl/session"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/identity"
	"karri/shared/policy"
)

// lifeOfChain is how long a session may last that a session of a role took.
const lifeOfChain = 3600

// AssumeRoleInput names a role, and describes the session.
type AssumeRoleInput struct {
	RoleArn           string
	RoleSessionName   string
	DurationSeconds   *int // absent: an hour
	ExternalId        *string
	Policy            *string
	PolicyArns        []PolicyDescriptorType
	Tags              []Tag
	TransitiveTagKeys []string
	SourceIdentity    *string
	SerialNumber      *string
	TokenCode         *string
}

// AssumeRoleOutput is the session.
type AssumeRoleOutput struct {
	Credentials      *Credentials
	AssumedRoleUser  *AssumedRoleUser
	PackedPolicySize *int
	SourceIdentity   *string
}

var _ = action.Add(Catalog, action.Def[*API, AssumeRoleInput, AssumeRoleOutput]{
	Name:    "AssumeRole",
	Doc:     "Gives credentials for a time that may what a role may, to whom the role trusts.",
	Example: AssumeRoleInput{RoleArn: "arn:aws:iam::111122223333:role/web", RoleSessionName: "ada"},
	On:      assumeRoleOn,
	Run:     assumeRole,
})

// assumeRoleOn returns the role with whom it trusts, once for each thing that
// the request does to it.
func assumeRoleOn(ctx context.Context, api *API, who action.Caller, in *AssumeRoleInput) ([]action.Resource, error) {
	shown, err := factor{in.SerialNumber, in.TokenCode}.look(ctx, api, who)
	if err != nil {
		return nil, err
	}
	r := action.Resource{ARN: in.RoleArn, Trust: true, Keys: map[string][]string{"sts:RoleSessionName": {in.RoleSessionName}}}
	if r.Owner, err = ownerOf(in.RoleArn); err != nil {
		return nil, err
	}
	if in.ExternalId != nil {
		r.Keys["sts:ExternalId"] = []string{*in.ExternalId}
	}
	source, chained := sourceOf(who, in), false
	if source != "" {
		r.Keys["sts:SourceIdentity"] = []string{source}
	}
	if who.Rights != nil {
		chained = len(who.Rights.Identity.Transitive) > 0 // tags that go on are given anew
	}
	if in.DurationSeconds != nil {
		r.Keys["sts:DurationSeconds"] = []string{strconv.Itoa(*in.DurationSeconds)}
	}
	if len(in.TransitiveTagKeys) > 0 {
		r.Keys["sts:TransitiveTagKeys"] = in.TransitiveTagKeys
	}
	if shown != nil {
		r.Keys["aws:MultiFactorAuthPresent"], r.Keys["aws:MultiFactorAuthAge"] = []string{"true"}, []string{"0"}
	}
	role, err := api.role(ctx, in.RoleArn)
	if err != nil {
		return nil, err
	}
	if role != nil {
		if r.Policy, err = trustOf(role); err != nil {
			return nil, err
		}
		r.Tags = map[string]string{}
		for _, l := range role.Tags {
			r.Tags[l.Key] = l.Value
		}
	}
	on := tagging([]action.Resource{r}, len(in.Tags) > 0 || chained)
	if source != "" {
		r.Permission = "sts:SetSourceIdentity"
		on = append(on, r)
	}
	return on, nil
}

// sourceOf returns the source identity that the session will have: that of the
// caller's session, which cannot be changed, or what the request says.
func sourceOf(who action.Caller, in *AssumeRoleInput) string {
	if who.Rights != nil && who.Rights.Identity.Source != "" {
		return who.Rights.Identity.Source
	}
	return val(in.SourceIdentity)
}

// ownerOf returns the account of a role's ARN.
func ownerOf(arn string) (string, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || !strings.HasPrefix(arn, "arn:aws:iam::") || len(parts[4]) != 12 || !strings.HasPrefix(parts[5], "role/") {
		return "", validation("%.200s is invalid: it is not the ARN of a role", arn)
	}
	return parts[4], nil
}

// role returns the role of that ARN, nil when there is none or its account is
// not active: neither can be taken, and nobody is told which it is.
func (api *API) role(ctx context.Context, arn string) (*store.Role, error) {
	var role *store.Role
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		r, err := tx.RoleByARN(arn)
		if err != nil {
			return err
		}
		a, err := tx.Account(r.Account)
		if err == nil && a.State == store.AccountActive {
			role = r
		}
		return err
	})
	if fault.KindOf(err) == fault.Missing && err != nil {
		return nil, nil
	}
	return role, err
}

// trustOf reads whom a role trusts.
func trustOf(r *store.Role) (*policy.Policy, error) {
	p, err := policy.Parse([]byte(r.Trust), policy.Rules{Trust: true})
	if err == nil {
		p.Name = "trust of " + r.Name
	}
	return p, err
}

func assumeRole(ctx context.Context, api *API, who action.Caller, in *AssumeRoleInput) (*AssumeRoleOutput, error) {
	if who.Rights == nil || who.Rights.Identity.Kind == identity.Root {
		return nil, fault.New(fault.Denied, "AccessDenied", "Roles may not be assumed by root accounts.")
	}
	id := who.Rights.Identity
	role, err := api.role(ctx, in.RoleArn)
	if err != nil {
		return nil, err
	}
	if role == nil {
		return nil, fault.New(fault.Denied, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", who.ARN, in.RoleArn)
	}
	c := session.Claims{Name: in.RoleSessionName, Source: sourceOf(who, in)}
	most := role.MaxSession
	if id.Kind == identity.Role {
		most = min(most, lifeOfChain)
	}
	switch {
	case id.Kind == identity.Federated:
		return nil, fault.New(fault.Denied, "AccessDenied", "Federated users may not assume roles.")
	case in.SourceIdentity != nil && *in.SourceIdentity != c.Source:
		return nil, fault.New(fault.Denied, "AccessDenied", "The source identity of a session cannot be changed.")
	case c.Source != "" && !nameForm.MatchString(c.Source):
		return nil, validation("The source identity %.100q is invalid. It may have letters, numbers and +=,.@_- only.", c.Source)
	case id.Kind == identity.Role && val(in.DurationSeconds) > lifeOfChain:
		return nil, validation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	// That a factor was shown counts for taking the role, not within its session.
	if _, err := (factor{in.SerialNumber, in.TokenCode}).take(ctx, api, who); err != nil {
		return nil, err
	}
	inherit(&c, id)
	if err := label(&c, in.Tags, in.TransitiveTagKeys); err != nil {
		return nil, err
	}
	out := &AssumeRoleOutput{SourceIdentity: opt(c.Source)}
	out.Credentials, out.PackedPolicySize, err = api.take(ctx, role, &c, in.Policy, in.PolicyArns, in.DurationSeconds, most)
	out.AssumedRoleUser = assumed(role, in.RoleSessionName)
	return out, err
}

// inherit gives claims the tags that go down a chain of sessions.
func inherit(c *session.Claims, from *identity.Identity) {
	tags := maps.Clone(from.SessionTags)
	maps.DeleteFunc(tags, func(k, _ string) bool { return !slices.Contains(from.Transitive, k) })
	if len(tags) > 0 {
		c.Tags, c.Transitive = tags, slices.Clone(from.Transitive)
	}
}

func assumed(r *store.Role, name string) *AssumedRoleUser {
	return &AssumedRoleUser{AssumedRoleId: r.ID + ":" + name, Arn: session.SessionARN(r.Account, r.Name, name)}
}

// take makes a session of a role, for at most so many seconds.
func (api *API) take(ctx context.Context, r *store.Role, c *session.Claims, document *string, arns []PolicyDescriptorType, asked *int, most int) (*Credentials, *int, error) {
	seconds := min(3600, most)
	if asked != nil {
		seconds = *asked
	}
	switch {
	case !nameForm.MatchString(c.Name):
		return nil, nil, validation("The session name %.100q is invalid. It may have letters, numbers and +=,.@_- only.", c.Name)
	case seconds > most:
		return nil, nil, validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	c.Kind, c.Account, c.Holder = identity.Role, r.Account, r.ID
	if err := api.Store.View(ctx, func(tx *store.Tx) error { return narrow(tx, c, document, arns) }); err != nil {
		return nil, nil, err
	}
	size, err := packed(c)
	if err != nil {
		return nil, nil, err
	}
	given, err := api.Sessions.Issue(*c, time.Duration(seconds)*time.Second)
	if err != nil {
		return nil, nil, err
	}
	return show(given), size, nil
}
