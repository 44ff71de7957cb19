package keep

import (
	"context"
	"time"

	"karri/cloudctl/store"
)

const (
	tokensKept = 24 * time.Hour
	sweepEvery = 10 * time.Minute
)

// sweeps forgets, every now and then, what is of no more use.
func (k *Keeper) sweeps(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := k.Sweep(ctx); err != nil && ctx.Err() == nil {
			k.Log.Error("cannot sweep", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Sweep forgets client tokens that nobody repeats any more.
func (k *Keeper) Sweep(ctx context.Context) error {
	return k.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.DropClientTokensBefore(k.Clock().Add(-tokensKept))
	})
}
