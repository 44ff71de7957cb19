package news

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/cloudctl/storetest"
	"karri/shared/events"
	"karri/shared/fault"
)

func open(t *testing.T) *Webhooks {
	t.Helper()
	s, v, _ := storetest.Open(t)
	return (&Webhooks{Store: s, Vault: v, Clock: time.Now, Log: slog.New(slog.DiscardHandler)}).Open()
}

// taker is a webhook that fails at first.
type taker struct {
	secret string
	t      *testing.T

	mu    sync.Mutex
	fails int
	took  []string
}

func (k *taker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fails > 0 {
		k.fails--
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		return
	}
	b, _ := io.ReadAll(r.Body)
	mac := hmac.New(sha256.New, []byte(k.secret))
	io.WriteString(mac, r.Header.Get(TimestampHeader)+"."+string(b))
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); !hmac.Equal([]byte(r.Header.Get(SignatureHeader)), []byte(want)) {
		k.t.Errorf("signature %s, want %s", r.Header.Get(SignatureHeader), want)
	}
	var e events.Event
	if err := json.Unmarshal(b, &e); err != nil || e.ID != r.Header.Get(EventHeader) {
		k.t.Errorf("%s: %v", b, err)
	}
	k.took = append(k.took, e.Subject)
}

func TestAWebhookGetsWhatItAskedForInTheEnd(t *testing.T) {
	w := open(t)
	k := &taker{t: t, fails: 1}
	there := httptest.NewServer(k)
	defer there.Close()
	_, secret, err := w.Create(t.Context(), there.URL, "identity.*", "")
	if err != nil {
		t.Fatal(err)
	}
	k.secret = secret
	err = w.Store.InTx(t.Context(), func(tx *store.Tx) error {
		for _, subject := range []string{"identity.user", "other.thing", "identity.role"} {
			if err := tx.Announce(subject, map[string]string{"Account": "1"}, time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	bus := events.NewMemory()
	defer bus.Close()
	o := Outbox{w.Store, "cloudctl.karri"}
	lines, err := o.Waiting(t.Context(), 10)
	if err != nil || len(lines) != 3 {
		t.Fatal(lines, err)
	}
	for range 2 { // the process died between the two, and tells once more
		if err := w.Store.InTx(t.Context(), func(tx *store.Tx) error { return deliver(tx, lines[0].Event) }); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := events.NewRelay(o, bus, w.Log).Step(t.Context()); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.Run(ctx) }()
	for range 1000 {
		k.mu.Lock()
		n := len(k.took)
		k.mu.Unlock()
		if n == 2 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	<-done
	if want := []string{"identity.user", "identity.role"}; !slices.Equal(k.took, want) {
		t.Errorf("took %v, want %v", k.took, want)
	}
	if lines, err := o.Waiting(t.Context(), 10); err != nil || len(lines) > 0 {
		t.Errorf("left: %v %v", lines, err)
	}
}

func TestWhereAWebhookMayNotReach(t *testing.T) {
	for u, ok := range map[string]bool{
		"https://example.com/x": true, "https://10.1.2.3/": true, "http://127.0.0.1:8080/": true, "http://localhost/": true, "https://127.0.0.1/": true, "http://[::1]:1/": true,
		"http://example.com/": false, "http://10.1.2.3/": false, "https://169.254.169.254/latest": false, "https://[::ffff:169.254.169.254]/": false, "https://[fe80::1]/": false,
		"https://u:p@example.com/": false, "https://0.0.0.0/": false, "ftp://example.com": false, "https:///x": false, "": false, "https://224.0.0.1/": false,
	} {
		if got := checkURL(u) == nil; got != ok {
			t.Errorf("%s: %v", u, got)
		}
	}
	// A name that resolves to what it may not reach is refused when it is dialled.
	w := open(t)
	there := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was reached") }))
	defer there.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, there.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.outside.Do(r); err == nil || !strings.Contains(err.Error(), "may not reach") {
		t.Error(err)
	}
	if isOutside(netip.MustParseAddr("169.254.169.254")) {
		t.Error("the metadata service is reached")
	}
	if _, _, err := w.Create(t.Context(), "https://example.com", "a b", ""); err == nil || fault.CodeOf(err) == "InternalError" {
		t.Error(err)
	}
}

func TestTheStreamFromAPlace(t *testing.T) {
	r := &Ring{}
	read := func(since int64, pattern string) string {
		v, err := r.After(t.Context(), since, pattern, 2, 0)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, e := range v.Events {
			ids = append(ids, e.ID)
		}
		b, err := json.Marshal([]any{ids, v.Next, v.Missed})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, id := range []string{"0", "1", "2"} {
		r.Take(events.Event{ID: id, Subject: "a." + id})
	}
	for _, c := range []struct {
		since   int64
		pattern string
		want    string
	}{
		{0, ">", `[["0","1"],2,false]`}, {2, ">", `[["2"],3,false]`}, {-1, ">", `[null,3,false]`}, {0, "a.2", `[["2"],3,false]`}, {9, ">", `[["0","1"],2,true]`},
	} {
		if got := read(c.since, c.pattern); got != c.want {
			t.Errorf("%d %s: %s, want %s", c.since, c.pattern, got, c.want)
		}
	}
	for range 2 * ringSize {
		r.Take(events.Event{ID: "x", Subject: "b"})
	}
	if got := read(0, ">"); !strings.HasSuffix(got, "true]") {
		t.Error(got)
	}
}
