package keep

import (
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/shared/wire"
)

// A guest may power itself off before any report shows that it ran: it is
// stopped then, not pending for ever; and the report of that, when it comes
// after its owner started it again, does not stop it.
func TestAGuestThatPowersOffBeforeItIsSeenIsStopped(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(false)
	w.start()
	if err := w.cluster.Tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.zone.Work()
	w.shutdown()
	w.settle()
	if i := w.instance(func(*store.Instance) {}); i.Want != wire.Stopped || !i.Rested {
		t.Fatalf("%+v", i)
	}
	w.startAgain()
	if _, err := w.cluster.Ask(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := w.keeper.Instances().SettleAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i := w.instance(func(*store.Instance) {}); i.Want != wire.Running {
		t.Fatalf("the report of the time before turned the wish: %+v", i)
	}
	w.settle()
	if i := w.instance(func(*store.Instance) {}); !i.Ran {
		t.Errorf("%+v", i)
	}
}

// A volume is attached to a stopped instance as soon as it is served: there is
// no machine that it could be waited for.
func TestAVolumeIsAttachedToAStoppedInstance(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(false)
	w.settle()
	w.instance(func(i *store.Instance) { i.Want = wire.Stopped })
	w.settle()
	w.tx(func(tx *store.Tx) error {
		if err := tx.Add(&store.Volume{ID: volID, Account: w.account, Zone: here, SizeGiB: 1, Type: "gp2", Want: wire.Present, Created: w.now}); err != nil {
			return err
		}
		return tx.Add(&store.Attachment{Volume: volID, Instance: instID, Account: w.account, Zone: here, Device: "/dev/sdf", Want: wire.Attached, Created: w.now, Changed: w.now})
	})
	w.settle()
	if a := w.attachment(func(*store.Attachment) {}); a == nil || !a.Plugged {
		t.Fatalf("%+v", a)
	}
	w.startAgain()
	w.settle()
	if m := w.zone.Machines[instID]; m == nil || m.Volumes[volID].Epoch == 0 {
		t.Errorf("it started without the volume: %+v", m)
	}
	w.attachment(func(a *store.Attachment) { a.Want, a.Changed = wire.Detached, w.now })
	w.settle()
	w.right(t)
	if a := w.attachment(func(*store.Attachment) {}); a != nil {
		t.Errorf("it was not detached: %+v", a)
	}
}

// A node that was not heard since the wish changed may have plugged the volume
// in and not told: its guest keeps the disk until the node speaks again.
func TestADiskThatASilentNodeMayHaveIsNotTakenAway(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(false)
	w.tx(func(tx *store.Tx) error {
		if err := tx.Add(&store.Volume{ID: volID, Account: w.account, Zone: here, SizeGiB: 1, Type: "gp2", Want: wire.Present, Created: w.now}); err != nil {
			return err
		}
		return tx.Add(&store.Attachment{Volume: volID, Instance: instID, Account: w.account, Zone: here, Device: "/dev/sdf", Want: wire.Attached, Created: w.now, Changed: w.now})
	})
	w.settle()
	w.zone.Silent = w.now
	w.attachment(func(a *store.Attachment) { a.Want, a.Changed = wire.Detached, w.now })
	w.attachment(func(a *store.Attachment) { a.Plugged = false })
	delete(w.zone.Machines[instID].Volumes, volID) // as a report from before it was plugged has it
	for range 5 {
		if err := w.round(); err != nil {
			t.Fatal(err)
		}
	}
	if w.attachment(func(*store.Attachment) {}) == nil || len(w.zone.Exports) == 0 {
		t.Error("the disk was taken from a node that was not heard")
	}
	w.zone.Silent = time.Time{}
	w.settle()
	if a := w.attachment(func(*store.Attachment) {}); a != nil {
		t.Errorf("the node was heard, and it was not detached: %+v", a)
	}
}

// A node that an administrator had forgotten is served no more, though nobody
// has asked for the volume back; and who does gets it without waiting for that
// node's word.
func TestAVolumeIsNotServedToAHostThatWasLost(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(true)
	w.settle()
	if len(w.zone.Exports) != 1 {
		t.Fatal("it is not served at first")
	}
	w.lose()
	w.zone.Lost[instID] = true
	w.settle()
	w.right(t)
	if len(w.zone.Exports) != 0 {
		t.Errorf("it is still served: %+v", w.zone.Exports)
	}
	if a := w.attachment(func(*store.Attachment) {}); a == nil || a.Want != wire.Attached {
		t.Fatalf("it was taken from its owner: %+v", a)
	}
	w.startAgain() // in vain
	w.settle()
	if len(w.zone.Exports) != 0 {
		t.Errorf("it is served again: %+v", w.zone.Exports)
	}
	w.attachment(func(a *store.Attachment) { a.Want, a.Changed = wire.Detached, w.now })
	w.settle()
	if a := w.attachment(func(*store.Attachment) {}); a != nil {
		t.Errorf("it cannot be had back: %+v", a)
	}
}
