package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/shared/bucket"
	"karri/shared/fault"
)

// shelf takes what is delivered.
type shelf struct {
	files map[string]string
	meta  map[string]map[string]string
	err   error
	lost  bool
	puts  int
}

func (s *shelf) Deliver(_ context.Context, d bucket.Delivery) (err error) {
	s.puts++
	if s.err != nil {
		return s.err
	}
	if s.lost { // it is there, and nobody hears of it
		defer func() { err = errors.New("the answer was lost") }()
	}
	if old, ok := s.files[d.Key]; ok && old != string(d.Body) {
		return fmt.Errorf("%s is put with other bytes", d.Key)
	}
	if old, ok := s.meta[d.Key]; ok && old["Signature"] != d.Meta["Signature"] {
		return fmt.Errorf("%s is put with another signature", d.Key)
	}
	s.files[d.Key], s.meta[d.Key] = string(d.Body), d.Meta
	return nil
}

// trails is an exporter over a shelf, with one trail.
type trails struct {
	*world
	*shelf
	e     *Exporter
	store *store.Store
	now   time.Time
}

func openTrails(t *testing.T) *trails {
	t.Helper()
	w := open(t)
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "cloud.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	x := &trails{world: w, shelf: &shelf{files: map[string]string{}, meta: map[string]map[string]string{}}, store: st, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	clock := func() time.Time { return x.now }
	x.e = &Exporter{Index: w.Index, Store: st, Buckets: x.shelf, Region: "us-east-1", Every: time.Minute, Clock: clock, Log: slog.New(slog.DiscardHandler),
		Signer: &Signer{Store: st, Vault: plainVault{}, Clock: clock}}
	from := x.now
	trail := &store.Trail{ARN: "arn", Account: "111122223333", Name: "all", Bucket: "b", Prefix: "p", Logging: true, Created: x.now, Proven: true, DigestFrom: &from}
	err = st.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.Add(&store.Account{ID: "111122223333", Name: "a", State: store.AccountActive}); err != nil {
			return err
		}
		return tx.Add(trail)
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// plainVault seals nothing.
type plainVault struct{}

func (plainVault) Seal(_, text string) []byte { return []byte(text) }

func (plainVault) Unseal(_ string, b []byte) (string, error) { return string(b), nil }

func (x *trails) pass(later time.Duration) {
	x.t.Helper()
	if err := x.e.Pass(x.t.Context()); err != nil {
		x.t.Fatal(err)
	}
	x.now = x.now.Add(later)
}

func (x *trails) state() (now *store.Trail) {
	x.t.Helper()
	err := x.store.View(x.t.Context(), func(tx *store.Tx) (err error) { now, err = tx.Trail("111122223333", "all"); return err })
	if err != nil {
		x.t.Fatal(err)
	}
	return now
}

func TestATrailWritesEachEventOnce(t *testing.T) {
	x := openTrails(t)
	x.pass(2 * time.Minute)
	x.note(3)
	x.take()
	x.err = fault.New(fault.Denied, "AccessDenied", "no")
	x.pass(2 * time.Minute)
	if got := x.state(); got.Failure != "AccessDenied" || got.Object == "" || got.Done != 0 {
		t.Errorf("%+v", got)
	}
	x.note(2)
	x.take() // these do not change what the file holds
	x.err = nil
	x.pass(2 * time.Minute)
	if got := x.state(); got.Failure != "" || got.Done != 3 || got.Delivered == nil {
		t.Errorf("%+v", got)
	}
	x.pass(2 * time.Minute)
	if len(x.files) != 2 || x.state().Done != 5 {
		t.Errorf("%d files, %+v", len(x.files), x.state())
	}
	for key := range x.files {
		if !strings.HasPrefix(key, "p/AWSLogs/111122223333/CloudTrail/us-east-1/2026/01/02/111122223333_CloudTrail_us-east-1_20260102T03") || !strings.HasSuffix(key, "Z_"+key[len(key)-24:len(key)-8]+".json.gz") {
			t.Error(key)
		}
	}
}
