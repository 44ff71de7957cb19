package daemon

import (
	"cmp"
	"context"
	"time"

	"karri/shared/service"
	"karri/walrus/courier"
	"karri/walrus/event"
	"karri/walrus/index"
	"karri/walrus/lifecycle"
	"karri/walrus/s3"
	"karri/walrus/setting"
)

// works are the loops that obey the settings of buckets.
type works struct {
	now       func() time.Time
	pace      time.Duration
	hooks     *event.Webhooks
	events    *courier.Courier
	lifecycle *lifecycle.Lifecycle
}

// works makes the loops over an index; conf is that of the API beside them.
func (c *Config) works(s *service.Service, x index.Index, conf s3.Config) *works {
	w := &works{now: c.Clock, pace: cmp.Or(c.Pace, 5*time.Second)}
	if w.now == nil {
		w.now = time.Now
	}
	carried := s.Metrics.Counter("walrus_events_total", "Events and copies to other stores, by what became of them.", "target", "result")
	count := func(to, what string) { carried(1, to, what) }
	w.hooks = event.NewWebhooks(event.Webhooks{Targets: conf.EventTargets, Buckets: x, Region: c.Region, Now: w.now, Log: s.Log})
	w.events = w.hooks.Courier(x, c.EventKeep, count)
	ended := s.Metrics.Counter("walrus_lifecycle_total", "What lifecycles ended, and what object lock kept from that.", "what")
	w.lifecycle = &lifecycle.Lifecycle{
		Store: x, Settings: &setting.Cache{}, Now: w.now, Log: s.Log,
		Changed: func() { conf.Changed(); w.told() },
		Count:   func(what string, n float64) { ended(n, what) },
	}
	s.Metrics.Gauges("walrus_queue_length", "Events that wait, by queue.", "queue", func() map[string]float64 {
		return queues(x, func(q index.Queue) float64 { return float64(q.Length) })
	})
	s.Metrics.Gauges("walrus_queue_age_seconds", "How old the oldest event is that waits, by queue.", "queue", func() map[string]float64 {
		return queues(x, func(q index.Queue) float64 { return w.now().Sub(q.Oldest).Seconds() })
	})
	return w
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
func (w *works) told() { w.events.Nudge() }

// start makes the loops run while the daemon serves.
func (w *works) start(s *service.Service) {
	s.Go("events", func(ctx context.Context) error { return w.events.Run(ctx, w.pace) })
	s.Go("lifecycle", func(ctx context.Context) error { return w.lifecycle.Run(ctx, w.pace) })
}

func (w *works) close() { w.hooks.Close() }
