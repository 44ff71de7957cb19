package access

import (
	"slices"
	"strings"

	"karri/shared/policy"
)

// An Ask is one act to be decided, with all that has a say in it.
type Ask struct {
	Caller policy.Principal // the zero Principal: anonymous; its canonical id need not be set
	Mine   policy.Policies  // of the caller's own account; its Resource is not read
	Over   bool             // the caller's account is the cloud administrator's: its policies reach every bucket
	Action string           // "s3:GetObject"
	Bucket string
	Key    string
	Keys   func(key string) []string // of conditions

	Owner     string // account of the bucket
	Policy    *Policy
	ACL       *ACL // of the bucket; nil: private
	Block     *PublicAccessBlock
	Ownership Ownership // "": ObjectWriter

	// Object answers the owner, an account, and the list of the object that the
	// act is on; found is false when there is none. It is asked only when it
	// matters. An owner of "" is the bucket's. May be nil.
	Object func() (owner string, acl *ACL, found bool)
}

// A Decision is what Decide finds.
type Decision struct {
	Allowed bool
	Denied  bool // by a statement or setting; else nothing allows it
	List    bool // a list allows it
	Missing bool // refused since there is no object whose list could allow it
	by      string
	policy  policy.Decision
}

// String says who decided, for explanations and logs.
func (d Decision) String() string {
	if d.by != "" {
		return d.by
	}
	return d.policy.String()
}

// loggingService delivers the logs of requests.
const loggingService = "logging.s3.amazonaws.com"

// Decide decides. A statement that denies comes first, but for the root of the
// owner's account on the policy itself, so that nobody locks himself out. Then
// a public policy under RestrictPublicBuckets keeps all other accounts out.
// Then the policy or the caller's own rights may allow, and at last the lists.
//
// What another account owns in a bucket is that account's: neither the policy
// nor the rights of the bucket's owner open it, only its list does.
func Decide(a *Ask) Decision {
	rights := a.Mine
	rights.Resource = nil
	if a.Policy != nil {
		rights.Resource = a.Policy.Policy
	}
	r := &policy.Request{Principal: a.Caller, Action: a.Action, Resource: ARN(a.Bucket, a.Key), Owner: a.Owner, Keys: a.Keys}
	if a.Policy != nil {
		r.Principal.Canonical = Canonical(a.Caller.Account)
	}
	d := policy.Evaluate(r, &rights)
	if a.Over && a.over(r, d) {
		return Decision{Allowed: true, by: "the cloud's administrator"}
	}
	inside := a.Caller.Account != "" && a.Caller.Account == a.Owner
	switch {
	case inside && a.Caller.Root() && aboutPolicy(a.Action) && (!d.Denied || d.Source == policy.Resource):
		return Decision{Allowed: true, by: "the owner's root always reaches the policy"}
	case d.Denied:
		return Decision{Denied: true, policy: d}
	case !inside && a.Caller.Service == "" && a.Policy != nil && a.Policy.Public && a.Block != nil && a.Block.RestrictPublicBuckets:
		return Decision{Denied: true, by: "the policy is public and the public access block restricts it"}
	}
	found := true
	var acl *ACL
	if aboutObject(a.Action) && a.Object != nil && !(inside && a.Ownership == OwnerEnforced) {
		var owner string
		if owner, acl, found = a.Object(); found && owner != "" && owner != a.Owner && a.Ownership != OwnerEnforced {
			return a.foreign(r, owner, acl)
		}
	}
	if d.Allowed {
		return Decision{Allowed: true, policy: d}
	}
	if by := a.byACL(acl); by != "" && a.mine(r) {
		return Decision{Allowed: true, List: true, by: by}
	}
	return Decision{Missing: !found, policy: d}
}

// Might reports whether something allows the caller the act on any object of
// the bucket at all. It is asked before each object is decided on its own.
func Might(a *Ask) bool {
	r := &policy.Request{Principal: a.Caller, Action: a.Action, Resource: ARN(a.Bucket, "*"), Owner: a.Owner, Keys: a.Keys}
	if a.Caller.Account != "" && (a.Caller.Account == a.Owner || a.Over) {
		return true
	}
	if r.Principal.Canonical = Canonical(a.Caller.Account); a.Policy != nil && a.Policy.Mentions(&r.Principal, a.Action) {
		return true
	}
	anyone := *a
	anyone.Object = func() (string, *ACL, bool) { return a.Caller.Account, nil, true }
	return anyone.byACL(nil) != "" && a.mine(r)
}

// foreign decides on an object of another account than the bucket's.
func (a *Ask) foreign(r *policy.Request, owner string, acl *ACL) Decision {
	switch {
	case a.Caller.Account == owner && a.mine(r):
		return Decision{Allowed: true, by: "the object's owner"}
	case acl == nil:
		acl = Private(owner)
	}
	if by := a.byACL(acl); by != "" && a.mine(r) {
		return Decision{Allowed: true, List: true, by: by}
	}
	return Decision{by: "the object is of another account, whose list does not allow it"}
}

// over reports whether the administrator's account lets the caller do this to
// what any account has. Statements that deny hold, but for its root.
func (a *Ask) over(r *policy.Request, d policy.Decision) bool {
	return a.Caller.Root() || !d.Denied && a.mine(r)
}

// mine reports whether the caller's own account lets it do this.
func (a *Ask) mine(r *policy.Request) bool {
	if a.Caller.Account == "" {
		return true
	}
	own, rights := *r, a.Mine
	own.Owner, rights.Resource = a.Caller.Account, nil
	return policy.Evaluate(&own, &rights).Allowed
}

// byACL returns which list allows the act, or "".
func (a *Ask) byACL(object *ACL) string {
	if a.Ownership == OwnerEnforced {
		return ""
	}
	ignore := a.Block != nil && a.Block.IgnorePublicAcls
	id, logging := Canonical(a.Caller.Account), a.Caller.Service == loggingService
	name := strings.TrimPrefix(a.Action, "s3:")
	if p, ok := byBucketList[name]; ok && a.ACL != nil && a.ACL.gives(id, logging, p, ignore) && (p != Write || name == "PutObject" || a.owns()) {
		return "the bucket's list"
	}
	if p, ok := byObjectList[name]; ok && object != nil && object.gives(id, logging, p, ignore) {
		return "the object's list"
	}
	return ""
}

// owns reports whether the object is the caller's: a grant to write lets it
// take away only what is its own.
func (a *Ask) owns() bool {
	if a.Object == nil || a.Caller.Account == "" {
		return false
	}
	owner, _, found := a.Object()
	return found && owner == a.Caller.Account
}

// The actions that a permission in a list allows.
var (
	byBucketList = map[string]Permission{
		"ListBucket": Read, "ListBucketVersions": Read, "ListBucketMultipartUploads": Read,
		"PutObject": Write, "DeleteObject": Write, "DeleteObjectVersion": Write,
		"GetBucketAcl": ReadACP, "PutBucketAcl": WriteACP,
	}
	byObjectList = map[string]Permission{
		"GetObject": Read, "GetObjectVersion": Read, "GetObjectAttributes": Read, "GetObjectVersionAttributes": Read,
		"GetObjectAcl": ReadACP, "GetObjectVersionAcl": ReadACP, "PutObjectAcl": WriteACP, "PutObjectVersionAcl": WriteACP,
	}
)

// aboutPolicy are the acts that undo a policy.
func aboutPolicy(action string) bool {
	return slices.Contains([]string{"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}, action)
}

// ofObject are the acts on what an object holds, which are its owner's.
var ofObject = []string{
	"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAcl", "s3:GetObjectVersionAcl", "s3:PutObjectAcl", "s3:PutObjectVersionAcl",
	"s3:GetObjectAttributes", "s3:GetObjectVersionAttributes", "s3:GetObjectTagging", "s3:GetObjectVersionTagging",
	"s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging",
}

func aboutObject(action string) bool { return slices.Contains(ofObject, action) }
