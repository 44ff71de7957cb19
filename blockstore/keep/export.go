package keep

import (
	"context"

	"karri/blockstore/export"
	"karri/blockstore/store"
	"karri/blockstore/volume"
	"karri/shared/crash"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/wire"
)

// anExport is all that is known of who has a volume.
type anExport struct {
	id     id.Volume
	told   bool         // orders were accepted, ever
	order  *wire.Export // nil: nobody is to have it
	row    *store.Export
	served uint64 // the epoch that a storage daemon serves; 0: none does
	seen   volume.Seen
	going  bool // the volume is to go
}

// Exports is the loop that serves volumes to nodes and cuts them off.
func (k *Keeper) Exports() life.Kind[anExport] {
	return life.Kind[anExport]{Name: "export", List: k.listExports, Look: k.lookExport, Next: k.nextExport}
}

func (k *Keeper) listExports(ctx context.Context) ([]string, error) {
	rows, err := k.Store.Exports(ctx)
	if err != nil {
		return nil, err
	}
	var all union[id.Volume]
	for _, row := range rows {
		if !row.Ended {
			all.add(row.Volume)
		}
	}
	orders, _ := k.Orders()
	for v := range orders.Exports {
		all.add(v)
	}
	// A daemon may run whose record says otherwise, or is lost.
	found, err := k.Export.Volumes(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range found {
		all.add(v)
	}
	return all.list, nil
}

func (k *Keeper) lookExport(ctx context.Context, name string) (t anExport, err error) {
	t.id = id.Volume(name)
	orders, gen := k.Orders()
	t.told = gen > 0
	if o, ok := orders.Exports[t.id]; ok {
		t.order = &o
	}
	t.going = orders.Volumes[t.id].Want == wire.Gone
	if t.row, err = k.Store.Export(ctx, t.id); err != nil {
		return t, err
	}
	if t.served, err = k.Export.Served(ctx, t.id); err != nil {
		return t, err
	}
	t.seen, err = k.Disk.Seen(ctx, t.id)
	return t, err
}

// over reports whether the granted epoch is not, or no more, to be served.
func (t anExport) over() bool {
	return t.row.Ended || t.order == nil || t.order.Epoch > t.row.Epoch
}

func (k *Keeper) nextExport(t anExport) *life.Step[anExport] {
	switch {
	case !t.told:
		return nil
	case t.row == nil && t.served != 0:
		return step(k, "adopt", k.adoptExport)
	case t.row != nil && t.over() && (t.served != 0 || !t.row.Ended):
		return step(k, "end", k.endExport)
	case t.order == nil:
		return nil
	case t.row == nil || t.order.Epoch > t.row.Epoch:
		if t.going {
			return life.Wait[anExport]("the volume is to go: it is served to nobody")
		}
		if !t.seen.Exists() {
			return life.Wait[anExport]("waits for the volume")
		}
		return step(k, "grant", k.grantExport)
	case t.row.Ended:
		return life.Wait[anExport]("epoch %d has ended: neither it nor an older one is ever served again", t.row.Epoch)
	case t.order.Epoch == t.row.Epoch && t.order.Node != t.row.Node:
		return life.Wait[anExport]("epoch %d is granted to %s", t.row.Epoch, t.row.Node)
	case t.served != t.row.Epoch && !t.seen.Exists():
		return life.Wait[anExport]("waits for the volume")
	case t.served != t.row.Epoch:
		return step(k, "serve", k.serveExport)
	case !t.row.Served:
		return step(k, "record", func(ctx context.Context, t anExport) error {
			return k.Store.MarkExport(ctx, t.id, t.row.Epoch, true, false)
		})
	case t.order.Epoch < t.row.Epoch:
		// The teller was restored from an old copy; the guest goes on.
		return life.Wait[anExport]("epoch %d is over: epoch %d was granted", t.order.Epoch, t.row.Epoch)
	}
	return nil
}

// grantExport is the promise: from now on no lower epoch is ever served.
func (k *Keeper) grantExport(ctx context.Context, t anExport) error {
	rows, err := k.Store.Exports(ctx)
	if err != nil {
		return err
	}
	taken := map[int]bool{}
	for _, row := range rows {
		taken[row.Port] = taken[row.Port] || !row.Ended
	}
	port, err := k.Export.FreePort(taken)
	if err != nil {
		return err
	}
	return k.Store.Grant(ctx, store.Export{Volume: t.id, Epoch: t.order.Epoch, Node: t.order.Node, Port: port,
		Authority: t.order.Authority})
}

// serveExport reads the layers and serves them in one turn, so that no layer
// is put on top in between.
func (k *Keeper) serveExport(ctx context.Context, t anExport) error {
	defer k.turns.take(t.id)()
	seen, err := k.Disk.Seen(ctx, t.id)
	if err != nil {
		return err
	}
	return k.Export.Serve(ctx, export.Ticket{Volume: t.id, Epoch: t.row.Epoch, Peer: k.peer(t.row.Node), Port: t.row.Port,
		Authority: t.row.Authority}, seen.Layers)
}

func (k *Keeper) endExport(ctx context.Context, t anExport) error {
	// Also when no daemon is seen: one may be starting that a crash of ours left.
	if err := k.Export.End(ctx, t.id); err != nil {
		return err
	}
	crash.Here("blockstore.export.cut-off")
	return k.Store.MarkExport(ctx, t.id, t.row.Epoch, false, true)
}

// adoptExport takes in a daemon that no record knows, as after the records
// were restored from an old copy. Its epoch counts as granted to nobody.
func (k *Keeper) adoptExport(ctx context.Context, t anExport) error {
	return k.Store.Grant(ctx, store.Export{Volume: t.id, Epoch: t.served})
}
