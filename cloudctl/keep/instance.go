package keep

import (
	"context"
	"time"

	"karri/cloudctl/store"
	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/wire"
)

// noRoom is how long an instance may be refused by every node before it is
// given up: a node may be about to come back.
const noRoom = 2 * time.Minute

// instance is all that is known of one: the record (nil: there is none) and
// what its zone reports of it.
type instance struct {
	row      *store.Instance
	seen     wire.InstanceSeen
	attached int  // attachments that are still wished
	hopeless bool // no node takes it, for long
	past     bool // it was listed long enough
	expired  bool // a policy ends it
}

// Instances is the loop over instances.
func (k *Keeper) Instances() life.Kind[instance] {
	return life.Kind[instance]{
		Name: "instance",
		List: list(k, func(tx *store.Tx) ([]store.Instance, error) { return tx.InstancesOf(store.AnyAccount) },
			func(i *store.Instance) string { return string(i.ID) }),
		Look: k.lookInstance,
		Next: k.nextInstance,
	}
}

func (k *Keeper) lookInstance(ctx context.Context, name string) (t instance, err error) {
	err = k.Store.View(ctx, func(tx *store.Tx) error {
		if t.row, err = tx.Instance(store.AnyAccount, id.Instance(name)); err != nil {
			if fault.KindOf(err) == fault.Missing {
				t.row = nil
				return nil
			}
			return err
		}
		as, err := tx.AttachmentsOn(t.row.ID)
		for _, a := range as {
			if a.Want == wire.Attached {
				t.attached++
			}
		}
		return err
	})
	if err != nil || t.row == nil {
		return t, err
	}
	now := k.Clock()
	t.seen, _ = k.Reports.Instance(t.row.Zone, t.row.ID)
	t.hopeless = t.seen.Node == "" && len(t.seen.Refused) > 0 && now.Sub(t.row.Launched) > noRoom
	t.expired = t.row.Want != wire.Gone && t.row.Expires != nil && !now.Before(*t.row.Expires)
	t.past = t.row.Freed && now.Sub(t.row.Ended) > Listed
	return t, nil
}

// nextInstance is the life of an instance as its owner's cloud sees it.
func (k *Keeper) nextInstance(t instance) *life.Step[instance] {
	i, seen := t.row, t.seen
	step := func(name string, do func(context.Context, instance) error) *life.Step[instance] {
		return &life.Step[instance]{Name: name, Do: do}
	}
	switch {
	case i == nil:
		return nil
	case i.Freed && t.past:
		return step("forget", k.forgetInstance)
	case i.Freed:
		return nil
	case t.expired:
		return step("end it by policy", k.expire)
	case i.Want == wire.Gone && t.attached > 0:
		return step("let go of volumes", k.letGo)
	case i.Want == wire.Gone && seen.State == wire.InstanceGone:
		return step("give back what it held", k.freeInstance)
	case i.Want == wire.Gone:
		return life.Wait[instance]("zone %s to end it", i.Zone)
	case i.Want == wire.Running && seen.State == wire.InstanceBroken:
		return step("give up", k.giveUp("Server.InternalError", "Server.InternalError: Internal error on launch"))
	case i.Want == wire.Stopped && !i.Rested && (seen.State == wire.InstanceStopped || seen.State == wire.InstanceBroken):
		return step("note that it rests", k.noteRest)
	case i.Want == wire.Stopped && !i.Rested:
		return life.Wait[instance]("zone %s to stop it", i.Zone)
	case i.Want == wire.Stopped:
		return nil
	case seen.State == wire.InstanceStopped && (i.Ran || selfStopped(i, seen)):
		return step("note that it shut itself down", k.noteShutdown)
	case seen.State == wire.InstanceRunning && (!i.Ran || i.Node != seen.Node):
		return step("note that it runs", k.noteRunning)
	case !i.Ran && t.hopeless:
		return step("give up", k.giveUp("Server.InsufficientInstanceCapacity", "Insufficient capacity to satisfy instance request"))
	case !i.Ran && len(seen.Refused) > 0 && seen.Node == "":
		return life.Wait[instance]("a node with room")
	case !i.Ran:
		return life.Wait[instance]("zone %s to start it", i.Zone)
	}
	return nil
}

// selfStopped reports whether the guest switched itself off so soon that it
// was never seen running.
func selfStopped(i *store.Instance, seen wire.InstanceSeen) bool {
	return seen.Reason != "" && seen.Launched.Equal(i.Launched)
}

// change reads the record again in a transaction, lets do change it and writes
// it. The wish may have changed since the look: do must look itself.
func (k *Keeper) change(ctx context.Context, t instance, do func(tx *store.Tx, i *store.Instance) error) error {
	return k.write(ctx, func(tx *store.Tx) error {
		i, err := tx.Instance(store.AnyAccount, t.row.ID)
		if err != nil {
			return err
		}
		if i.Want != t.row.Want || i.Launched != t.row.Launched {
			return nil // another wish: look again
		}
		if err := do(tx, i); err != nil {
			return err
		}
		return tx.Put(i)
	})
}

// expire wishes an instance gone at the end that a policy set, protected or not.
func (k *Keeper) expire(ctx context.Context, t instance) error {
	return k.change(ctx, t, func(_ *store.Tx, i *store.Instance) error {
		i.Want, i.Asked, i.AskedAt = wire.Gone, "Server.ScheduledStop", k.Clock()
		i.AskedText = "Server.ScheduledStop: Ended by the policy " + i.ExpiresBy
		return nil
	})
}

func (k *Keeper) noteRunning(ctx context.Context, t instance) error {
	return k.change(ctx, t, func(_ *store.Tx, i *store.Instance) error {
		if !i.Ran {
			i.Ran, i.Started = true, k.Clock()
		}
		i.Node = t.seen.Node
		return nil
	})
}

// noteRest remembers that the instance has stopped, and takes back the public
// address that it was lent.
func (k *Keeper) noteRest(ctx context.Context, t instance) error {
	return k.change(ctx, t, func(tx *store.Tx, i *store.Instance) error {
		i.Rested, i.Force, i.Ran = true, false, false
		enis, err := tx.InterfacesOn(i.ID)
		if err != nil {
			return err
		}
		for _, e := range enis {
			if err := takeBack(tx, e.ID, false); err != nil {
				return err
			}
		}
		return nil
	})
}

// noteShutdown turns a shutdown from within into the wish that its owner chose.
func (k *Keeper) noteShutdown(ctx context.Context, t instance) error {
	return k.change(ctx, t, func(_ *store.Tx, i *store.Instance) error {
		i.Want = wire.Stopped
		if i.OnShut == "terminate" {
			i.Want = wire.Gone
		}
		i.Asked, i.AskedText, i.AskedAt = "Client.InstanceInitiatedShutdown", "Instance initiated shutdown", k.Clock()
		return nil
	})
}

// giveUp ends an instance that cannot be had; one that ran before goes back to
// rest, with its disk.
func (k *Keeper) giveUp(code, text string) func(context.Context, instance) error {
	return func(ctx context.Context, t instance) error {
		return k.change(ctx, t, func(_ *store.Tx, i *store.Instance) error {
			i.Failure, i.Asked, i.AskedText, i.AskedAt = code, code, text, k.Clock()
			if t.seen.Reason != "" && t.seen.State == wire.InstanceBroken {
				i.AskedText = t.seen.Reason
			}
			if i.Started.IsZero() {
				i.Want = wire.Gone
				return nil
			}
			i.Want, i.Rested, i.Ran = wire.Stopped, true, false
			return nil
		})
	}
}

// letGo wishes the volumes of an ending instance detached, and those that end
// with it gone.
func (k *Keeper) letGo(ctx context.Context, t instance) error {
	defer k.attachments.Nudge()
	return k.write(ctx, func(tx *store.Tx) error {
		as, err := tx.AttachmentsOn(t.row.ID)
		if err != nil {
			return err
		}
		for _, a := range as {
			if a.Want == wire.Detached {
				continue
			}
			a.Want, a.Changed = wire.Detached, k.Clock()
			if err := tx.Put(&a); err != nil {
				return err
			}
			if !a.DeleteOnTermination {
				continue
			}
			if err := endVolume(tx, a.Volume); err != nil {
				return err
			}
		}
		return nil
	})
}

// freeInstance gives back all that an ended instance held, in one transaction
// with the mark that it did.
func (k *Keeper) freeInstance(ctx context.Context, t instance) error {
	err := k.change(ctx, t, func(tx *store.Tx, i *store.Instance) error {
		enis, err := tx.InterfacesOn(i.ID)
		if err != nil {
			return err
		}
		for _, e := range enis {
			if err := freeInterface(tx, &e); err != nil {
				return err
			}
		}
		if err := tx.DropProfileOf(i.ID); err != nil {
			return err
		}
		i.Freed, i.Ended, i.UserData, i.Node = true, k.Clock(), nil, ""
		return nil
	})
	crash.Here("instance.freed")
	k.attachments.Nudge()
	k.images.Nudge(string(t.row.ImageID))
	return err
}

// freeInterface gives back an interface's addresses, and the interface unless
// its owner keeps it.
func freeInterface(tx *store.Tx, e *store.Interface) error {
	if err := takeBack(tx, e.ID, e.DeleteOnTermination); err != nil {
		return err
	}
	if !e.DeleteOnTermination {
		e.Instance, e.Attachment, e.DeviceIndex, e.Attached = "", "", 0, time.Time{}
		return tx.Put(e)
	}
	if err := tx.DropTagsOn(string(e.ID)); err != nil {
		return err
	}
	return tx.Drop(e)
}

// takeBack returns a lent public address to the pool; an allocated one goes
// back to its owner when the interface ends.
func takeBack(tx *store.Tx, eni id.Interface, ends bool) error {
	a, err := tx.AddressOn(eni)
	if a == nil || err != nil {
		return err
	}
	if a.Auto {
		return tx.Drop(a)
	}
	if !ends {
		return nil
	}
	a.Interface, a.Association = "", ""
	return tx.Put(a)
}

func (k *Keeper) forgetInstance(ctx context.Context, t instance) error {
	return k.write(ctx, func(tx *store.Tx) error {
		if err := tx.DropTagsOn(string(t.row.ID)); err != nil {
			return err
		}
		return tx.Drop(t.row)
	})
}
