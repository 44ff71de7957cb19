package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"karri/cloudctl/account"
	"karri/cloudctl/ec2"
	"karri/cloudctl/keep"
	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// cloudTier is cloudctl.
type cloudTier struct {
	d     *daemon
	store *store.Store
	door  *action.Door
}

// build makes the cloud.
func (w *world) build(zones, hosts int) error {
	if err := os.MkdirAll(filepath.Join(w.dir, "cloudctl"), 0o700); err != nil {
		return err
	}
	st, err := store.Open(w.ctx, filepath.Join(w.dir, "cloudctl", "cloud.db"))
	if err != nil {
		return err
	}
	w.cloud = &cloudTier{store: st}
	w.cloud.d = w.daemon("cloudctl", w.openCloud)
	for i := range zones {
		z, err := w.newZone(fmt.Sprintf("us-east-1%c", 'a'+i), hosts)
		if err != nil {
			return err
		}
		w.zones = append(w.zones, z)
	}
	if err := w.populate(); err != nil {
		return err
	}
	w.say("%d zones with %d hosts each", zones, hosts)
	for _, d := range w.daemons {
		if d.steps, err = d.open(); err != nil {
			return fmt.Errorf("open %s: %w", d.name, err)
		}
	}
	return nil
}

// populate writes what a cloud has at first: its components, two accounts and
// an image of each.
func (w *world) populate() error {
	v, err := vault.Open(filepath.Join(w.dir, "cloudctl", "master.key"))
	if err != nil {
		return err
	}
	err = w.cloud.store.InTx(w.ctx, func(tx *store.Tx) error {
		for _, z := range w.zones {
			for _, role := range []string{"clusterctl", "blockstore"} {
				if err := tx.Put(&store.Component{Name: z.name + "." + role + ".karri", Role: role, Zone: z.name, Joined: w.now}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	book := &account.Book{Store: w.cloud.store, Vault: v, Clock: w.clock, Rand: w.ids}
	for _, name := range []string{"ann", "bob"} {
		a, _, err := book.Create(w.ctx, name)
		if err != nil {
			return err
		}
		img := &store.Image{
			ID: id.New[id.Image](w.ids), Account: a.ID, Name: "base", Architecture: "x86_64", RootDevice: "/dev/sda1", Want: wire.Present,
			Created: w.now, Format: "qcow2", Bytes: 1 << 20, GiB: 1, Copied: true, SHA256: strings.Repeat("ab", 32),
		}
		if err := w.cloud.store.InTx(w.ctx, func(tx *store.Tx) error { return tx.Add(img) }); err != nil {
			return err
		}
		w.users = append(w.users, newUser(name, a.ID, string(img.ID)))
	}
	return nil
}

func (w *world) daemon(name string, open func() ([]step, error)) *daemon {
	d := &daemon{name: name, open: open}
	w.daemons = append(w.daemons, d)
	return d
}

func (w *world) openCloud() ([]step, error) {
	c, reports := w.cloud, &report.Latest{}
	api := &ec2.API{
		Store: c.store, Reports: reports, Clock: w.clock, Rand: w.ids, Region: "us-east-1",
		Pool: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/26")}, Nudge: func() {},
	}
	c.door = &action.Door{
		Services: []*action.Service{ec2.Catalog.With(api)}, Policy: action.OwnerOnly{}, Log: nowhere,
		RequestID: func(*http.Request) string { return "r" },
		Who: func(r *http.Request, _ string) (action.Caller, error) {
			a := r.Header.Get("Who")
			return action.Caller{Account: a, ARN: account.RootARN(a), UserID: a}, nil
		},
	}
	k := &keep.Keeper{Store: c.store, Reports: reports, Clock: w.clock, Buckets: w.walrus, Log: nowhere, Wrote: w.fuse.Pass}
	steps := []step{
		settling(w, k.Instances()), settling(w, k.Volumes()), settling(w, k.Attachments()), settling(w, k.Snapshots()), settling(w, k.Images()),
	}
	for _, z := range w.zones {
		cl := &keep.Link[wire.ClusterOrders, wire.ClusterReport]{
			Name: z.name + ".clusterctl.karri", Store: c.store, Clock: w.clock,
			Peer:   peer[wire.ClusterOrders, wire.ClusterReport]{w, c.d, z.clusterd, z.cluster.local},
			Orders: func(tx *store.Tx) (wire.ClusterOrders, error) { return keep.ClusterOrders(tx, "us-east-1", z.name) },
			Heard:  func(r wire.ClusterReport, at time.Time) { reports.PutCluster(z.name, r, at) },
		}
		bl := &keep.Link[wire.BlockOrders, wire.BlockReport]{
			Name: z.name + ".blockstore.karri", Store: c.store, Clock: w.clock,
			Peer:   peer[wire.BlockOrders, wire.BlockReport]{w, c.d, z.blockd, z.block.local},
			Orders: func(tx *store.Tx) (wire.BlockOrders, error) { return keep.BlockOrders(tx, z.name) },
			Heard:  func(r wire.BlockReport, at time.Time) { reports.PutBlock(z.name, r, at) },
		}
		steps = append(steps,
			step{"tell " + z.clusterd.name, func() { _ = cl.Tell(w.ctx) }}, step{"ask " + z.clusterd.name, func() { _, _ = cl.Ask(w.ctx, 0) }},
			step{"tell " + z.blockd.name, func() { _ = bl.Tell(w.ctx) }}, step{"ask " + z.blockd.name, func() { _, _ = bl.Ask(w.ctx, 0) }})
	}
	return steps, nil
}

// ask asks EC2 for an action as a user does, and returns the answer and the
// code of a refusal.
func (w *world) ask(u *user, name string, in map[string]any) (map[string]any, string) {
	if w.cloud.d.down > 0 {
		return nil, away.Code
	}
	if in == nil {
		in = params{}
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err.Error()
	}
	r := httptest.NewRequestWithContext(w.ctx, http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "ec2."+name)
	r.Header.Set("Who", u.account)
	rec := httptest.NewRecorder()
	w.cloud.door.ServeHTTP(rec, r)
	out := map[string]any{}
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil && rec.Body.Len() > 0 {
		w.wrong("%s answers %q", name, rec.Body)
	}
	if rec.Code == http.StatusOK {
		return out, ""
	}
	code, _ := out["__type"].(string)
	if code == fault.Of(fmt.Errorf("")).Code {
		w.wrong("%s %v: %s", name, in, rec.Body)
	}
	return nil, code
}

func (w *world) close() {
	if w.cloud != nil {
		w.cloud.store.Close()
	}
	for _, z := range w.zones {
		z.clusterDB.Close()
		z.blockDB.Close()
		z.cluster.close()
		z.block.close()
		for _, h := range z.nodes {
			h.way.close()
		}
	}
}
