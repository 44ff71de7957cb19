package account

import (
	"context"
	"hash/maphash"
	"log/slog"
	"strings"
	"sync"
	"time"

	"karri/cloudctl/store"
)

const (
	usagePace   = 60 // minutes between two writes of one key
	usageFlush  = 10 * time.Second
	usageMemory = 100_000 // keys that are remembered not to be written again
)

// A Usage keeps when access keys were last used. A request does no more than
// look into a map; the rows are written together, by Run, at most once an hour
// for each key and service. A crash loses the last seconds.
type Usage struct {
	Store *store.Store
	Log   *slog.Logger

	mu      sync.Mutex
	seed    maphash.Seed
	noted   map[uint64]uint32 // by a hash of key, service and region: the minute of the note
	pending map[string]use    // by key; by the role's ARN for sessions
}

type use struct {
	service, region string
	at              time.Time
}

// Note remembers that a key was used.
func (u *Usage) Note(key, service, region string, at time.Time) {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.noted == nil {
		u.seed, u.noted = maphash.MakeSeed(), map[uint64]uint32{}
	}
	id := maphash.Comparable(u.seed, [3]string{key, service, region})
	minute := uint32(at.Unix() / 60)
	if last, ok := u.noted[id]; ok && minute-last < usagePace {
		return
	}
	if len(u.noted) >= usageMemory {
		clear(u.noted)
	}
	if u.pending == nil {
		u.pending = map[string]use{}
	}
	u.noted[id] = minute
	u.pending[key] = use{service, region, at}
}

// Run writes what was noted until ctx ends, and once more then.
func (u *Usage) Run(ctx context.Context) {
	tick := time.NewTicker(usageFlush)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			u.write(ctx)
		case <-ctx.Done():
			u.write(context.WithoutCancel(ctx))
			return
		}
	}
}

func (u *Usage) write(ctx context.Context) {
	u.mu.Lock()
	pending := u.pending
	u.pending = nil
	u.mu.Unlock()
	if len(pending) == 0 {
		return
	}
	err := u.Store.InTx(ctx, func(tx *store.Tx) error {
		for key, use := range pending {
			if strings.HasPrefix(key, "arn:") {
				if err := tx.RoleUsed(key, use.region, use.at); err != nil {
					return err
				}
				continue
			}
			if err := tx.KeyUsed(key, use.service, use.region, use.at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		u.Log.Warn("when keys were used is not written", "keys", len(pending), "err", err)
	}
}
