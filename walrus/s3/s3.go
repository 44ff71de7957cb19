// Package s3 answers the S3 API, one operation per file.
//
// An operation is a definition: its method, whether it is asked of the
// service, a bucket or an object, and the sub-resource in the query that
// selects it. Dispatch is a table made of the definitions; what S3 knows and
// we do not is in tables of its own (table.go) and is refused by name, never
// ignored.
//
// A request is served in one order: whose is it (headers alone), may the
// caller, then the body. So the body of a request that is refused is never
// read, and "Expect: 100-continue" is answered by the first read. Bytes stream
// in constant memory; they are durable before the row that names them, and the
// row before the answer. A crash in between leaves bytes that no row claims,
// which the mill sweeps.
//
// Each operation names the action that a policy must allow for it; one step
// loads the bucket with its settings and decides (package access) before the
// operation runs. Buckets of the cloud itself (karri-...) do not exist for users.
package s3

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"karri/shared/audit"
	"karri/shared/identity"
	"karri/shared/rest"
	"karri/shared/sign"
	"karri/walrus/access"
	"karri/walrus/content"
	"karri/walrus/index"
	"karri/walrus/journal"
	"karri/walrus/seal"
	"karri/walrus/setting"
)

// Config is what the API stands on.
type Config struct {
	Region  string
	Domains []string // host names under which BUCKET.DOMAIN names a bucket
	// WebsiteDomains are those under which it names a website.
	WebsiteDomains []string
	Auth           Authenticator
	Buckets        index.Buckets
	Objects        index.Objects
	Uploads        index.Uploads
	Accounts       index.Accounts // for their quotas; may be nil
	Content        content.Engine
	Holds          *content.Holds
	Master         *seal.Ring       // nil: nothing is sealed under keys of this store
	Changed        func()           // nudges the mill; may be nil
	Told           func()           // nudges those who carry events; may be nil
	Now            func() time.Time // nil: time.Now
	// Ownership is what new buckets get whose makers ask for none; "": none.
	Ownership access.Ownership
	// Where settings may send events and copies.
	EventTargets       setting.EventTargets
	ReplicationTargets setting.ReplicationTargets
	// Journal notes the requests to buckets with logging; may be nil.
	Journal interface {
		Note(e *journal.Entry) error
	}
	// Principals knows who is named in policies; nil: names stay as they are.
	Principals Principals
	// Audit takes a line for each request; may be nil.
	Audit func(*audit.Line)
	// Probe sends a target the message that only tests it; may be nil.
	Probe func(ctx context.Context, arn string, b *index.Bucket, request string) error
	// Fail answers an error in a form other than S3's; nil: S3's.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
	// InlineMax is the size up to which bytes travel in the index; 32 KiB when 0.
	InlineMax int
}

// An Authenticator says whose request it is, from its headers alone. It must
// not read the body; the one it returns reaches io.EOF only when it is what was
// signed.
type Authenticator interface {
	Authenticate(r *http.Request) (Caller, Body, error)
}

// A FormAuthenticator is an Authenticator that knows the signatures of browsers'
// forms too. Fields have names in lower case.
type FormAuthenticator interface {
	AuthenticateForm(r *http.Request, fields map[string]string) (Caller, error)
}

// A Caller is who asks.
type Caller struct {
	Anonymous bool
	Account   string
	ARN       string
	Rights    *identity.Rights // nil: all of the account
	AccessKey string           // id only
	Presigned bool
	System    bool   // a component of this cloud: acts for the cloud's own account
	For       string // of a component: read with this account's rights
	// May says whether a component may touch a bucket of the cloud; nil: any.
	May func(bucket string, write bool) bool
	// Of what the store does in its own name: the service that does it, and the
	// bucket on whose behalf.
	Service string
	Source  *index.Bucket
	// Of what another service of the cloud does: on behalf of what, and of whom.
	SourceARN, SourceAccount string
}

// A Body is a verified request's body.
type Body interface {
	io.Reader
	Size() int64          // of the content; -1 when it was not announced
	Trailer() http.Header // nil before io.EOF, or when there is none
}

// API serves S3 to one kind of caller.
type API struct {
	Config
	cache setting.Cache
}

// New returns the API, a http.Handler.
func New(c Config) *API {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.InlineMax == 0 {
		c.InlineMax = 32 << 10
	}
	if c.Changed == nil {
		c.Changed = func() {}
	}
	if c.Told == nil {
		c.Told = func() {}
	}
	if c.Holds == nil {
		c.Holds = &content.Holds{}
	}
	return &API{Config: c}
}

// A call is one request on its way through the API.
type call struct {
	*API
	ctx    context.Context
	w      http.ResponseWriter
	r      *http.Request
	id     string
	who    Caller
	body   Body
	bucket string
	key    string
	query  url.Values
	op     *operation

	isSite   bool          // of a website
	trouble  error         // of a website's error document
	version  string        // that is asked for; "": the current one
	b        *index.Bucket // shared: not to be changed
	settings *setting.All  // of b; shared
	target   *target       // what was decided on
	from     *target       // what is copied
	heard    atomic.Bool   // an event was put into a queue
	line     audit.Line    // of the audit log
	sheet    []byte        // a document that came with the request
	sent     *counter      // of the answer to a request that is logged
}

// ServeHTTP serves one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	c := &call{API: a, ctx: r.Context(), w: w, r: r, id: cmp.Or(rest.RequestID(r.Context()), rest.NewRequestID())}
	c.set("x-amz-request-id", c.id)
	host := sha256.Sum256([]byte(c.id))
	c.set("x-amz-id-2", hex.EncodeToString(host[:]))
	c.set("Server", "Karri")
	err := c.serve()
	if c.heard.Load() {
		c.Told()
	}
	defer c.note(err, began)
	defer c.audit(err, began)
	switch {
	case err != nil && c.isSite:
		c.failPage(err)
	case err != nil:
		c.fail(err)
	}
}

// Panicked answers a request whose handler had a bug.
func (a *API) Panicked(w http.ResponseWriter, r *http.Request, err error) {
	c := &call{API: a, ctx: r.Context(), w: w, r: r, id: rest.RequestID(r.Context())}
	c.fail(err)
}

func (c *call) serve() error {
	if err := c.locate(); err != nil {
		return err
	}
	if c.r.Method == http.MethodOptions {
		return c.preflight()
	}
	c.cors()
	if c.isSite {
		return c.website()
	}
	who, body, err := c.Auth.Authenticate(c.r)
	if err != nil {
		c.line.Claimed = sign.Claimed(c.r.Header.Get("Authorization"), c.r.URL.Query())
		return err
	}
	c.who, c.body = who, body
	c.bind()
	rest.Note(c.ctx, "account", who.Account)
	rest.Note(c.ctx, "arn", who.ARN)
	rest.Note(c.ctx, "bucket", c.bucket)
	c.query = c.r.URL.Query()
	if c.op, err = c.dispatch(); err != nil {
		return err
	}
	rest.Label(c.ctx, c.op.Name)
	if c.version != "" {
		rest.Note(c.ctx, "version", c.version)
	}
	if err := c.checkHeaders(); err != nil {
		return err
	}
	if err := c.authorise(); err != nil {
		return err
	}
	if c.logged() {
		c.sent = &counter{ResponseWriter: c.w}
		c.w = c.sent
	}
	err = c.op.Run(c)
	if err != nil && c.op.On == onObject && (c.r.Method == http.MethodGet || c.r.Method == http.MethodHead) {
		return c.hide(c.target, err)
	}
	return err
}

func (c *call) set(name, value string) { c.w.Header()[name] = []string{value} }

func (c *call) now() time.Time { return c.Now().UTC().Truncate(time.Millisecond) }
