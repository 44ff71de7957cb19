package news

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/shared/crash"
	"karri/shared/events"
	"karri/shared/fault"
)

// The headers by which a receiver knows a message, as those of walrus: the
// signature is "sha256=" and, in hexadecimal, the HMAC-SHA256 under the
// webhook's secret of timestamp, "." and the body, which is the event as JSON.
const (
	SignatureHeader = "X-Karri-Signature"
	TimestampHeader = "X-Karri-Timestamp" // seconds since 1970
	EventHeader     = "X-Karri-Event"     // its ID, the same when it comes again
)

const (
	patience = 10 * time.Second // with one message
	keepFor  = 24 * time.Hour   // how long a message is tried
	mostOwed = 10_000           // messages that wait for one webhook; it misses what comes then
	mostHook = 100
	longWait = 5 * time.Minute
)

// Webhooks sends events to the URLs that asked for them.
type Webhooks struct {
	Store *store.Store
	Vault *vault.Vault
	Clock func() time.Time
	Log   *slog.Logger
	Count func(what string) // "sent", "failed" or "dropped"; may be nil

	mu      sync.Mutex
	working map[string]bool
	rests   map[string]rest // of those that failed
	wake    chan struct{}
	inside  *http.Client // to loopback
	outside *http.Client // to anywhere else
}

// rest is how long a webhook that failed is left alone.
type rest struct {
	tries int
	until time.Time
}

// Open makes w ready.
func (w *Webhooks) Open() *Webhooks {
	w.working, w.rests, w.wake = map[string]bool{}, map[string]rest{}, make(chan struct{}, 1)
	w.inside, w.outside = client(isLoopback), client(isOutside)
	return w
}

// client returns one that connects to addresses that may be, whatever a name
// resolves to when the connection is made, and follows no redirect.
func client(may func(netip.Addr) bool) *http.Client {
	d := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err == nil && !may(at.Addr().Unmap()) {
			err = fmt.Errorf("a webhook may not reach %s", at.Addr())
		}
		return err
	}}
	return &http.Client{
		Timeout: patience,
		Transport: &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute,
			TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func isLoopback(a netip.Addr) bool { return a.IsLoopback() }

// isOutside refuses the machine itself and what is next to it: metadata
// services live there.
func isOutside(a netip.Addr) bool {
	return !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsMulticast() && !a.IsUnspecified() && !a.IsInterfaceLocalMulticast()
}

// local reports whether a URL names loopback itself.
func local(u *url.URL) bool {
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && a.IsLoopback()
}

// checkURL takes https to anywhere, and http to loopback.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || len(text) > 2000 || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !local(u)) {
		return fault.New(fault.Invalid, "InvalidParameterValue", "The URL of a webhook is https://..., or http:// to this machine itself, without user and fragment.")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !local(u) && !isOutside(a.Unmap()) {
		return fault.New(fault.Invalid, "InvalidParameterValue", "A webhook may not reach %s.", a)
	}
	return nil
}

// Create makes a webhook and returns the secret that signs what it is sent:
// the one that was given, or else a fresh one.
func (w *Webhooks) Create(ctx context.Context, to, subject, secret string) (*store.Webhook, string, error) {
	if err := errors.Join(checkURL(to), events.CheckPattern(subject)); err != nil {
		return nil, "", err
	}
	if secret == "" {
		secret = rand.Text()
	}
	if len(secret) < 16 || len(secret) > 256 {
		return nil, "", fault.New(fault.Invalid, "InvalidParameterValue", "The secret of a webhook has 16 to 256 characters.")
	}
	h := &store.Webhook{ID: "hook-" + strings.ToLower(rand.Text()[:16]), URL: to, Subject: subject, Created: w.Clock()}
	err := w.Store.InTx(ctx, func(tx *store.Tx) error {
		h.Sealed = w.Vault.Seal(h.ID, secret)
		all, err := tx.Webhooks()
		if err == nil && len(all) >= mostHook {
			err = fault.New(fault.Conflict, "LimitExceeded", "There are %d webhooks already.", len(all))
		}
		if err != nil {
			return err
		}
		return tx.Add(h)
	})
	return h, secret, err
}

// List returns all webhooks and how many events each was not sent yet.
func (w *Webhooks) List(ctx context.Context) (all []store.Webhook, owed []int, err error) {
	err = w.Store.View(ctx, func(tx *store.Tx) (err error) {
		if all, err = tx.Webhooks(); err != nil {
			return err
		}
		for _, h := range all {
			n, err := tx.OwedTo(h.ID)
			if err != nil {
				return err
			}
			owed = append(owed, n)
		}
		return nil
	})
	return all, owed, err
}

// Delete forgets a webhook and what it was to be sent.
func (w *Webhooks) Delete(ctx context.Context, id string) error {
	return w.Store.InTx(ctx, func(tx *store.Tx) error {
		h, err := tx.Webhook(id)
		if err != nil {
			return err
		}
		return tx.DropWebhook(h)
	})
}

// deliver writes what each webhook is to be sent of an event.
func deliver(tx *store.Tx, e events.Event) error {
	hooks, err := tx.Webhooks()
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if !events.Match(h.Subject, e.Subject) {
			continue
		}
		if n, err := tx.OwedTo(h.ID); err != nil || n >= mostOwed {
			if err != nil {
				return err
			}
			continue // it has been away for long; what waits says so
		}
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if err := tx.Owe(&store.Delivery{Webhook: h.ID, Event: e.ID, Body: body, Created: e.Time}); err != nil {
			return err
		}
	}
	return nil
}

// Take writes an event of another component down: a subscription's.
func (w *Webhooks) Take(e events.Event) {
	err := w.Store.InTx(context.Background(), func(tx *store.Tx) error { return deliver(tx, e) })
	if err != nil {
		w.Log.Error("an event is not kept for webhooks", "id", e.ID, "err", err)
	}
	w.Nudge()
}

// Nudge says that there may be something to send.
func (w *Webhooks) Nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends.
func (w *Webhooks) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer w.inside.CloseIdleConnections()
	defer w.outside.CloseIdleConnections()
	for ctx.Err() == nil {
		if err := w.pass(ctx, &wg); err != nil && ctx.Err() == nil {
			w.Log.Error("webhooks cannot be read", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-time.After(time.Second):
		}
	}
	return nil
}

// pass starts a worker for each webhook that has none and is not resting.
func (w *Webhooks) pass(ctx context.Context, wg *sync.WaitGroup) error {
	var hooks []store.Webhook
	err := w.Store.View(ctx, func(tx *store.Tx) (err error) {
		hooks, err = tx.Webhooks()
		return err
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range hooks {
		if w.working[h.ID] || w.Clock().Before(w.rests[h.ID].until) {
			continue
		}
		w.working[h.ID] = true
		wg.Go(func() {
			err := w.work(ctx, h)
			w.mu.Lock()
			defer w.mu.Unlock()
			delete(w.working, h.ID)
			r := w.rests[h.ID]
			if delete(w.rests, h.ID); err != nil && ctx.Err() == nil {
				r.tries++
				r.until = w.Clock().Add(min(time.Second<<min(r.tries-1, 20), longWait))
				w.rests[h.ID] = r
				w.Log.Warn("a webhook failed", "webhook", h.ID, "tries", r.tries, "err", err)
			}
		})
	}
	return nil
}

// work sends what one webhook is owed, in order, until something fails.
func (w *Webhooks) work(ctx context.Context, h store.Webhook) error {
	for {
		var owed []store.Delivery
		err := w.Store.View(ctx, func(tx *store.Tx) (err error) {
			owed, err = tx.Owed(h.ID, 50)
			return err
		})
		if err != nil || len(owed) == 0 {
			return err
		}
		for _, d := range owed {
			what := "sent"
			if err := w.send(ctx, h, d); err != nil {
				if ctx.Err() != nil || w.Clock().Sub(d.Created) < keepFor {
					w.count("failed")
					return err
				}
				w.Log.Error("an event was given up", "webhook", h.ID, "event", d.Event, "err", err)
				what = "dropped"
			}
			crash.Here("cloudctl.news.sent")
			if err := w.Store.InTx(ctx, func(tx *store.Tx) error { return tx.DropDelivery(d.Seq) }); err != nil {
				return err
			}
			w.count(what)
		}
	}
}

func (w *Webhooks) count(what string) {
	if w.Count != nil {
		w.Count(what)
	}
}

// send posts one message.
func (w *Webhooks) send(ctx context.Context, h store.Webhook, d store.Delivery) error {
	secret, err := w.Vault.Unseal(h.ID, h.Sealed)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(d.Body))
	if err != nil {
		return err
	}
	at := strconv.FormatInt(w.Clock().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "."))
	mac.Write(d.Body)
	for name, value := range map[string]string{"Content-Type": "application/json", "User-Agent": "Karri", EventHeader: d.Event,
		TimestampHeader: at, SignatureHeader: "sha256=" + hex.EncodeToString(mac.Sum(nil))} {
		r.Header.Set(name, value)
	}
	c := w.outside
	if local(r.URL) {
		c = w.inside
	}
	res, err := c.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook answered %s", res.Status)
	}
	return nil
}
