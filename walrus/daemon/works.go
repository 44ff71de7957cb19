package daemon

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"karri/shared/rest"
	"karri/shared/service"
	"karri/walrus/access"
	"karri/walrus/agent"
	"karri/walrus/courier"
	"karri/walrus/event"
	"karri/walrus/index"
	"karri/walrus/inventory"
	"karri/walrus/journal"
	"karri/walrus/lifecycle"
	"karri/walrus/replica"
	"karri/walrus/s3"
	"karri/walrus/setting"
)

// WorkFlags are the settings of the loops that obey the settings of buckets.
type WorkFlags struct {
	LogDelivery time.Duration `flag:"log-delivery" default:"5m" help:"how often the access logs of buckets are delivered"`
}

// works are the loops that obey the settings of buckets.
type works struct {
	now       func() time.Time
	pace      time.Duration
	hooks     *event.Webhooks
	events    *courier.Courier
	lifecycle *lifecycle.Lifecycle
	journal   *journal.Journal
	inventory *inventory.Inventory
	copier    *replica.Copier
	copies    *courier.Courier
	agent     *agent.Agent
	settings  setting.Cache
}

// works makes the loops over an index; conf is that of the API beside them.
func (c *Config) works(s *service.Service, x index.Index, conf s3.Config) (*works, error) {
	w := &works{now: c.Clock, pace: cmp.Or(c.Pace, 5*time.Second)}
	if w.now == nil {
		w.now = time.Now
	}
	conf.Now, conf.Told = w.now, w.told
	w.agent = agent.New(conf)
	w.tellers(c, s, x, conf)
	if err := w.writers(c, s, x); err != nil {
		return nil, err
	}
	return w, nil
}

// tellers makes the loops that tell of changes, and those that make some.
func (w *works) tellers(c *Config, s *service.Service, x index.Index, conf s3.Config) {
	carried := s.Metrics.Counter("walrus_events_total", "Events and copies to other stores, by what became of them.", "target", "result")
	count := func(to, what string) { carried(1, to, what) }
	w.hooks = event.NewWebhooks(event.Webhooks{Targets: conf.EventTargets, Buckets: x, Region: c.Region, Now: w.now, Log: s.Log})
	w.events = w.hooks.Courier(x, c.EventKeep, count)
	w.copier = (&replica.Copier{
		Store: x, Settings: &w.settings, Targets: conf.ReplicationTargets, Now: w.now, Log: s.Log, Open: w.open,
	}).Start()
	w.copies = w.copier.Courier(x, c.EventKeep, count)
	ended := s.Metrics.Counter("walrus_lifecycle_total", "What lifecycles ended, and what object lock kept from that.", "what")
	w.lifecycle = &lifecycle.Lifecycle{
		Store: x, Settings: &w.settings, Now: w.now, Log: s.Log,
		Changed: func() { conf.Changed(); w.told() },
		Count:   func(what string, n float64) { ended(n, what) },
		Ended:   w.ended,
	}
	s.Metrics.Gauges("walrus_queue_length", "Events that wait, by queue.", "queue", func() map[string]float64 {
		return queues(x, func(q index.Queue) float64 { return float64(q.Length) })
	})
	s.Metrics.Gauges("walrus_queue_age_seconds", "How old the oldest event is that waits, by queue.", "queue", func() map[string]float64 {
		return queues(x, func(q index.Queue) float64 { return w.now().Sub(q.Oldest).Seconds() })
	})
}

// writers makes the loops that put objects into buckets.
func (w *works) writers(c *Config, s *service.Service, x index.Index) (err error) {
	logs := s.Metrics.Counter("walrus_logs_total", "Access logs by what became of them.", "result")
	w.journal, err = journal.Open(journal.Options{
		Dir: filepath.Join(s.State, "journal"), Buckets: x, Settings: &w.settings, Region: c.Region, Interval: c.LogDelivery, Now: w.now, Log: s.Log,
		Count: func(what string) { logs(1, what) },
		Put: func(ctx context.Context, source *index.Bucket, target, key string, h http.Header, body []byte) error {
			return w.put(ctx, "logging.s3.amazonaws.com", source, target, key, h, bytes.NewReader(body), int64(len(body)))
		},
	})
	if err != nil {
		return fmt.Errorf("the journal: %w", err)
	}
	dir := filepath.Join(s.State, "inventory")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil { // there is only what a crash left
		return fmt.Errorf("the folder of inventories: %w", err)
	}
	lists := s.Metrics.Counter("walrus_inventories_total", "Inventories, by whether they were written or their destination refused.", "result")
	w.inventory = &inventory.Inventory{
		Store: x, Settings: &w.settings, Dir: dir, Now: w.now, Log: s.Log, Count: func(what string) { lists(1, what) },
		Put: func(ctx context.Context, source *index.Bucket, target, key, kind string, body io.Reader, size int64) error {
			return w.put(ctx, "s3.amazonaws.com", source, target, key, http.Header{"Content-Type": {kind}}, body, size)
		},
	}
	s.Metrics.Gauge("walrus_logs_waiting", "Files of access logs that wait to be delivered.", func() float64 {
		n, _ := w.journal.Waiting()
		return float64(n)
	})
	return nil
}

// ended notes what a lifecycle ended in the bucket's access log.
func (w *works) ended(b *index.Bucket, e lifecycle.End) {
	all, err := w.settings.Of(b)
	if err != nil || all.Logging == nil || all.Logging.Enabled == nil {
		return
	}
	_ = w.journal.Note(&journal.Entry{ // as S3's, these lines are written as well as may be
		Owner: access.Canonical(b.Owner), Bucket: b.Name, Time: w.now(), Requester: "AmazonS3", RequestID: rest.NewRequestID(),
		Operation: e.Action, Key: e.Key, Version: e.Version, Size: e.Size,
	})
}

// put makes an object in a target bucket, which must belong to who owns the
// source and let the service in.
func (w *works) put(ctx context.Context, as string, source *index.Bucket, target, key string, h http.Header, body io.Reader, size int64) error {
	if h == nil {
		h = http.Header{}
	}
	h.Set("X-Amz-Expected-Bucket-Owner", source.Owner)
	_, err := w.agent.Do(ctx, agent.Request{As: s3.Caller{Service: as, Source: source}, Method: http.MethodPut, Bucket: target, Key: key, Header: h, Body: body, Size: size})
	return err
}

func queues(x index.Outbox, number func(index.Queue) float64) map[string]float64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	all := map[string]float64{}
	list, err := x.Queues(ctx)
	if err != nil {
		return nil
	}
	for _, q := range list {
		all[q.Name] = number(q)
	}
	return all
}

// told nudges those who carry events.
func (w *works) told() {
	w.events.Nudge()
	w.copies.Nudge()
}

// open reads a version, or a part of it, with the rights of its bucket's owner.
func (w *works) open(ctx context.Context, b *index.Bucket, o *index.Object, part int) (io.ReadCloser, error) {
	q := url.Values{"versionId": {o.Version}}
	if part > 0 {
		q.Set("partNumber", strconv.Itoa(part))
	}
	_, body, err := w.agent.Open(ctx, agent.Request{As: s3.Caller{Account: b.Owner}, Method: http.MethodGet, Bucket: b.Name, Key: o.Key, Query: q})
	return body, err
}

// A census is what a loop tells of itself.
type census func() (known, away int, longest time.Duration)

// measure shows what the loops are at.
func (w *works) measure(s *service.Service, sweeper census) {
	loops := map[string]census{"mill": sweeper, "events": w.events.Census, "copies": w.copies.Census,
		"lifecycle": w.lifecycle.Census, "inventory": w.inventory.Census, "journal": w.journal.Census}
	each := func(number func(known, away int, longest time.Duration) float64) func() map[string]float64 {
		return func() map[string]float64 {
			all := map[string]float64{}
			for name, ask := range loops {
				all[name] = number(ask())
			}
			return all
		}
	}
	s.Metrics.Gauges("walrus_loop_things", "Things that a loop looks after.", "loop", each(func(known, _ int, _ time.Duration) float64 { return float64(known) }))
	s.Metrics.Gauges("walrus_loop_away", "Things that a loop is not done with: a step failed or is waited for.", "loop", each(func(_, away int, _ time.Duration) float64 { return float64(away) }))
	s.Metrics.Gauges("walrus_loop_away_seconds", "For how long the loop has not been done with one of them.", "loop", each(func(_, _ int, longest time.Duration) float64 { return longest.Seconds() }))
}

// start makes the loops run while the daemon serves. The journal is that of this
// process; of the others one walrus runs all.
func (w *works) start(s *service.Service, x index.Index, shared bool, announce func(context.Context) error) {
	s.Go("journal", func(ctx context.Context) error { return w.journal.Run(ctx, w.pace) })
	loops := map[string]func(context.Context, time.Duration) error{
		"announcements": func(ctx context.Context, _ time.Duration) error { return announce(ctx) },
		"events":        w.events.Run, "copies": w.copies.Run, "inventory": w.inventory.Run, "lifecycle": w.lifecycle.Run,
	}
	var all []func(context.Context) error
	for name, run := range loops {
		f := func(ctx context.Context) error { return run(ctx, w.pace) }
		if all = append(all, f); !shared {
			s.Go(name, f)
		}
	}
	if shared {
		l := newLead(x, s.Log)
		s.Go("lead", func(ctx context.Context) error { return l.run(ctx, all...) })
	}
}

func (w *works) close(log *slog.Logger) {
	w.hooks.Close()
	w.copier.Close()
	if err := w.journal.Close(); err != nil {
		log.Error("cannot close the journal", "err", err)
	}
}
