package keep

import (
	"context"
	"time"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/wire"
)

// settled is how long a node may take to plug in a volume that it was told of
// before the wish changed. A detachment waits that long before it believes
// that a volume which was never seen plugged will not be.
const settled = 15 * time.Second

// attachment is all that is known of a volume's place in an instance.
type attachment struct {
	row    *store.Attachment
	volume *store.Volume
	ended  bool   // the instance is gone
	leaves bool   // the instance is wished gone
	node   string // where the instance is; empty: nowhere yet
	lost   bool   // that node was forgotten
	has    wire.VolumePlugged
	in     bool // the instance has the volume
	served wire.ExportSeen
	heard  bool // the blockstore, since the start
	rests  bool // the instance is stopped: what is served is plugged in when it starts
	quiet  bool // it was not seen plugged, and would be by now
}

// Attachments is the loop over attachments. It is a dance of three: blockstore
// exports the volume to the instance's node under a new epoch; only then does
// the instance's order name it; then the node plugs it in. Out it goes in the
// reverse order, so that no node loses a disk that its guest still has, and no
// volume has two.
func (k *Keeper) Attachments() life.Kind[attachment] {
	return life.Kind[attachment]{
		Name: "attachment",
		List: list(k, func(tx *store.Tx) ([]store.Attachment, error) { return tx.AttachmentsOf(store.AnyAccount) },
			func(a *store.Attachment) string { return string(a.Volume) }),
		Look: k.lookAttachment,
		Next: k.nextAttachment,
	}
}

func (k *Keeper) lookAttachment(ctx context.Context, name string) (t attachment, err error) {
	var i *store.Instance
	err = k.Store.View(ctx, func(tx *store.Tx) error {
		if t.row, err = tx.Attachment(id.Volume(name)); t.row == nil || err != nil {
			return err
		}
		if t.volume, err = tx.VolumeRow(t.row.Volume); err != nil {
			return err
		}
		i, err = tx.Instance(store.AnyAccount, t.row.Instance)
		if fault.KindOf(err) == fault.Missing && err != nil {
			i, err = nil, nil
		}
		return err
	})
	if t.row == nil || err != nil {
		return t, err
	}
	zone, now := k.Reports.Cluster(t.row.Zone), k.Clock()
	seen := zone.Instances[t.row.Instance]
	t.leaves = i == nil || i.Want == wire.Gone || seen.State == wire.InstanceGone
	t.ended = i == nil || i.Freed || seen.State == wire.InstanceGone
	t.rests = i != nil && i.Want == wire.Stopped && i.Rested
	t.node, t.lost = seen.Node, seen.Lost
	t.has, t.in = seen.Volumes[t.row.Volume]
	block := k.Reports.Block(t.row.Zone)
	t.served, t.heard = block.Exports[t.row.Volume], !block.Heard.IsZero()
	// The node itself must have been heard since: one that is cut off may have
	// plugged the volume in and not told.
	node := zone.Nodes[seen.Node]
	since := func(t time.Time) bool { return node.Seen.Sub(t) > settled }
	t.quiet = !t.in && node.State == wire.Ready && now.Sub(zone.Heard) < report.Old &&
		(t.row.Plugged && i != nil && since(i.Launched) || since(t.row.Changed))
	return t, nil
}

func (k *Keeper) nextAttachment(t attachment) *life.Step[attachment] {
	a := t.row
	step := func(name string, do func(tx *store.Tx, a *store.Attachment) error) *life.Step[attachment] {
		return &life.Step[attachment]{Name: name, Do: func(ctx context.Context, t attachment) error { return k.turn(ctx, t, do) }}
	}
	switch {
	case a == nil:
		return nil
	case a.Want == wire.Detached:
		return k.nextDetach(t)
	case t.volume == nil || t.volume.Failure != "" || t.ended:
		return step("give up", func(tx *store.Tx, a *store.Attachment) error {
			a.Want, a.Changed = wire.Detached, k.Clock()
			if t.volume == nil || !t.leaves || !a.DeleteOnTermination {
				return nil
			}
			return endVolume(tx, a.Volume)
		})
	case t.lost && a.Epoch != 0 && !a.Unplugged:
		return step("cut off the host that was lost", func(_ *store.Tx, a *store.Attachment) error {
			a.Unplugged = true
			return nil
		})
	case t.lost:
		return life.Wait[attachment]("it to be detached: the host of instance %s was lost", a.Instance)
	case !t.volume.Ready:
		return life.Wait[attachment]("volume %s to be made", a.Volume)
	case t.node == "":
		return life.Wait[attachment]("instance %s to be placed", a.Instance)
	case a.Epoch == 0 || a.Node != t.node:
		return step("begin an epoch", func(tx *store.Tx, a *store.Attachment) error {
			v, err := tx.VolumeRow(a.Volume)
			if err != nil || v == nil {
				return err
			}
			v.Epoch++
			a.Epoch, a.Node, a.Exported, a.Export, a.Plugged = v.Epoch, t.node, "", "", false
			a.Unplugged = false
			return tx.Put(v)
		})
	case t.served.Epoch == a.Epoch && t.served.Address != "" && (a.Exported != t.served.Address || a.Export != t.served.Name):
		return step("hand it to the instance", func(_ *store.Tx, a *store.Attachment) error {
			a.Exported, a.Export = t.served.Address, t.served.Name
			return nil
		})
	case (t.in && t.has.Epoch == a.Epoch || t.rests && a.Exported != "") && !a.Plugged:
		return step("note that it is plugged in", func(_ *store.Tx, a *store.Attachment) error {
			a.Plugged = true
			return nil
		})
	case a.Exported == "":
		return life.Wait[attachment]("the blockstore to serve epoch %d to node %s", a.Epoch, a.Node)
	case !a.Plugged:
		return life.Wait[attachment]("node %s to plug it in", a.Node)
	}
	return nil
}

func (k *Keeper) nextDetach(t attachment) *life.Step[attachment] {
	a := t.row
	switch {
	case !a.Unplugged && (t.ended || t.lost || a.Exported == "" || t.quiet):
		return &life.Step[attachment]{Name: "note that it is unplugged", Do: func(ctx context.Context, t attachment) error {
			return k.turn(ctx, t, func(_ *store.Tx, a *store.Attachment) error { a.Unplugged = true; return nil })
		}}
	case !a.Unplugged:
		return life.Wait[attachment]("node %s to let it go", a.Node)
	case a.Epoch != 0 && !t.heard, t.served.Epoch != 0 && t.served.Epoch == a.Epoch:
		return life.Wait[attachment]("the blockstore to end epoch %d", a.Epoch)
	}
	return &life.Step[attachment]{Name: "forget", Do: k.forgetAttachment}
}

// turn changes the record in one transaction, unless the wish or the epoch has
// changed since the look.
func (k *Keeper) turn(ctx context.Context, t attachment, do func(tx *store.Tx, a *store.Attachment) error) error {
	err := k.write(ctx, func(tx *store.Tx) error {
		a, err := tx.Attachment(t.row.Volume)
		if a == nil || err != nil || a.Want != t.row.Want || a.Epoch != t.row.Epoch {
			return err
		}
		if err := do(tx, a); err != nil {
			return err
		}
		return tx.Put(a)
	})
	crash.Here("attachment.turned")
	return err
}

func (k *Keeper) forgetAttachment(ctx context.Context, t attachment) error {
	defer k.volumes.Nudge(string(t.row.Volume))
	return k.write(ctx, func(tx *store.Tx) error { return tx.Drop(t.row) })
}

// endVolume wishes a volume gone that ends with its instance.
func endVolume(tx *store.Tx, name id.Volume) error {
	v, err := tx.VolumeRow(name)
	if err != nil || v == nil {
		return err
	}
	v.Want = wire.Gone
	return tx.Put(v)
}
