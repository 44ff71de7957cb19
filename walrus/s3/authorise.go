package s3

import (
	"net/http"
	"strings"

	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/policy"
	"karri/walrus/access"
	"karri/walrus/index"
	"karri/walrus/setting"
)

// A target is what an act is on, and what was read to decide on it.
type target struct {
	bucket   *index.Bucket
	settings *setting.All
	key      string
	version  string
	who      policy.Principal

	seen   *index.Object // nil: there is none
	marker *index.Object // that stands there instead
	looked bool
	err    error // of looking
}

// versioned are the actions that are called otherwise when a version is named.
var versioned = map[string]string{
	"s3:GetObject": "s3:GetObjectVersion", "s3:GetObjectAcl": "s3:GetObjectVersionAcl", "s3:PutObjectAcl": "s3:PutObjectVersionAcl",
	"s3:GetObjectAttributes": "s3:GetObjectVersionAttributes", "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
	"s3:PutObjectTagging": "s3:PutObjectVersionTagging", "s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
	"s3:DeleteObject": "s3:DeleteObjectVersion",
}

func actionOn(action, version string) string {
	if v, ok := versioned[action]; ok && version != "" {
		return v
	}
	return action
}

// authorise loads the bucket and its settings and decides, from the headers
// alone, whether the caller may do what it asks for.
func (c *call) authorise() error {
	if c.op.Action == "s3:CreateBucket" || c.op.Action == "s3:ListAllMyBuckets" {
		return c.authoriseAccount()
	}
	write := c.r.Method != http.MethodGet && c.r.Method != http.MethodHead
	if write && c.who.For != "" && c.op.Name != "CopyObject" {
		return accessDenied
	}
	t, err := c.aim(c.bucket, c.key, c.version, write, c.r.Header.Get("x-amz-expected-bucket-owner"))
	if err != nil {
		return err
	}
	c.target, c.b, c.settings = t, t.bucket, t.settings
	switch {
	case c.op.Late:
		return nil
	case c.op.PerKey:
		if !access.Might(c.ask(t, c.op.Action)) {
			return accessDenied
		}
		return nil
	}
	err = c.permit(t, actionOn(c.op.Action, c.version))
	if err == nil && c.op.Action == "s3:GetObjectAttributes" { // they tell of what only readers may know
		err = c.permit(t, actionOn("s3:GetObject", c.version))
	}
	if err == error(accessDenied) && c.initiated(t) {
		return nil
	}
	return err
}

// authoriseAccount decides on what is about no bucket that there is: the
// caller's own policies say.
func (c *call) authoriseAccount() error {
	if c.who.Account == "" {
		return accessDenied
	}
	t := &target{bucket: &index.Bucket{Name: c.bucket, Owner: c.who.Account}, settings: &setting.All{}, who: c.principal(false)}
	if c.who.For != "" {
		t.bucket.Owner = c.who.For
	}
	if c.op.Action == "s3:ListAllMyBuckets" {
		return c.permit(t, c.op.Action)
	}
	actions := []string{c.op.Action}
	for header, action := range bornBy {
		if c.r.Header.Get(header) != "" {
			actions = append(actions, action)
		}
	}
	for _, action := range actions {
		if err := c.permit(t, action); err != nil {
			return err
		}
	}
	return nil
}

// bornBy are the headers that give a new bucket what needs a right of its own.
var bornBy = map[string]string{
	"x-amz-acl": "s3:PutBucketAcl", "x-amz-grant-full-control": "s3:PutBucketAcl", "x-amz-grant-read": "s3:PutBucketAcl",
	"x-amz-grant-read-acp": "s3:PutBucketAcl", "x-amz-grant-write": "s3:PutBucketAcl", "x-amz-grant-write-acp": "s3:PutBucketAcl",
	"x-amz-object-ownership": "s3:PutBucketOwnershipControls", "x-amz-bucket-object-lock-enabled": "s3:PutBucketObjectLockConfiguration",
}

// initiated reports whether the request is to look at or to end an upload that
// the caller began, and that it could still go on with.
func (c *call) initiated(t *target) bool {
	a := c.ask(t, c.op.Action)
	if c.op.Action != "s3:AbortMultipartUpload" && c.op.Action != "s3:ListMultipartUploadParts" || t.who.Account == "" || access.Decide(a).Denied {
		return false
	}
	u, err := c.Uploads.Upload(c.ctx, c.bucket, c.key, c.query.Get("uploadId"))
	a.Action = "s3:PutObject"
	return err == nil && u.Account == t.who.Account && access.Decide(a).Allowed
}

// aim loads a bucket and its settings, if the caller may know of it.
func (c *call) aim(name, key, version string, write bool, expected string) (*target, error) {
	if strings.HasPrefix(name, bucket.SystemPrefix) {
		if !c.who.System {
			return nil, index.NoSuchBucket
		}
		if c.who.May != nil && !c.who.May(name, write) {
			return nil, accessDenied
		}
	}
	b, err := c.Buckets.Bucket(c.ctx, name)
	if err != nil {
		return nil, err
	}
	if expected != "" && expected != b.Owner {
		return nil, accessDenied
	}
	s, err := c.cache.Of(b)
	if err != nil && write && c.op.On == onBucket && c.who.Account == b.Owner {
		s, err = c.mended(b)
	}
	if err != nil {
		return nil, err
	}
	return &target{bucket: b, settings: s, key: key, version: version, who: c.principal(write)}, nil
}

// principal returns who asks. A component reads with the rights of the account
// that it asks for, and writes with its own.
func (c *call) principal(write bool) policy.Principal {
	p := policy.Principal{Account: c.who.Account, ARN: c.who.ARN}
	if c.who.Rights != nil {
		p = c.who.Rights.Principal
	}
	switch {
	case c.who.Service != "":
		return policy.Principal{Service: c.who.Service}
	case c.who.Anonymous:
		return policy.Principal{}
	case c.who.For != "" && !write:
		p = policy.Principal{Account: c.who.For}
	case c.who.System:
		p.ARN = ""
	}
	if p.Account == "" {
		return policy.Principal{}
	}
	if p.ARN == "" {
		p.ARN = "arn:aws:iam::" + p.Account + ":root"
	}
	return p
}

// ask puts together all that has a say in an act on a target. Whoever comes
// without rights of its own, a component, has all of its account.
func (c *call) ask(t *target, action string) *access.Ask {
	mine, over := policy.Policies{All: true}, false
	if c.who.Rights != nil {
		mine, over = c.who.Rights.Policies, c.who.Rights.Identity.Admin
	}
	a := &access.Ask{
		Caller: t.who, Mine: mine, Over: over, Action: action, Bucket: t.bucket.Name, Key: t.key,
		Owner: t.bucket.Owner, Policy: t.settings.Policy, ACL: t.settings.ACL, Block: t.settings.PublicAccess, Ownership: c.ownership(t.settings),
		Keys: func(key string) []string { return c.conditionKey(t, key) },
	}
	if t.key != "" {
		a.Object = func() (string, *access.ACL, bool) {
			if o := c.look(t); o != nil {
				return o.Owner, o.ACL, true
			}
			return "", nil, false
		}
	}
	return a
}

func (c *call) ownership(s *setting.All) access.Ownership {
	if s.Ownership == nil {
		return access.ObjectWriter
	}
	return *s.Ownership
}

// look returns the object that the target names, nil when there is none.
func (c *call) look(t *target) *index.Object {
	if !t.looked {
		t.looked = true
		o, err := c.Objects.Object(c.ctx, t.bucket.Name, t.key, t.version)
		switch {
		case err != nil && fault.KindOf(err) != fault.Missing:
			t.err = err
		case err == nil && o.Marker:
			t.marker = o
		case err == nil:
			t.seen = o
		}
	}
	return t.seen
}

// permit decides on an act. What is not there is told only to who may list.
func (c *call) permit(t *target, action string) error {
	d := access.Decide(c.ask(t, action))
	switch {
	case t.err != nil:
		return t.err
	case d.Allowed:
		return nil
	case d.Missing && c.mayList(t):
		if t.version != "" {
			return index.NoSuchVersion
		}
		return index.NoSuchKey
	}
	c.refused(action, d)
	return accessDenied
}

// allowed reports whether the caller may do something else, too, to the same
// bucket or object.
func (c *call) allowed(action string) bool { return access.Decide(c.ask(c.target, action)).Allowed }

// demand refuses a caller who may put an object but not give it what a header
// asks for. Who puts an object by a list of the bucket owns it, and may.
func (c *call) demand(action string) error {
	a := c.ask(c.target, action)
	a.Object = nil // what is there now is not what is put
	d := access.Decide(a)
	if d.Allowed {
		return nil
	}
	if a.Action = "s3:PutObject"; !d.Denied && access.Decide(a).List {
		return nil
	}
	c.refused(action, d)
	return accessDenied
}

func (c *call) mayList(t *target) bool {
	b := *t
	b.key, b.version = "", ""
	return access.Decide(c.ask(&b, "s3:ListBucket")).Allowed
}

// hide answers who may not list a bucket, and asked for an object that is not
// there, as if it were there and could not be read.
func (c *call) hide(t *target, err error) error {
	if code := fault.CodeOf(err); code != "NoSuchKey" && code != "NoSuchVersion" || c.mayList(t) {
		return err
	}
	return accessDenied
}
