package sts

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"karri/cloudctl/account"
	"karri/cloudctl/iam"
	"karri/cloudctl/managed"
	"karri/cloudctl/mfa"
	"karri/cloudctl/rights"
	"karri/cloudctl/store"
	"karri/cloudctl/storetest"
	"karri/shared/action"
	"karri/shared/bucket/buckettest"
	"karri/shared/sign"
)

const region = "us-east-1"

// A world is IAM and STS behind a door, as users reach them.
type world struct {
	t       testing.TB
	book    *account.Book
	api     *API
	url     string
	account string       // one
	root    keys         // of it
	seed    string       // of the MFA device
	shift   atomic.Int64 // of the clock
}

type keys struct{ id, secret, token string }

func newWorld(t testing.TB, issuers Issuers) *world {
	t.Helper()
	s, v, _ := storetest.Open(t)
	w := &world{t: t}
	clock := func() time.Time { return time.Now().Add(time.Duration(w.shift.Load())) }
	w.book = &account.Book{Store: s, Vault: v, Clock: clock, Buckets: buckettest.New(nil)}
	if err := w.book.Found(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.account, w.root = w.newAccount("physics")
	w.api = &API{Store: s, Vault: v, Clock: clock, Sessions: w.book.Sessions(), Issuers: issuers}
	door := &action.Door{
		Services: []*action.Service{
			Catalog.With(w.api),
			iam.Catalog.With(&iam.API{Store: s, Accounts: w.book, Vault: v, Clock: clock, Managed: managed.Policies{}}),
		},
		Who: w.who, Policy: &rights.Policy{Vault: v}, Region: region, Log: slog.New(slog.DiscardHandler),
		RequestID: func(*http.Request) string { return "6f1e2f9c-0000-4000-8000-000000000000" },
	}
	server := httptest.NewServer(door)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func (w *world) who(r *http.Request, name string) (action.Caller, error) {
	v := sign.Verifier{Dialect: sign.Query, Region: region, Global: name == "iam", Services: []string{name}, Keys: w.book}
	id, _, err := v.Verify(r)
	if err != nil {
		return action.Caller{}, err
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return action.Caller{Account: id.Account, ARN: id.ARN, UserID: id.Rights.Identity.ID, AccessKey: id.AccessKey, Admin: id.Rights.Admin(), SourceIP: host, Rights: id.Rights}, nil
}

func (w *world) newAccount(name string) (string, keys) {
	w.t.Helper()
	a, k, err := w.book.Create(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return a.ID, keys{k.AccessKey, k.Secret, ""}
}

func (k keys) provider() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(k.id, k.secret, k.token)
}

func (w *world) iam(k keys) *awsiam.Client {
	return awsiam.New(awsiam.Options{Region: region, BaseEndpoint: &w.url, Credentials: k.provider(), RetryMaxAttempts: 1})
}

func (w *world) sts(k keys) *awssts.Client {
	return awssts.New(awssts.Options{Region: region, BaseEndpoint: &w.url, Credentials: k.provider(), RetryMaxAttempts: 1})
}

// of returns the keys that an answer gives.
func of(c *types.Credentials) keys { return keys{*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken} }

// do fails the test when an action is refused.
func do[In, Out, Opt any](w *world, call func(context.Context, *In, ...func(*Opt)) (*Out, error), in *In) *Out {
	w.t.Helper()
	out, err := call(w.t.Context(), in)
	if err != nil {
		w.t.Fatalf("%+v: %v", in, err)
	}
	return out
}

// refused sees that an action is refused with a code.
func refused[In, Out, Opt any](w *world, call func(context.Context, *In, ...func(*Opt)) (*Out, error), in *In, code string) {
	w.t.Helper()
	_, err := call(w.t.Context(), in)
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != code {
		w.t.Errorf("%T: %v, want %s", in, err, code)
	}
}

// user makes a user with a policy, and returns its keys.
func (w *world) user(name, document string) keys {
	w.t.Helper()
	root := w.iam(w.root)
	do(w, root.CreateUser, &awsiam.CreateUserInput{UserName: &name})
	if document != "" {
		do(w, root.PutUserPolicy, &awsiam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("own"), PolicyDocument: &document})
	}
	k := do(w, root.CreateAccessKey, &awsiam.CreateAccessKeyInput{UserName: &name}).AccessKey
	return keys{*k.AccessKeyId, *k.SecretAccessKey, ""}
}

// device gives a user an MFA device and returns its serial number.
func (w *world) device(user string) string {
	w.t.Helper()
	seed, err := mfa.NewSeed(rng{})
	if err != nil {
		w.t.Fatal(err)
	}
	serial := "arn:aws:iam::" + w.account + ":mfa/" + user
	if err := w.book.Store.InTx(w.t.Context(), func(tx *store.Tx) error {
		u, err := tx.User(w.account, user)
		if err != nil {
			return err
		}
		now := time.Now()
		d := &store.MFADevice{Tags: store.Labels{}, Serial: serial, Account: w.account, Name: user, Path: "/", Holder: u.ID, Created: now, Enabled: &now}
		mfa.Seal(w.api.Vault, d, seed)
		return tx.Add(d)
	}); err != nil {
		w.t.Fatal(err)
	}
	w.seed = seed
	return serial
}

// code is what the device shows now.
func (w *world) code() string {
	w.t.Helper()
	c, err := mfa.CodeAt(w.seed, w.api.Clock())
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

type rng struct{}

func (rng) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(7 * i)
	}
	return len(p), nil
}
