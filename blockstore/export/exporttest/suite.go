package exporttest

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"karri/blockstore/export"
	"karri/blockstore/volume"
	"karri/shared/fault"
	"karri/shared/id"
)

// A World is an exporter with volumes to serve, and the hands of a guest.
type World struct {
	export.Exporter
	Disk  volume.Engine
	Write func(t export.Ticket, off int64, p []byte) error // as the node of the ticket
	Kill  func(v id.Volume)                                // the server, at once
	Again func() export.Exporter                           // a blockstore that started anew
}

const (
	mib  = 1 << 20
	size = 64 * mib
	vol  = id.Volume("vol-0123456789abcdef0")
)

// Suite is what every exporter does. open returns one that serves nothing.
func Suite(t *testing.T, open func(t *testing.T) World) {
	for name, test := range map[string]func(*testing.T, World){
		"nothing": nothing, "epochs": epochs, "outlives": outlives, "dies": dies, "layers": layers,
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			t.Cleanup(func() {
				if err := w.End(context.Background(), vol); err != nil {
					t.Error(err)
				}
			})
			test(t, w)
			must(t, w.End(t.Context(), vol))
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w World) stack(t *testing.T) []volume.Layer {
	t.Helper()
	s, err := w.Disk.Seen(t.Context(), vol)
	must(t, err)
	return s.Layers
}

func (w World) ticket(t *testing.T, epoch uint64, node string) export.Ticket {
	t.Helper()
	port, err := w.FreePort(nil)
	must(t, err)
	return export.Ticket{Volume: vol, Epoch: epoch, Peer: node, Port: port}
}

func (w World) served(t *testing.T, want uint64) {
	t.Helper()
	if got, err := w.Served(t.Context(), vol); err != nil || got != want {
		t.Fatalf("served is epoch %d (%v), want %d", got, err, want)
	}
	if all, err := w.Volumes(t.Context()); err != nil || want != 0 && !slices.Equal(all, []id.Volume{vol}) {
		t.Fatalf("served volumes are %v, %v", all, err)
	}
}

// holds checks what the frozen layer keeps at off.
func (w World) holds(t *testing.T, layer int, off int64, b byte) {
	t.Helper()
	f, err := w.Disk.Frozen(t.Context(), vol, layer)
	must(t, err)
	defer f.Close()
	got := make([]byte, 65536)
	_, err = f.ReadAt(got, off)
	must(t, err)
	if !bytes.Equal(got, block(b)) {
		t.Errorf("at %d of layer %d is %d, want %d", off, layer, got[0], b)
	}
}

func block(b byte) []byte { return bytes.Repeat([]byte{b}, 65536) }

// Names of nodes for tickets.
const (
	NodeA = "a.us-east-1a.nodectl.karri"
	NodeB = "b.us-east-1a.nodectl.karri"
)

func nothing(t *testing.T, w World) {
	w.served(t, 0)
	must(t, w.End(t.Context(), vol))
	if err := w.Serve(t.Context(), w.ticket(t, 1, NodeA), nil); err == nil {
		t.Error("a volume without layers is served")
	}
	if err := w.Push(t.Context(), vol, []volume.Layer{{}, {Number: 1}}); fault.KindOf(err) != fault.Later {
		t.Errorf("push of what is not served: %v", err)
	}
	w.served(t, 0)
}

func epochs(t *testing.T, w World) {
	must(t, w.Disk.Create(t.Context(), vol, size))
	one := w.ticket(t, 1, NodeA)
	must(t, w.Serve(t.Context(), one, w.stack(t)))
	must(t, w.Serve(t.Context(), one, w.stack(t)))
	w.served(t, 1)
	must(t, w.Write(one, mib, block(1)))
	two := w.ticket(t, 2, NodeB)
	if err := w.Serve(t.Context(), two, w.stack(t)); fault.CodeOf(err) != export.Busy.Code {
		t.Fatalf("a second epoch beside the first: %v", err)
	}
	w.served(t, 1)
	must(t, w.End(t.Context(), vol))
	w.served(t, 0)
	if w.Write(one, 2*mib, block(2)) == nil {
		t.Error("the first node writes after its end")
	}
	must(t, w.Serve(t.Context(), two, w.stack(t)))
	w.served(t, 2)
	must(t, w.Write(two, 3*mib, block(3)))
	must(t, w.End(t.Context(), vol))
	must(t, w.Disk.Freeze(t.Context(), vol, 0))
	w.holds(t, 0, mib, 1)
	w.holds(t, 0, 2*mib, 0)
	w.holds(t, 0, 3*mib, 3)
}

func outlives(t *testing.T, w World) {
	must(t, w.Disk.Create(t.Context(), vol, size))
	one := w.ticket(t, 7, NodeA)
	must(t, w.Serve(t.Context(), one, w.stack(t)))
	w.Exporter = w.Again()
	w.served(t, 7)
	must(t, w.Serve(t.Context(), one, w.stack(t)))
	must(t, w.Write(one, mib, block(1)))
	must(t, w.End(t.Context(), vol))
	w.served(t, 0)
}

func dies(t *testing.T, w World) {
	must(t, w.Disk.Create(t.Context(), vol, size))
	one := w.ticket(t, 1, NodeA)
	must(t, w.Serve(t.Context(), one, w.stack(t)))
	must(t, w.Write(one, mib, block(1)))
	w.Kill(vol)
	w.served(t, 0)
	must(t, w.Serve(t.Context(), one, w.stack(t))) // the same port: its node comes back by itself
	w.served(t, 1)
	must(t, w.Write(one, 2*mib, block(2)))
	must(t, w.End(t.Context(), vol))
	must(t, w.Disk.Freeze(t.Context(), vol, 0))
	w.holds(t, 0, mib, 1)
	w.holds(t, 0, 2*mib, 2)
}

// layers freezes and merges under a guest that goes on writing.
func layers(t *testing.T, w World) {
	ctx := t.Context()
	must(t, w.Disk.Create(ctx, vol, size))
	one := w.ticket(t, 1, NodeA)
	must(t, w.Serve(ctx, one, w.stack(t)))
	for layer := range 3 {
		must(t, w.Write(one, int64(layer)*mib, block(byte(layer+1))))
		must(t, w.Disk.Freeze(ctx, vol, layer))
		must(t, w.Push(ctx, vol, w.stack(t)))
		must(t, w.Push(ctx, vol, w.stack(t)))
		must(t, w.Write(one, 10*mib, block(byte(10+layer)))) // belongs to the next layer
		for off := range layer + 1 {
			w.holds(t, layer, int64(off)*mib, byte(off+1))
		}
		if layer > 0 {
			w.holds(t, layer, 10*mib, byte(9+layer))
		}
	}
	if err := w.Disk.Merge(ctx, vol, 1); fault.KindOf(err) != fault.Later {
		t.Errorf("merge behind the server's back: %v", err)
	}
	if err := w.Merge(ctx, vol, w.stack(t), 3); err == nil {
		t.Error("the layer that takes the writes was merged")
	}
	must(t, w.Merge(ctx, vol, w.stack(t), 1))
	must(t, w.Merge(ctx, vol, w.stack(t), 1)) // a crash came before Drop
	must(t, w.Disk.Drop(ctx, vol, 1))
	must(t, w.Merge(ctx, vol, w.stack(t), 2))
	w.Kill(vol) // and again after the server died between merge and drop
	must(t, w.Serve(ctx, one, w.stack(t)))
	must(t, w.Merge(ctx, vol, w.stack(t), 2))
	must(t, w.Disk.Drop(ctx, vol, 2))
	if got := len(w.stack(t)); got != 2 {
		t.Errorf("%d layers are left, want 2", got)
	}
	must(t, w.Write(one, 20*mib, block(20)))
	must(t, w.Disk.Freeze(ctx, vol, 3))
	must(t, w.Push(ctx, vol, w.stack(t)))
	for off, b := range map[int64]byte{0: 1, 1: 2, 2: 3, 10: 12, 20: 20, 30: 0} {
		w.holds(t, 3, off*mib, b)
	}
	must(t, w.End(ctx, vol))
	must(t, w.Disk.Merge(ctx, vol, 3))
	must(t, w.Disk.Freeze(ctx, vol, 4))
	w.holds(t, 4, 20*mib, 20)
}
