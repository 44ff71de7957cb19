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
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/wire"
)

// ownLog is the audit log of this process: a ledger.Source.
type ownLog struct{ *audit.Log }

// After is ledger.Source's.
func (o ownLog) After(_ context.Context, at audit.Head) (audit.Part, error) { return o.Log.After(at) }

// Verify is ledger.Source's.
func (o ownLog) Verify(_ context.Context, at audit.Head) (audit.Report, error) {
	return o.Log.Verify(at)
}

// theirLog is that of another component, or of a node, which its clusterctl
// is asked for.
type theirLog struct {
	*linked
	path string
	away func() bool // nil: it is asked in any case
}

func place(at audit.Head) url.Values {
	return url.Values{"after": {strconv.FormatUint(at.Seq, 10)}, "hash": {at.Hash}}
}

// After is ledger.Source's.
func (t theirLog) After(ctx context.Context, at audit.Head) (p audit.Part, err error) {
	if t.away != nil && t.away() {
		return p, fault.New(fault.Later, rest.PeerAway, "The node does not answer.")
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return p, t.client.Call(ctx, http.MethodGet, t.path, place(at), nil, &p)
}

// Verify is ledger.Source's.
func (t theirLog) Verify(ctx context.Context, at audit.Head) (r audit.Report, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	return r, t.client.Call(ctx, http.MethodGet, t.path+"/verify", place(at), nil, &r)
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
	c.signer = &ledger.Signer{Store: c.store, Vault: c.book.Vault, Clock: time.Now}
	exporter := &ledger.Exporter{Signer: c.signer, Index: x, Store: c.store, Buckets: c.zones.walrusStore, Region: c.config.Region, Every: c.config.TrailDelivery, Digests: c.config.TrailDigest, Clock: time.Now, Log: c.Log}
	c.Go("trails", exporter.Run)
	return nil
}

// logs returns the audit logs of all daemons of the cloud. Which nodes there are
// is what their clusterctl says; it speaks for those of its zone alone.
func (c *cloud) logs() map[string]ledger.Source {
	all := map[string]ledger.Source{c.Identity().String(): ownLog{c.Audit}}
	c.zones.mu.Lock()
	defer c.zones.mu.Unlock()
	for name, l := range c.zones.links {
		if l.Role != pki.Nodectl {
			all[name] = theirLog{linked: l, path: "/v1/audit"}
		}
	}
	for _, zone := range c.reports.Zones() {
		l := c.zones.links[pki.Identity{Role: pki.Clusterctl, Zone: zone}.String()]
		for name := range c.reports.Cluster(zone).Nodes {
			who := pki.Identity{Role: pki.Nodectl, Zone: zone, Name: name}
			if again, err := pki.Parse(who.String()); l == nil || err != nil || again != who {
				continue
			}
			away := func() bool { return c.reports.Cluster(zone).Nodes[name].State == wire.Away }
			all[who.String()] = theirLog{l, "/v1/nodes/" + name + "/audit", away}
		}
	}
	return all
}
