package keep

import (
	"context"
	"time"

	"karri/blockstore/store"
	"karri/shared/life"
)

// aSweep is all that is known of the zone's pieces in walrus.
type aSweep struct {
	due        bool
	unfinished []store.Snapshot
}

// Sweeps is the loop that removes pieces which no snapshot names. It is due
// some time after a snapshot was removed.
func (k *Keeper) Sweeps() life.Kind[aSweep] {
	return life.Kind[aSweep]{Name: "sweep",
		List: func(context.Context) ([]string, error) { return []string{store.Sweep}, nil },
		Look: k.lookSweep,
		Next: func(t aSweep) *life.Step[aSweep] {
			switch {
			case !t.due:
				return nil
			case len(t.unfinished) > 0:
				return life.Wait[aSweep]("waits for %s", t.unfinished[0].ID)
			}
			return step(k, "sweep", k.sweep)
		}}
}

func (k *Keeper) lookSweep(ctx context.Context, _ string) (t aSweep, err error) {
	due, err := k.Store.Due(ctx, store.Sweep)
	if err != nil {
		return t, err
	}
	t.due = !due.IsZero() && !k.Now().Before(due)
	t.unfinished, err = k.Store.Unfinished(ctx, "")
	return t, err
}

// sweep runs while no piece is put: a snapshot that is planned meanwhile waits
// before its first piece, and then finds what is left.
func (k *Keeper) sweep(ctx context.Context, _ aSweep) error {
	k.sweeping.Lock()
	defer k.sweeping.Unlock()
	if rows, err := k.Store.Unfinished(ctx, ""); err != nil || len(rows) > 0 {
		return err
	}
	_, young, err := k.Chunks.Sweep(ctx, k.Now().Add(-k.Grace))
	if err != nil {
		return err
	}
	next := time.Time{}
	if young > 0 {
		next = k.Now().Add(k.Grace)
	}
	return k.Store.SetDue(ctx, store.Sweep, next)
}
