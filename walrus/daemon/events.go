package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"karri/shared/events"
	"karri/shared/rest"
	"karri/shared/service"
	"karri/walrus/index"
)

// outbox is what the index has to tell of buckets: an events.Outbox.
type outbox struct {
	events index.Outbox
	source string
}

// Waiting is events.Outbox's.
func (o outbox) Waiting(ctx context.Context, max int) ([]events.Line, error) {
	list, err := o.events.Events(ctx, index.Announced, 0, max)
	lines := make([]events.Line, len(list))
	for i, e := range list {
		body, err := json.Marshal(struct{ Account, Bucket, Setting string }{e.Account, e.Bucket, e.Rule})
		if err != nil {
			return nil, err
		}
		lines[i] = events.Line{Seq: int64(e.Seq), Event: events.Event{
			ID: fmt.Sprintf("w%x", e.Seq), Subject: "bucket." + e.Rule, Source: o.source, Time: e.Time, Body: body,
		}}
	}
	return lines, err
}

// Told is events.Outbox's.
func (o outbox) Told(ctx context.Context, lines []events.Line) error {
	seqs := make([]uint64, len(lines))
	for i, l := range lines {
		seqs[i] = uint64(l.Seq)
	}
	return o.events.EventsDone(ctx, index.Announced, seqs...)
}

// hear connects to the event server that cloudctl names, and forgets keys as
// soon as something about their account changes. Without events they are asked
// for again when they are KeyRefresh old.
func hear(s *service.Service, cloud *rest.Client, k *keys, credentials string) (events.Bus, error) {
	refused := s.Metrics.Counter("walrus_events_refused_total", "Messages of the event server that no component of this cloud had signed.")
	bus, err := events.Connect(events.Options{
		Name: s.Identity().String(), Self: s.Self, Log: s.Log, Credentials: credentials, Refused: func() { refused(1) },
		Where: func(ctx context.Context) (at events.Address, err error) {
			return at, cloud.Call(ctx, http.MethodGet, "/v1/events", nil, nil, &at)
		},
	})
	if err != nil {
		return nil, err
	}
	bus.OnGap(k.suspect)
	_, err = bus.Subscribe("identity.>", func(e events.Event) {
		if account := e.Account(); account != "" {
			k.drop(account)
		} else {
			k.suspect()
		}
	})
	if err != nil {
		bus.Close()
		return nil, err
	}
	s.Metrics.Gauge("walrus_events_connected", "Whether the event server is reached, which tells of changes of keys at once.", func() float64 {
		if bus.Connected() {
			return 1
		}
		return 0
	})
	return bus, nil
}
