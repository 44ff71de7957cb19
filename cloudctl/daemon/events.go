package daemon

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"karri/cloudctl/news"
	"karri/shared/events"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/service"
)

// EventFlags say how the components of the cloud hear of changes.
type EventFlags struct {
	EventsListen string   `flag:"events-listen" help:"host:port of the event server, by which caches hear of changes at once; any port beside the internal API when not given; off: none, and each cache lives by its time"`
	EventsURL    []string `flag:"events-url" help:"tls://HOST:PORT of each server of a NATS cluster to use instead; components show their certificates to it"`
	EventsCA     string   `flag:"events-ca" help:"PEM file with the authority of that cluster; those that the host believes, when not given"`
	service.EventCredentials
}

// telling is the bus of the cloud and what hangs on it.
type telling struct {
	bus    events.Bus
	at     events.Address
	server *events.Server // nil: there is none in this process
	relay  *events.Relay
	ring   *news.Ring
	hooks  *news.Webhooks
}

// openEvents makes the bus and begins to tell what was announced.
func (c *cloud) openEvents() (*telling, error) {
	t := &telling{ring: &news.Ring{Boot: rest.NewRequestID()}}
	if err := t.open(c); err != nil {
		return nil, err
	}
	sent := c.Metrics.Counter("karri_webhooks_total", "Events for webhooks by what became of them.", "result")
	t.hooks = (&news.Webhooks{Store: c.store, Vault: c.book.Vault, Clock: time.Now, Log: c.Log, Count: func(what string) { sent(1, what) }}).Open()
	t.relay = events.NewRelay(news.Outbox{Store: c.store, Source: c.Identity().String()}, t.bus, c.Log)
	c.store.OnAnnounced(func(string, []byte) { t.relay.Nudge() })
	_, err1 := t.bus.Subscribe(">", t.ring.Take)
	_, err2 := t.bus.Subscribe("bucket.>", t.hooks.Take)
	_, err3 := t.bus.Subscribe("identity.>", func(events.Event) { t.hooks.Nudge() })
	if err := errors.Join(err1, err2, err3); err != nil {
		t.close()
		return nil, err
	}
	c.Internal.Handle("GET", "/v1/events", rest.Roles(pki.Walrus, pki.Clusterctl, pki.Blockstore), func(w http.ResponseWriter, _ *http.Request) error {
		return rest.JSON(w, t.at)
	})
	c.Go("events", t.relay.Run)
	c.Go("webhooks", t.hooks.Run)
	c.Metrics.Gauge("karri_events_connected", "Whether the event server is reached.", func() float64 {
		if t.bus.Connected() {
			return 1
		}
		return 0
	})
	return t, nil
}

// open connects to the outside cluster, or starts the server in this process.
func (t *telling) open(c *cloud) (err error) {
	conf := c.config.EventFlags
	refused := c.Metrics.Counter("karri_events_refused_total", "Messages of the event server that no component of this cloud had signed.")
	o := events.Options{Name: c.Identity().String(), Self: c.Self, Log: c.Log, Credentials: conf.EventsCredentials, Refused: func() { refused(1) }}
	switch {
	case len(conf.EventsURL) > 0:
		if t.at, err = events.Outside(conf.EventsURL, conf.EventsCA); err != nil {
			return err
		}
		o.Where = func(context.Context) (events.Address, error) { return t.at, nil }
	case conf.EventsListen == "off":
		t.bus = events.NewMemory()
		return nil
	default:
		if o.Local, err = c.serveEvents(conf.EventsListen); err != nil {
			return err
		}
		t.server = o.Local
		_, port, err1 := net.SplitHostPort(o.Local.Addr())
		host, _, err2 := net.SplitHostPort(c.Addr)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		t.at.URLs = []string{"tls://" + net.JoinHostPort(host, port)}
	}
	t.bus, err = events.Connect(o)
	return err
}

func (c *cloud) serveEvents(listen string) (*events.Server, error) {
	if listen == "" {
		host, _, err := net.SplitHostPort(c.Flags.Listen)
		if err != nil {
			return nil, err
		}
		listen = net.JoinHostPort(host, "0")
	}
	return events.Serve(listen, c.Self, c.Log)
}

func (t *telling) close() {
	if t.bus != nil {
		t.bus.Close()
	}
	if t.server != nil {
		t.server.Close()
	}
}
