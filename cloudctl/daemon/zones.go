package daemon

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"karri/cloudctl/keep"
	"karri/cloudctl/store"
	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/wire"
)

// zones keeps a link to each daemon of each zone that has joined, at the
// address that it has now.
type zones struct {
	*cloud
	walrusStore
	wake chan struct{}

	mu    sync.Mutex
	links map[string]*linked
}

// linked is the connection to one component.
type linked struct {
	store.Component
	client  *rest.Client
	objects bucket.Store // of walrus
	nudge   func()
	status  func() (telling, asking life.Status)
	stop    func()
}

func newZones(c *cloud) *zones {
	z := &zones{cloud: c, wake: make(chan struct{}, 1), links: map[string]*linked{}}
	z.walrusStore = walrusStore{zones: z}
	return z
}

// nudge wakes the links, and the search for components that joined.
func (z *zones) nudge() {
	select {
	case z.wake <- struct{}{}:
	default:
	}
}

// run follows the list of components until ctx ends.
func (z *zones) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer z.stopAll()
	for ctx.Err() == nil {
		if err := z.follow(ctx, &wg); err != nil && ctx.Err() == nil {
			z.Log.Error("cannot read the components", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-z.wake:
		case <-time.After(5 * time.Second):
		}
	}
}

func (z *zones) follow(ctx context.Context, wg *sync.WaitGroup) error {
	var all []store.Component
	err := z.store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.Components()
		return err
	})
	if err != nil {
		return err
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, c := range all {
		old := z.links[c.Name]
		if old != nil && old.Address == c.Address {
			old.nudge()
			continue
		}
		if old != nil {
			old.stop()
		}
		z.links[c.Name] = z.link(ctx, wg, c)
	}
	return nil
}

// link opens the connection to a component and, where it takes orders, starts
// to tell and to ask.
func (z *zones) link(ctx context.Context, wg *sync.WaitGroup, c store.Component) *linked {
	client := z.Client(pki.Identity{Role: c.Role, Zone: c.Zone}, c.Address)
	l := &linked{Component: c, client: client, nudge: func() {}, stop: client.Close}
	start := func(run func(context.Context)) {
		ctx, cancel := context.WithCancel(ctx)
		l.stop = func() { cancel(); client.Close() }
		wg.Go(func() { run(ctx) })
	}
	switch c.Role {
	case pki.Walrus:
		l.objects = bucket.New(client)
	case pki.Clusterctl:
		k := &keep.Link[wire.ClusterOrders, wire.ClusterReport]{
			Name: c.Name, Store: z.store, Peer: wire.Dial[wire.ClusterOrders, wire.ClusterReport](client), Clock: time.Now, Log: z.Log,
			Orders: func(tx *store.Tx) (wire.ClusterOrders, error) { return keep.ClusterOrders(tx, z.config.Region, c.Zone) },
			Heard: func(r wire.ClusterReport, at time.Time) {
				z.reports.PutCluster(c.Zone, r, at)
				if err := z.keeper.TakeIn(ctx, c.Zone, r); err != nil && ctx.Err() == nil {
					z.Log.Error("cannot keep what a zone revoked", "zone", c.Zone, "err", err) // the next report has it too
				}
				z.keeper.Nudge()
			},
		}
		l.nudge, l.status = k.Nudge, k.Status
		start(k.Run)
	case pki.Blockstore:
		k := &keep.Link[wire.BlockOrders, wire.BlockReport]{
			Name: c.Name, Store: z.store, Peer: wire.Dial[wire.BlockOrders, wire.BlockReport](client), Clock: time.Now, Log: z.Log,
			Orders: func(tx *store.Tx) (wire.BlockOrders, error) { return keep.BlockOrders(tx, c.Zone) },
			Heard: func(r wire.BlockReport, at time.Time) {
				z.reports.PutBlock(c.Zone, r, at)
				z.keeper.Nudge()
			},
		}
		l.nudge, l.status = k.Nudge, k.Status
		start(k.Run)
	}
	return l
}

func (z *zones) stopAll() {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, l := range z.links {
		l.stop()
	}
}

// component returns the connection to a component.
func (z *zones) component(role, zone string) (*linked, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	who := pki.Identity{Role: role, Zone: zone}
	if l := z.links[who.String()]; l != nil {
		return l, nil
	}
	return nil, fault.New(fault.Later, "Unavailable", "%s has not joined, or was not connected to yet.", who)
}

// Console implements ec2.Console.
func (z *zones) Console(ctx context.Context, zone string, instance id.Instance) ([]byte, time.Time, error) {
	l, err := z.component(pki.Clusterctl, zone)
	if err != nil {
		return nil, time.Time{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	res, err := l.client.Do(ctx, rest.Request{Method: http.MethodGet, Path: "/v1/instances/" + string(instance) + "/console"})
	if err != nil {
		return nil, time.Time{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxConsole))
	return text, time.Now(), err
}

// maxConsole is how much of a console is answered, as in EC2.
const maxConsole = 64 << 10
