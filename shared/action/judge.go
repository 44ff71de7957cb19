package action

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"karri/shared/policy"
)

// A Verdict is what the policies say of one resource of an Ask.
type Verdict struct {
	Resource   *Resource
	Permission string
	Decision   policy.Decision

	request  policy.Request
	policies policy.Policies
}

// Matches returns the statements that speak of what was refused: those that
// counted, and those that would have but for a condition.
func (v *Verdict) Matches() (counted, failed []policy.Match) {
	return policy.Explain(&v.request, &v.policies)
}

// Judge decides each resource of the ask by the policies of who asks, and
// returns the first that is refused; nil when all is allowed.
//
// The root of the administrator's account may do all, in every account. The
// users of that account need their policies, which then reach the resources of
// every account. For all others what belongs to another account is closed,
// unless it is public or its own policy opens it.
func (ask *Ask) Judge() *Verdict {
	rights := ask.Who.Rights
	if rights.Admin() {
		return nil
	}
	req := policy.Request{Principal: rights.Principal}
	var r *Resource
	req.Keys = func(key string) []string { return ask.Key(r, key) }
	for i := range ask.On {
		r = &ask.On[i]
		if r.Free {
			continue
		}
		req.Action, req.Resource, req.Owner = r.permission(ask), r.ARN, r.Owner
		if r.Public || rights.Identity.Admin {
			req.Owner = rights.Identity.Account
		}
		if r.Trust {
			outside := req // who is of another account needs the resource's own policy
			outside.Owner = ""
			trust := policy.Policies{All: true, Resource: r.Policy}
			if d := policy.Evaluate(&outside, &trust); !d.Allowed {
				return &Verdict{r, req.Action, d, outside, trust}
			}
		}
		all := rights.Policies
		all.Resource = r.Policy
		if d := policy.Evaluate(&req, &all); !d.Allowed {
			return &Verdict{r, req.Action, d, req, all}
		}
	}
	return nil
}

// Key answers the values of a condition key, by its lower-case name, for one
// resource of the ask. The keys of the principal itself are package policy's.
func (ask *Ask) Key(r *Resource, key string) []string {
	vendor, name, _ := strings.Cut(key, ":")
	for k, v := range r.Keys {
		if strings.EqualFold(k, key) {
			return v
		}
	}
	if tag, ok := strings.CutPrefix(name, "resourcetag/"); ok && (vendor == "aws" || vendor == ask.Service) {
		return tagged(r.Tags, tag)
	}
	if vendor == ask.Service && name == "region" {
		return one(ask.Facts.Region)
	}
	if vendor != "aws" {
		return nil
	}
	if tag, ok := strings.CutPrefix(name, "requesttag/"); ok {
		return tagged(ask.Tags.of(r.ARN), tag)
	}
	switch name {
	case "sourceip":
		return one(ask.Facts.SourceIP)
	case "currenttime":
		return one(ask.Facts.At.UTC().Format(time.RFC3339))
	case "epochtime":
		return one(strconv.FormatInt(ask.Facts.At.Unix(), 10))
	case "securetransport":
		return one(strconv.FormatBool(ask.Facts.Secure))
	case "useragent":
		return one(ask.Facts.UserAgent)
	case "requestedregion":
		return one(ask.Facts.Region)
	case "viaawsservice":
		return one("false")
	case "resourceaccount":
		return one(r.Owner)
	case "tagkeys":
		var keys []string
		for k := range ask.Tags.of(r.ARN) {
			keys = append(keys, k)
		}
		return keys
	}
	return ask.Who.Rights.Key(key, ask.Facts.At)
}

// tagged answers the value of a tag; keys of tags in condition keys have no case.
func tagged(tags map[string]string, key string) []string {
	for k, v := range tags {
		if strings.EqualFold(k, key) {
			return []string{v}
		}
	}
	return nil
}

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// Sentence says why a request was refused, as the public services do.
func (v *Verdict) Sentence(who Caller) string {
	who.ARN = orAnonymous(who.ARN)
	s := "User: " + who.ARN + " is not authorized to perform: " + v.Permission
	if v.Resource.ARN != "*" {
		s += " on resource: " + v.Resource.ARN
	}
	return s + " " + v.because()
}

func orAnonymous(arn string) string {
	if arn == "" {
		return "anonymous"
	}
	return arn
}

var kinds = map[policy.Source]string{
	policy.Resource: "resource-based policy", policy.Identity: "identity-based policy", policy.Nobody: "identity-based policy",
	policy.Boundary: "permissions boundary", policy.Session: "session policy", policy.Laid: "service control policy",
}

func (v *Verdict) because() string {
	kind := kinds[v.Decision.Source]
	if !v.Decision.Denied {
		return "because no " + kind + " allows the " + v.Permission + " action"
	}
	if v.Decision.Source == policy.Identity {
		return "with an explicit deny in an " + kind
	}
	return "with an explicit deny in a " + kind
}

// Known returns the condition keys, as they are documented, that have a value
// for one resource of the ask, in order.
func (ask *Ask) Known(r *Resource) []string {
	keys := []string{
		"aws:SourceIp", "aws:CurrentTime", "aws:EpochTime", "aws:SecureTransport", "aws:UserAgent", "aws:RequestedRegion",
		"aws:ViaAWSService", "aws:ResourceAccount", "aws:TagKeys", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge",
		"aws:TokenIssueTime", "aws:SourceIdentity", "aws:FederatedProvider", ask.Service + ":Region",
	}
	for k := range r.Keys {
		keys = append(keys, k)
	}
	for k := range r.Tags {
		keys = append(keys, "aws:ResourceTag/"+k, ask.Service+":ResourceTag/"+k)
	}
	for k := range ask.Tags.of(r.ARN) {
		keys = append(keys, "aws:RequestTag/"+k)
	}
	keys = slices.DeleteFunc(keys, func(k string) bool { return len(ask.Key(r, strings.ToLower(k))) == 0 })
	slices.Sort(keys)
	return slices.Compact(keys)
}
