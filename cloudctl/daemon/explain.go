package daemon

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"karri/cloudctl/admin"
	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/wire"
)

// serveExplain answers GET /v1/explain/{id} for any resource, to components.
func (c *cloud) serveExplain() {
	c.Internal.Handle("GET", "/v1/explain/{id}", rest.Roles(pki.Cloudctl), func(w http.ResponseWriter, r *http.Request) error {
		e, err := c.explain(r.Context(), store.AnyAccount, rest.Var(r, "id"))
		if err != nil {
			return err
		}
		return rest.JSON(w, e)
	})
}

// Explain implements admin.Explainer.
func (c *cloud) Explain(ctx context.Context, account, name string) ([]admin.Tier, error) {
	e, err := c.explain(ctx, account, name)
	if err != nil {
		return nil, err
	}
	return tiers(nil, *e), nil
}

// tiers puts an explanation and all below it in a row.
func tiers(all []admin.Tier, e wire.Explanation) []admin.Tier {
	all = append(all, admin.Tier{Tier: e.Tier, Lines: e.Lines})
	for _, b := range e.Below {
		all = tiers(all, b)
	}
	return all
}

// explain tells all that is known of an instance, a volume, an image or a
// snapshot of an account: what is wanted, seen, tried, failed and waited for,
// here and in the tiers below.
func (c *cloud) explain(ctx context.Context, account, name string) (*wire.Explanation, error) {
	e := &wire.Explanation{Tier: "cloudctl"}
	if name == masterKey && account == store.AnyAccount {
		return e, c.explainMasterKey(ctx, e)
	}
	var err error
	switch id.KindOf(name) {
	case "i":
		err = c.explainInstance(ctx, e, account, id.Instance(name))
	case "vol":
		err = c.explainVolume(ctx, e, account, id.Volume(name))
	case "snap":
		err = c.explainSnapshot(ctx, e, account, id.Snapshot(name))
	case "ami":
		err = c.explainImage(ctx, e, account, id.Image(name))
	default:
		err = c.explainNode(ctx, e, account, name)
	}
	return e, err
}

// explainNode tells of a host, to an administrator.
func (c *cloud) explainNode(ctx context.Context, e *wire.Explanation, account, name string) error {
	if account == store.AnyAccount {
		for _, zone := range c.reports.Zones() {
			r := c.reports.Cluster(zone)
			n, ok := r.Nodes[name]
			if !ok {
				continue
			}
			c.sayReport(e, true, r.Heard)
			e.Say("node %s of zone %s is %s, seen %s; %s", name, zone, n.State, stamp(n.Seen), n.Trouble)
			c.below(ctx, e, pki.Clusterctl, zone, name)
			return nil
		}
	}
	return fault.New(fault.Missing, "InvalidID", "'%s' is the id of no instance, volume, snapshot or image that you have.", name)
}

func (c *cloud) explainInstance(ctx context.Context, e *wire.Explanation, account string, name id.Instance) error {
	var i *store.Instance
	var disks []store.Attachment
	err := c.store.View(ctx, func(tx *store.Tx) (err error) {
		if i, err = tx.Instance(account, name); err == nil {
			disks, err = tx.AttachmentsOn(name)
		}
		return err
	})
	if err != nil {
		return err
	}
	e.Say("wanted: %s since %s; launched %s; %s in zone %s", i.Want, stamp(i.AskedAt), stamp(i.Launched), i.Type, i.Zone)
	if i.Asked != "" {
		e.Say("why: %s: %s", i.Asked, i.AskedText)
	}
	if i.Expires != nil {
		e.Say("ends: %s, by the policy %s", stamp(*i.Expires), i.ExpiresBy)
	}
	e.Say("remembered: ran %t since %s on node %q; rested %t; given back %t", i.Ran, stamp(i.Started), i.Node, i.Rested, i.Freed)
	c.sayFlow(e, "i", string(name))
	seen, ok := c.reports.Instance(i.Zone, name)
	c.sayReport(e, ok, c.reports.Cluster(i.Zone).Heard)
	if ok {
		e.Say("seen: %s on node %q %s", seen.State, seen.Node, seen.Reason)
		for node, why := range seen.Refused {
			e.Say("node %s refused it: %s", node, why)
		}
	}
	for _, a := range disks {
		e.Say("volume %s as %s: wanted %s, epoch %d, served at %q, plugged %t", a.Volume, a.Device, a.Want, a.Epoch, a.Exported, a.Plugged)
		c.sayFlow(e, "attachment", string(a.Volume))
	}
	c.below(ctx, e, pki.Clusterctl, i.Zone, string(name))
	return nil
}

func (c *cloud) explainVolume(ctx context.Context, e *wire.Explanation, account string, name id.Volume) error {
	var v *store.Volume
	var a *store.Attachment
	err := c.store.View(ctx, func(tx *store.Tx) (err error) {
		if v, err = tx.Volume(account, name); err == nil {
			a, err = tx.Attachment(name)
		}
		return err
	})
	if err != nil {
		return err
	}
	e.Say("wanted: %s, %d GiB in zone %s, from %q; last epoch %d", v.Want, v.SizeGiB, v.Zone, v.From, v.Epoch)
	e.Say("remembered: ready %t %s", v.Ready, v.Failure)
	c.sayFlow(e, "vol", string(name))
	if a != nil {
		e.Say("attachment to %s as %s: wanted %s since %s, epoch %d for node %q, served at %q, plugged %t, unplugged %t",
			a.Instance, a.Device, a.Want, stamp(a.Changed), a.Epoch, a.Node, a.Exported, a.Plugged, a.Unplugged)
		c.sayFlow(e, "attachment", string(name))
	}
	b := c.reports.Block(v.Zone)
	seen, ok := b.Volumes[name]
	c.sayReport(e, ok, b.Heard)
	if ok {
		e.Say("seen: %s %s", seen.State, seen.Reason)
	}
	if x, ok := b.Exports[name]; ok {
		e.Say("seen served: epoch %d to node %s at %s", x.Epoch, x.Node, x.Address)
	}
	c.below(ctx, e, pki.Blockstore, v.Zone, string(name))
	return nil
}

func (c *cloud) explainSnapshot(ctx context.Context, e *wire.Explanation, account string, name id.Snapshot) error {
	var s *store.Snapshot
	err := c.store.View(ctx, func(tx *store.Tx) (err error) {
		s, err = tx.Snapshot(account, name)
		return err
	})
	if err != nil {
		return err
	}
	e.Say("wanted: %s of %s, %d GiB in zone %s, since %s", s.Want, s.Volume, s.SizeGiB, s.Zone, stamp(s.Started))
	e.Say("remembered: complete %t %s", s.Done, s.Failure)
	c.sayFlow(e, "snap", string(name))
	b := c.reports.Block(s.Zone)
	seen, ok := b.Snapshots[name]
	c.sayReport(e, ok, b.Heard)
	if ok {
		e.Say("seen: %s, %d %%, frozen %s %s", seen.State, seen.Percent, stamp(seen.Frozen), seen.Reason)
	}
	c.below(ctx, e, pki.Blockstore, s.Zone, string(name))
	return nil
}

func (c *cloud) explainImage(ctx context.Context, e *wire.Explanation, account string, name id.Image) error {
	var i *store.Image
	used := 0
	err := c.store.View(ctx, func(tx *store.Tx) (err error) {
		if i, err = tx.Image(account, name); err == nil {
			used, err = tx.InstancesUsing(name)
		}
		return err
	})
	if err != nil {
		return err
	}
	e.Say("wanted: %s, from %s/%s, %s of %d bytes, disk of %d GiB", i.Want, i.Bucket, i.Key, i.Format, i.Bytes, i.GiB)
	e.Say("remembered: copied %t, SHA-256 %q %s; %d instances need it", i.Copied, i.SHA256, i.Failure, used)
	c.sayFlow(e, "ami", string(name))
	return nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

// sayFlow adds what our own loop last did.
func (c *cloud) sayFlow(e *wire.Explanation, kind, name string) {
	s, _ := c.keeper.Status(kind, name)
	e.SayFlow(s)
}

func (c *cloud) sayReport(e *wire.Explanation, named bool, heard time.Time) {
	switch {
	case heard.IsZero():
		e.Say("no report since the start")
	case !named:
		e.Say("the report, %s old, does not name it", time.Since(heard).Round(time.Second))
	default:
		e.Say("the report is %s old", time.Since(heard).Round(time.Second))
	}
}

// below adds how the link goes, and what the tier below says.
func (c *cloud) below(ctx context.Context, e *wire.Explanation, role, zone, name string) {
	l, err := c.zones.component(role, zone)
	if err != nil {
		e.Say("below: %v", err)
		return
	}
	telling, asking := l.status()
	if telling.Error != "" {
		e.Say("telling %s fails: %s", l.Name, telling.Error)
	}
	if asking.Error != "" {
		e.Say("asking %s fails: %s", l.Name, asking.Error)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var under wire.Explanation
	if err := l.client.Call(ctx, http.MethodGet, "/v1/explain/"+url.PathEscape(name), nil, nil, &under); err != nil {
		e.Say("below: %v", err)
		return
	}
	e.Below = append(e.Below, under)
}
