package keep

import (
	"context"
	"fmt"
	"time"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// Explain tells what is wanted, seen and tried of a volume or a snapshot.
func (k *Keeper) Explain(ctx context.Context, name string, flow Flow) (wire.Explanation, error) {
	e := wire.Explanation{Tier: "blockstore " + k.Zone}
	var err error
	switch {
	case id.Valid[id.Volume](name):
		err = k.explainVolume(ctx, &e, name, flow)
	case id.Valid[id.Snapshot](name):
		err = k.explainSnapshot(ctx, &e, name, flow)
	default:
		err = fault.New(fault.Missing, "NotFound", "A blockstore knows volumes and snapshots; %q is neither.", name)
	}
	return e, err
}

func (k *Keeper) explainVolume(ctx context.Context, e *wire.Explanation, name string, flow Flow) error {
	t, err := k.lookVolume(ctx, name)
	if err != nil {
		return err
	}
	if t.order == nil {
		e.Say("no order names it: it is left as it is")
	} else {
		e.Say("wanted: %s, %d GiB%s", t.order.Want, t.order.SizeGiB, from(t.order))
	}
	switch {
	case t.seen.Exists():
		e.Say("seen: %d bytes in %d layers, the highest is %s", t.seen.Size, len(t.seen.Layers), t.seen.Layers[len(t.seen.Layers)-1].Path)
	case t.seen.Remains:
		e.Say("seen: an unfinished copy")
	default:
		e.Say("seen: nothing on the disk")
	}
	if t.row != nil && t.row.Reason != "" {
		e.Say("it cannot be had: %s", t.row.Reason)
	}
	e.SayFlow(flow("volume", name))
	return k.explainExport(ctx, e, name, flow)
}

func from(o *wire.Volume) string {
	if o.From == "" {
		return ""
	}
	return fmt.Sprintf(", made from %s of zone %s", o.From, o.Zone)
}

func (k *Keeper) explainExport(ctx context.Context, e *wire.Explanation, name string, flow Flow) error {
	t, err := k.lookExport(ctx, name)
	if err != nil || t.order == nil && t.row == nil {
		return err
	}
	if t.order == nil {
		e.Say("export wanted: none")
	} else {
		e.Say("export wanted: to node %s, epoch %d", t.order.Node, t.order.Epoch)
	}
	switch {
	case t.row == nil:
		e.Say("export seen: it was never granted to a node")
	case t.row.Ended:
		e.Say("export seen: epoch %d to node %s has ended", t.row.Epoch, t.row.Node)
	case t.served == 0:
		e.Say("export seen: epoch %d is granted to node %s on port %d, and no storage daemon runs", t.row.Epoch, t.row.Node, t.row.Port)
	default:
		e.Say("export seen: epoch %d is served to node %s on port %d", t.served, t.row.Node, t.row.Port)
	}
	e.SayFlow(flow("export", name))
	return nil
}

func (k *Keeper) explainSnapshot(ctx context.Context, e *wire.Explanation, name string, flow Flow) error {
	t, err := k.lookSnapshot(ctx, name)
	if err != nil {
		return err
	}
	if t.order == nil {
		e.Say("no order names it: it is left as it is")
	} else {
		e.Say("wanted: %s, of %s", t.order.Want, t.order.Volume)
	}
	if t.row == nil {
		e.Say("seen: the volume is not frozen yet")
		e.SayFlow(flow("freeze", name))
		return nil
	}
	e.Say("seen: %s", t.row.State)
	if t.row.Frozen != nil {
		e.Say("frozen at %s", t.row.Frozen.Format(time.RFC3339))
	}
	if t.row.Parent != "" {
		e.Say("it is an increment to %s", t.row.Parent)
	}
	if p, ok := k.percents.Load(t.id); ok {
		e.Say("%d%% of what is to be written are in walrus", p)
	}
	if t.row.Reason != "" {
		e.Say("it cannot be had: %s", t.row.Reason)
	}
	e.SayFlow(flow("snapshot", name))
	return nil
}
