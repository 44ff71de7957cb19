package keep

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"karri/blockstore/store"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/wire"
)

// Flow returns what the loop of a kind last saw of a thing.
type Flow func(kind, id string) life.Status

// Report is what the blockstore sees.
func (k *Keeper) Report(ctx context.Context, flow Flow) (wire.BlockReport, error) {
	quiet := func(kind, id string) life.Status {
		s := flow(kind, id)
		s.Looked = time.Time{} // a look that finds no news is no news
		return s
	}
	r := wire.BlockReport{Volumes: map[id.Volume]wire.VolumeSeen{}, Exports: map[id.Volume]wire.ExportSeen{},
		Snapshots: map[id.Snapshot]wire.SnapshotSeen{}, Store: map[string]wire.Store{}}
	if err := k.reportVolumes(ctx, r, quiet); err != nil {
		return r, fmt.Errorf("report volumes: %w", err)
	}
	if err := k.reportExports(ctx, r, quiet); err != nil {
		return r, fmt.Errorf("report exports: %w", err)
	}
	if err := k.reportSnapshots(ctx, r, quiet); err != nil {
		return r, fmt.Errorf("report snapshots: %w", err)
	}
	return r, nil
}

func (k *Keeper) reportVolumes(ctx context.Context, r wire.BlockReport, flow Flow) error {
	names, err := k.listVolumes(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		t, err := k.lookVolume(ctx, name)
		if err != nil {
			return err
		}
		seen := wire.VolumeSeen{State: wire.BlockPending, Flow: flow("volume", name)}
		going := t.order != nil && t.order.Want == wire.Gone
		switch {
		case t.row != nil && t.row.Reason != "" && !going:
			seen.State, seen.Reason = wire.BlockBroken, t.row.Reason
		case t.seen.Exists():
			seen.State = wire.BlockReady
		case going && k.nextVolume(t) == nil:
			seen.State = wire.BlockGone
		}
		r.Volumes[t.id] = seen
	}
	return nil
}

// reportExports shows an epoch from when it was first served until nobody can
// write under it any more: who does not find it here knows that it is cut off.
func (k *Keeper) reportExports(ctx context.Context, r wire.BlockReport, flow Flow) error {
	rows, err := k.Store.Exports(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.Ended || !row.Served {
			continue
		}
		r.Exports[row.Volume] = wire.ExportSeen{Node: row.Node, Epoch: row.Epoch,
			Address: net.JoinHostPort(k.Listen, strconv.Itoa(row.Port)), Name: fmt.Sprintf("%s/%d", row.Volume, row.Epoch),
			Flow: flow("export", string(row.Volume))}
	}
	return nil
}

func (k *Keeper) reportSnapshots(ctx context.Context, r wire.BlockReport, flow Flow) error {
	rows, err := k.Store.Snapshots(ctx)
	if err != nil {
		return err
	}
	orders, _ := k.Orders()
	for s, o := range orders.Snapshots {
		if o.Want == wire.Present {
			r.Snapshots[s] = wire.SnapshotSeen{State: wire.BlockPending, Flow: flow("freeze", string(s))}
		}
	}
	for _, row := range rows {
		seen := wire.SnapshotSeen{State: wire.BlockPending, Reason: row.Reason, Flow: flow("snapshot", string(row.ID))}
		if row.Frozen != nil {
			seen.Frozen = *row.Frozen
		}
		switch row.State {
		case store.Freezing:
			seen.Flow = flow("freeze", string(row.ID))
		case store.Frozen:
			if p, ok := k.percents.Load(row.ID); ok {
				seen.Percent = p.(int)
			}
		case store.Whole, store.Done:
			seen.State, seen.Percent = wire.BlockReady, 100
		case store.Broken:
			seen.State = wire.BlockBroken
		case store.Gone:
			seen.State = wire.BlockGone
		}
		r.Snapshots[row.ID] = seen
	}
	return nil
}
