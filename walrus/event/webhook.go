package event

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"karri/shared/fault"
	"karri/walrus/courier"
	"karri/walrus/index"
	"karri/walrus/setting"
)

// The headers by which a receiver knows a message. The signature is "sha256="
// and, in hexadecimal, the HMAC-SHA256 under the target's secret of timestamp,
// "." and the body.
const (
	SignatureHeader = "X-Karri-Signature"
	TimestampHeader = "X-Karri-Timestamp" // seconds since 1970
)

// patience is how long a target may take.
const patience = 10 * time.Second

// Webhooks sends messages to targets.
type Webhooks struct {
	Targets setting.EventTargets
	Buckets index.Buckets
	Region  string
	Now     func() time.Time // nil: time.Now
	Log     *slog.Logger
	client  http.Client
}

// NewWebhooks returns a sender to targets.
func NewWebhooks(w Webhooks) *Webhooks {
	w.client = http.Client{
		Timeout:       patience,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if w.Now == nil {
		w.Now = time.Now
	}
	return &w
}

// Close ends idle connections.
func (w *Webhooks) Close() { w.client.CloseIdleConnections() }

// Send sends an event to the target with an ARN: a courier's Send.
func (w *Webhooks) Send(ctx context.Context, arn string, e index.Event) error {
	b, err := w.Buckets.Bucket(ctx, e.Bucket)
	owner := ""
	switch {
	case err == nil:
		owner = b.Owner
	case fault.KindOf(err) != fault.Missing: // a bucket that is gone since has still had the event
		return err
	}
	to, ok := w.Targets.Target(arn, owner)
	if !ok && owner != "" {
		return fmt.Errorf("%s is not a target, or not of account %s", arn, owner)
	}
	if to, ok = w.Targets[arn]; !ok {
		return fmt.Errorf("%s is not a target", arn)
	}
	return w.post(ctx, to, Message(e, owner, w.Region))
}

// Test sends the test message to a target at once.
func (w *Webhooks) Test(ctx context.Context, arn string, b *index.Bucket, request string) error {
	return w.Send(ctx, arn, index.Event{Name: Test, Bucket: b.Name, Time: w.Now(), RequestID: request})
}

// Dead writes down what is given up: a courier's Dead.
func (w *Webhooks) Dead(ctx context.Context, arn string, e index.Event, err error) error {
	log := cmp.Or(w.Log, slog.Default())
	log.ErrorContext(ctx, "an event was given up", "target", arn, "err", err, "message", string(Message(e, "", w.Region)))
	return nil
}

func (w *Webhooks) post(ctx context.Context, to setting.EventTarget, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Karri")
	if err := authenticate(r, to, body, w.Now()); err != nil {
		return err
	}
	res, err := w.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the target answered %s", res.Status)
	}
	return nil
}

// authenticate adds the proof that the target's secret allows.
func authenticate(r *http.Request, to setting.EventTarget, body []byte, now time.Time) error {
	if to.Secret == "" {
		return nil
	}
	b, err := os.ReadFile(to.Secret)
	if err != nil {
		return fmt.Errorf("the secret of a target: %w", err)
	}
	secret := strings.TrimSpace(string(b))
	if strings.HasPrefix(secret, "Bearer ") {
		r.Header.Set("Authorization", secret)
		return nil
	}
	at := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	r.Header.Set(TimestampHeader, at)
	r.Header.Set(SignatureHeader, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return nil
}

// Courier returns what carries events to the targets.
func (w *Webhooks) Courier(o courier.Outbox, keep time.Duration, count func(to, what string)) *courier.Courier {
	return &courier.Courier{Class: Class, Outbox: o, Send: w.Send, Dead: w.Dead, Keep: keep, Now: w.Now, Log: w.Log, Count: count}
}
