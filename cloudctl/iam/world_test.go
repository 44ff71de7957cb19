package iam_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	static "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"karri/cloudctl/account"
	ours "karri/cloudctl/iam"
	"karri/cloudctl/store"
	"karri/cloudctl/storetest"
	"karri/shared/action"
	"karri/shared/bucket/buckettest"
	"karri/shared/fault"
	"karri/shared/sign"
)

// A world is a cloud with one account, asked through its public API.
type world struct {
	*testing.T
	api     *ours.API
	book    *account.Book
	door    *action.Door
	account string
	region  string
	root    *iam.Client
	later   time.Duration // by how much the API's clock is ahead
}

// anyPolicy lets an account attach its own policies and all of the cloud's.
type anyPolicy struct{}

func (anyPolicy) Attachable(tx *store.Tx, account, arn string) (string, error) {
	if len(arn) > 31 && arn[:31] == "arn:aws:iam::aws:policy/Missing" {
		return "", fault.New(fault.Missing, "NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
	}
	return path.Base(arn), nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, v, _ := storetest.Open(t)
	w := &world{T: t, region: "us-east-1"}
	clock := func() time.Time { return time.Now().UTC().Add(w.later) }
	w.book = &account.Book{Store: s, Vault: v, Clock: clock, Buckets: buckettest.New(nil)}
	w.api = &ours.API{Store: s, Accounts: w.book, Vault: v, Clock: clock, Managed: anyPolicy{}}
	w.door = &action.Door{
		Services: []*action.Service{ours.Catalog.With(w.api)}, Policy: action.OwnerOnly{}, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})),
		RequestID: func(*http.Request) string { return "r" },
		Who: func(r *http.Request, _ string) (action.Caller, error) {
			verifier := &sign.Verifier{Dialect: sign.Query, Region: w.region, Global: true, Services: []string{"iam"}, Keys: w.book}
			id, _, err := verifier.Verify(r)
			if err != nil {
				return action.Caller{}, err
			}
			return action.Caller{Account: id.Account, ARN: id.ARN, UserID: id.Rights.Identity.ID, AccessKey: id.AccessKey, Rights: id.Rights}, nil
		},
	}
	w.account, w.root = w.newAccount("physics")
	return w
}

func (w *world) newAccount(name string) (string, *iam.Client) {
	w.Helper()
	a, key, err := w.book.Create(w.Context(), name)
	if err != nil {
		w.Fatal(err)
	}
	return a.ID, w.client(key.AccessKey, key.Secret)
}

// client returns the vendor's client with a key.
func (w *world) client(key, secret string) *iam.Client {
	return iam.New(iam.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://cloud.test"), HTTPClient: w, Retryer: aws.NopRetryer{},
		Credentials: static.NewStaticCredentialsProvider(key, secret, ""),
	})
}

// Do implements the SDK's HTTP client: the door answers in the same process.
func (w *world) Do(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RemoteAddr, in.RequestURI, in.Host = "192.0.2.1:1", r.URL.RequestURI(), r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, in)
	return rec.Result(), nil
}

// ok fails the test unless the call worked, and returns its answer.
func ok[In, Out any](w *world, call func(context.Context, *In, ...func(*iam.Options)) (*Out, error), in *In) *Out {
	w.Helper()
	out, err := call(w.Context(), in)
	if err != nil {
		w.Fatalf("%+v: %v", in, err)
	}
	return out
}

// refused fails the test unless the call was refused with the code.
func refused[In, Out any](w *world, code string, call func(context.Context, *In, ...func(*iam.Options)) (*Out, error), in *In) {
	w.Helper()
	_, err := call(w.Context(), in)
	if e, is := errors.AsType[smithy.APIError](err); !is || e.ErrorCode() != code {
		w.Errorf("%+v: %v, not %s", in, err, code)
	}
}

func str(s string) *string { return &s }

// announced returns the subjects of what was announced since it was last asked.
func (w *world) announced() []string {
	w.Helper()
	var subjects []string
	err := w.api.Store.InTx(w.Context(), func(tx *store.Tx) error {
		all, err := tx.Announcements(1000)
		var seqs []int64
		for _, a := range all {
			subjects, seqs = append(subjects, a.Subject), append(seqs, a.Seq)
		}
		if err != nil {
			return err
		}
		return tx.Told(seqs)
	})
	if err != nil {
		w.Fatal(err)
	}
	return slices.Compact(subjects)
}

// used writes down when keys were used, as at the end of the daemon.
func (w *world) used() {
	ctx, cancel := context.WithCancel(w.Context())
	cancel()
	w.book.Used.Run(ctx)
}
