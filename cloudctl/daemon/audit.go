package daemon

import (
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"karri/cloudctl/ledger"
	"karri/cloudctl/store"
	"karri/shared/audit"
	"karri/shared/pki"
)

// ownLog is the audit log of this process: a ledger.Source.
type ownLog struct{ *audit.Log }

// After is ledger.Source's.
func (o ownLog) After(_ context.Context, at audit.Head) (audit.Part, error) { return o.Log.After(at) }

// Verify is ledger.Source's.
func (o ownLog) Verify(_ context.Context, at audit.Head) (audit.Report, error) {
	return o.Log.Verify(at)
}

// theirLog is that of another component.
type theirLog struct{ *linked }

func place(at audit.Head) url.Values {
	return url.Values{"after": {strconv.FormatUint(at.Seq, 10)}, "hash": {at.Hash}}
}

// After is ledger.Source's.
func (t theirLog) After(ctx context.Context, at audit.Head) (p audit.Part, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return p, t.client.Call(ctx, http.MethodGet, "/v1/audit", place(at), nil, &p)
}

// Verify is ledger.Source's.
func (t theirLog) Verify(ctx context.Context, at audit.Head) (r audit.Report, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	return r, t.client.Call(ctx, http.MethodGet, "/v1/audit/verify", place(at), nil, &r)
}

// openLedger begins to take over the audit logs, and to write trails.
func (c *cloud) openLedger(ctx context.Context) error {
	x, err := store.OpenIndex(ctx, filepath.Join(c.State, "audit.db"))
	if err != nil {
		return err
	}
	c.ledger = (&ledger.Ledger{Index: x, Sources: c.logs, Clock: time.Now, Log: c.Log}).Open()
	c.OnAudited(c.ledger.Nudge)
	own := c.Identity().String()
	c.Go("audit index", func(ctx context.Context) error { return c.ledger.Run(ctx, own) })
	exporter := &ledger.Exporter{Index: x, Store: c.store, Buckets: c.zones.walrusStore, Region: c.config.Region, Every: c.config.TrailDelivery, Clock: time.Now, Log: c.Log}
	c.Go("trails", exporter.Run)
	return nil
}

// logs returns the audit logs of the cloud's daemons, but for the nodes'.
func (c *cloud) logs() map[string]ledger.Source {
	all := map[string]ledger.Source{c.Identity().String(): ownLog{c.Audit}}
	c.zones.mu.Lock()
	defer c.zones.mu.Unlock()
	for name, l := range c.zones.links {
		if l.Role != pki.Nodectl {
			all[name] = theirLog{l}
		}
	}
	return all
}
