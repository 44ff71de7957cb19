package daemon

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// modest is how much memory walrus takes without being asked to be modest:
	// what it holds for long is a fraction of that.
	modest = 96 << 20
	// garbage is how much may be collected at once, in percent of what lives,
	// while that fits.
	garbage = 400
)

// tuneMemory lets garbage gather while all of walrus stays modest, for a
// collection costs a small store as much as several requests. Where more than
// that is held, by many connections say, the collector works as it always
// does: the limit never asks for the impossible.
func tuneMemory(ctx context.Context) error {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	percent, limit := debug.SetGCPercent(garbage), debug.SetMemoryLimit(modest)
	defer func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	for now := int64(modest); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		metrics.Read(live)
		held := live[0].Value.Uint64() + live[1].Value.Uint64()
		if want := max(modest, int64(2*held)); want != now { // to set it stops the world
			debug.SetMemoryLimit(want)
			now = want
		}
	}
}
