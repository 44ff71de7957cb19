package s3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"karri/walrus/content/contenttest"
	"karri/walrus/index"
)

// named believes the account that a request names; none is anonymous. Its
// bodies tell when they are read.
type named struct{ read *bool }

type trap struct{ read *bool }

func (b trap) Read([]byte) (int, error) { *b.read = true; return 0, errors.New("read") }
func (b trap) Size() int64              { return 5 }
func (b trap) Trailer() http.Header     { return nil }

func (n named) Authenticate(r *http.Request) (Caller, Body, error) {
	account := r.Header.Get("Test-Account")
	return Caller{Account: account, Anonymous: account == ""}, trap{n.read}, nil
}

// TestStrangersAreRefusedBeforeTheBodyIsRead asks for each operation of the
// table on a private bucket, as another account and as nobody, and as another
// account with another bucket's owner's rights.
func TestStrangersAreRefusedBeforeTheBodyIsRead(t *testing.T) {
	x, err := index.OpenInMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	ctx := context.Background()
	for name, account := range map[string]string{"pond": "111111111111", "lake": "222222222222"} {
		if err := x.CreateBucket(ctx, &index.Bucket{Name: name, Owner: account, Created: time.Now()}); err != nil {
			t.Fatal(err)
		}
		o := &index.Object{Bucket: name, ID: name, Entry: index.Entry{Key: "key", Modified: time.Now()}}
		if err := x.Put(ctx, o, index.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	read := false
	api := New(Config{Region: "us-east-1", Auth: named{&read}, Buckets: x, Objects: x, Uploads: x, Content: contenttest.NewMemory()})
	for s, o := range operations {
		for _, account := range []string{"222222222222", ""} {
			if s.on == onService && account != "" || o.Name == "CreateBucket" && account != "" || o.Late {
				continue // lists the caller's own; makes a new one; has the signature in its body
			}
			for _, key := range []string{"key", "missing"} {
				read = false
				r := httptest.NewRequest(s.method, path(s, key), strings.NewReader("hello"))
				r.Header.Set("Test-Account", account)
				if s.header != "" {
					r.Header.Set(s.header, "/lake/key") // which the stranger may read
				}
				rec := httptest.NewRecorder()
				api.ServeHTTP(rec, r)
				body, _ := io.ReadAll(rec.Body)
				if rec.Code != http.StatusForbidden || s.method != http.MethodHead && !strings.Contains(string(body), "<Code>AccessDenied</Code>") {
					t.Errorf("%s by %q: got %d %s", o.Name, account, rec.Code, body)
				}
				if read {
					t.Errorf("%s by %q: the body was read", o.Name, account)
				}
			}
		}
	}
}

func path(s selector, key string) string {
	p := map[scope]string{onService: "/", onBucket: "/pond", onObject: "/pond/" + key}[s.on]
	if s.sub != "" {
		p += "?" + s.sub + "=x"
	}
	return p
}
