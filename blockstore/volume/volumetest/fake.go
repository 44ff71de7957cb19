// Package volumetest has a volume engine in memory, and the suite that it and
// the real one pass.
package volumetest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"karri/blockstore/volume"
	"karri/shared/id"
	"karri/shared/life/lifetest"
)

// block is the grain of the fake's layers; writes must be whole blocks.
const block = 4096

// A layer maps a block's number to its bytes; nil bytes were discarded.
type layer struct {
	number int
	blocks map[int64][]byte
}

type stack struct {
	size   int64
	layers []*layer
	held   bool // somebody serves it
}

type draftBytes struct {
	size   int64
	blocks map[int64][]byte
	filled int
}

// Fake is the Engine in memory. It outlives a crash of who uses it, and passes
// Fuse before and after each change.
type Fake struct {
	Fuse *lifetest.Fuse

	mu     sync.Mutex
	stacks map[id.Volume]*stack
	drafts map[id.Volume]*draftBytes
}

var _ volume.Engine = (*Fake)(nil)

// New returns an empty Fake.
func New() *Fake {
	return &Fake{stacks: map[id.Volume]*stack{}, drafts: map[id.Volume]*draftBytes{}}
}

// change makes one change under the lock, with the fuse around it. The lock is
// not held where the fuse may burn.
func (f *Fake) change(do func() error) error {
	f.Fuse.Pass()
	f.mu.Lock()
	err := do()
	f.mu.Unlock()
	f.Fuse.Pass()
	return err
}

// Volumes implements volume.Engine.
func (f *Fake) Volumes(context.Context) ([]id.Volume, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.AppendSeq(slices.Collect(maps.Keys(f.stacks)), maps.Keys(f.drafts))
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Seen implements volume.Engine.
func (f *Fake) Seen(_ context.Context, v id.Volume) (volume.Seen, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var s volume.Seen
	_, s.Remains = f.drafts[v]
	if st := f.stacks[v]; st != nil {
		s.Size = st.size
		for _, l := range st.layers {
			s.Layers = append(s.Layers, volume.Layer{Number: l.number, Path: fmt.Sprintf("%s/%d.qcow2", v, l.number), Format: "qcow2"})
		}
	}
	return s, nil
}

// Create implements volume.Engine.
func (f *Fake) Create(_ context.Context, v id.Volume, size int64) error {
	if err := f.change(func() error { f.drafts[v] = &draftBytes{size: size}; return nil }); err != nil {
		return err
	}
	return f.change(func() error {
		delete(f.drafts, v)
		if f.stacks[v] == nil {
			f.stacks[v] = &stack{size: size, layers: []*layer{{0, map[int64][]byte{}}}}
		}
		return nil
	})
}

// Draft implements volume.Engine.
func (f *Fake) Draft(_ context.Context, v id.Volume, size int64) (volume.Draft, error) {
	err := f.change(func() error {
		if f.stacks[v] != nil {
			return fmt.Errorf("volume %s exists already", v)
		}
		if d := f.drafts[v]; d == nil || d.size != size || d.blocks == nil {
			f.drafts[v] = &draftBytes{size: size, blocks: map[int64][]byte{}}
		}
		return nil
	})
	return draft{f, v}, err
}

type draft struct {
	f *Fake
	v id.Volume
}

func (d draft) WriteAt(p []byte, off int64) (int, error) {
	err := d.f.change(func() error {
		b := d.f.drafts[d.v]
		if b == nil || off+int64(len(p)) > b.size {
			return fmt.Errorf("draft of %s: write at %d is outside", d.v, off)
		}
		return write(b.blocks, off, p)
	})
	return len(p), err
}

func (d draft) Close() error { return nil }

func (d draft) Filled() int {
	d.f.mu.Lock()
	defer d.f.mu.Unlock()
	return d.f.drafts[d.v].filled
}

func (d draft) Save(n int) error {
	return d.f.change(func() error { d.f.drafts[d.v].filled = n; return nil })
}

func (d draft) Commit(context.Context) error {
	return d.f.change(func() error {
		b := d.f.drafts[d.v]
		delete(d.f.drafts, d.v)
		d.f.stacks[d.v] = &stack{size: b.size, layers: []*layer{{0, b.blocks}, {1, map[int64][]byte{}}}}
		return nil
	})
}

func write(to map[int64][]byte, off int64, p []byte) error {
	if off%block != 0 || len(p)%block != 0 {
		return fmt.Errorf("write at %d of %d bytes is not whole blocks", off, len(p))
	}
	for i := 0; i < len(p); i += block {
		to[(off+int64(i))/block] = slices.Clone(p[i : i+block])
	}
	return nil
}

// Freeze implements volume.Engine.
func (f *Fake) Freeze(_ context.Context, v id.Volume, n int) error {
	return f.change(func() error {
		st := f.stacks[v]
		if st == nil || st.top().number < n {
			return volume.Missing
		}
		if st.top().number == n {
			st.layers = append(st.layers, &layer{n + 1, map[int64][]byte{}})
		}
		return nil
	})
}

func (s *stack) top() *layer { return s.layers[len(s.layers)-1] }

func (s *stack) at(n int) int {
	return slices.IndexFunc(s.layers, func(l *layer) bool { return l.number == n })
}

// Frozen implements volume.Engine.
func (f *Fake) Frozen(_ context.Context, v id.Volume, n int) (volume.Frozen, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.stacks[v]
	if st == nil || st.top().number <= n {
		return nil, volume.Missing
	}
	fr := frozen{size: st.size}
	for _, l := range st.layers {
		if l.number <= n {
			fr.layers = append(fr.layers, &layer{l.number, maps.Clone(l.blocks)})
		}
	}
	return fr, nil
}

type frozen struct {
	size   int64
	layers []*layer
}

func (f frozen) Size() int64  { return f.size }
func (f frozen) Close() error { return nil }

func (f frozen) Changed(since int) []volume.Run {
	var blocks []int64
	for _, l := range f.layers {
		if l.number > since {
			blocks = slices.AppendSeq(blocks, maps.Keys(l.blocks))
		}
	}
	slices.Sort(blocks)
	var runs []volume.Run
	for _, b := range slices.Compact(blocks) {
		if n := len(runs); n > 0 && runs[n-1].Start+runs[n-1].Length == b*block {
			runs[n-1].Length += block
			continue
		}
		runs = append(runs, volume.Run{Start: b * block, Length: block})
	}
	return runs
}

func (f frozen) ReadAt(p []byte, off int64) (int, error) { return read(f.layers, f.size, p, off) }

func read(layers []*layer, size int64, p []byte, off int64) (int, error) {
	if off >= size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), size-off))
	clear(p[:n])
	for done := 0; done < n; {
		at := off + int64(done)
		step := min(n-done, int(block-at%block))
		for _, l := range slices.Backward(layers) {
			if b, ok := l.blocks[at/block]; ok {
				if b != nil {
					copy(p[done:done+step], b[at%block:])
				}
				break
			}
		}
		done += step
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Merge implements volume.Engine.
func (f *Fake) Merge(ctx context.Context, v id.Volume, n int) error {
	f.mu.Lock()
	held := f.stacks[v] != nil && f.stacks[v].held
	f.mu.Unlock()
	if held {
		return volume.Served
	}
	if err := f.Fold(v, n); err != nil {
		return err
	}
	return f.Drop(ctx, v, n)
}

// Fold copies a frozen layer into the one below, in two halves.
func (f *Fake) Fold(v id.Volume, n int) error {
	for half := range int64(2) {
		err := f.change(func() error {
			st := f.stacks[v]
			if st == nil || st.top().number < n {
				return volume.Missing
			}
			at := st.at(n)
			if at == len(st.layers)-1 {
				return fmt.Errorf("volume %s: layer %d takes the writes", v, n)
			}
			if at <= 0 {
				return nil
			}
			for b, bytes := range st.layers[at].blocks {
				if b%2 == half {
					st.layers[at-1].blocks[b] = bytes
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Drop implements volume.Engine.
func (f *Fake) Drop(_ context.Context, v id.Volume, n int) error {
	return f.change(func() error {
		if st := f.stacks[v]; st != nil {
			if at := st.at(n); at > 0 && at < len(st.layers)-1 {
				st.layers = slices.Delete(st.layers, at, at+1)
			}
		}
		return nil
	})
}

// Remove implements volume.Engine.
func (f *Fake) Remove(_ context.Context, v id.Volume) error {
	f.mu.Lock()
	held := f.stacks[v] != nil && f.stacks[v].held
	f.mu.Unlock()
	if held {
		return fmt.Errorf("volume %s is removed while it is served", v)
	}
	if err := f.change(func() error { delete(f.stacks, v); return nil }); err != nil {
		return err
	}
	return f.change(func() error { delete(f.drafts, v); return nil })
}

// Hold says whether somebody serves the volume, as a lock on its file does.
func (f *Fake) Hold(v id.Volume, held bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.stacks[v]
	if st == nil {
		if held {
			return volume.Missing
		}
		return nil
	}
	if held && st.held {
		return volume.Served
	}
	st.held = held
	return nil
}

// Write writes whole blocks to a layer as its server does; nil p discards a
// block. The layer is named because a server may not know of a newer one.
func (f *Fake) Write(v id.Volume, layer int, off int64, p []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.stacks[v]
	if st == nil || st.at(layer) < 0 {
		return volume.Missing
	}
	if p == nil {
		st.layers[st.at(layer)].blocks[off/block] = nil
		return nil
	}
	return write(st.layers[st.at(layer)].blocks, off, p)
}

// Read reads the volume as its holder would.
func (f *Fake) Read(v id.Volume, p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.stacks[v]
	if st == nil {
		return 0, volume.Missing
	}
	return read(st.layers, st.size, p, off)
}
