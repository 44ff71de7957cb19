package history

import (
	"context"
	"time"

	"karri/clusterctl/store"
	"karri/shared/id"
	"karri/shared/life/lifetest"
)

// fused is the store of a clusterctl that may crash before and after each write.
type fused struct {
	*store.Store
	fuse *lifetest.Fuse
}

func (f fused) around(change func() error) (err error) {
	f.fuse.Around(func() { err = change() })
	return err
}

// Place implements keep.Store.
func (f fused) Place(ctx context.Context, i id.Instance, choose func([]store.Placement) *store.Placement) error {
	return f.around(func() error { return f.Store.Place(ctx, i, choose) })
}

// Unplace implements keep.Store.
func (f fused) Unplace(ctx context.Context, i id.Instance, now time.Time) error {
	return f.around(func() error { return f.Store.Unplace(ctx, i, now) })
}

// SetState implements keep.Store.
func (f fused) SetState(ctx context.Context, i id.Instance, state string) error {
	return f.around(func() error { return f.Store.SetState(ctx, i, state) })
}

// SetEndpoint implements keep.Store.
func (f fused) SetEndpoint(ctx context.Context, n int, endpoint string) error {
	return f.around(func() error { return f.Store.SetEndpoint(ctx, n, endpoint) })
}

// NextGeneration implements keep.Store.
func (f fused) NextGeneration(ctx context.Context, n int, least uint64) (gen uint64, err error) {
	f.fuse.Around(func() { gen, err = f.Store.NextGeneration(ctx, n, least) })
	return gen, err
}
