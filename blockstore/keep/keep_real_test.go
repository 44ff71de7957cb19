//go:build real

package keep_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"karri/blockstore/keep"
	"karri/shared/crash/crashtest"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

func settleKeeper(ctx context.Context, k *keep.Keeper) error {
	for steps, before, round := 1, 0, 0; steps > before && round < 8; round++ {
		before = steps
		k.Nudge = func() { steps++ }
		for _, settle := range []func(context.Context) error{
			k.Volumes().SettleAll, k.Exports().SettleAll, k.Freezes().SettleAll, k.Snapshots().SettleAll, k.Sweeps().SettleAll,
		} {
			if err := settle(ctx); err != nil && fault.KindOf(err) != fault.Later {
				return err
			}
		}
	}
	return nil
}

// play tells the story; a blockstore dies at the place the first time that it
// comes there. It returns whether it did.
func (w *cloudWorld) play(crashAt string, killDaemons bool) (crashed bool) {
	w.Helper()
	for _, c := range story {
		for index, b := range c.writes {
			must(w.T, w.io(fmt.Sprintf("write -P %d %dM 1M", b, index)))
		}
		w.tell(c.change)
		crashed = w.step(crashAt, killDaemons, crashed)
	}
	return crashed
}

func (w *cloudWorld) step(crashAt string, killDaemons, crashed bool) bool {
	w.Helper()
	if crashed {
		crashAt = ""
	}
	if w.settle(crashAt) {
		crashed = true
		if killDaemons {
			w.killDaemons()
		}
		w.settle("")
	}
	return crashed
}

// killDaemons ends every storage daemon of this world as kill -9 does.
func (w *cloudWorld) killDaemons() {
	for _, pid := range w.daemons() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for len(w.daemons()) > 0 {
		time.Sleep(5 * time.Millisecond) // other processes end when they end
	}
}

func (w *cloudWorld) daemons() []int {
	var pids []int
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		b, err := os.ReadFile(path)
		if err == nil && strings.HasPrefix(string(b), "qemu-storage-daemon\x00") && strings.Contains(string(b), w.dir) {
			var pid int
			if _, err := fmt.Sscanf(path, "/proc/%d/", &pid); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func (w *cloudWorld) told() {
	w.Helper()
	w.has(v2, map[int64]byte{0: 1, 5: 1, 9: 0})
	w.has(v3, map[int64]byte{0: 1, 5: 2, 9: 2, 1500: 0})
	if err := w.io("read -P 4 0 1M", "read -P 2 5M 1M", "read -P 3 9M 1M", "read -P 0 1M 1M"); err != nil {
		w.Error(err)
	}
	r := w.report()
	for _, v := range []id.Volume{v1, v2, v3} {
		if r.Volumes[v].State != wire.BlockReady {
			w.Errorf("%s is %+v", v, r.Volumes[v])
		}
	}
	for _, s := range []id.Snapshot{s1, s2, s3} {
		if r.Snapshots[s].State != wire.BlockReady {
			w.Errorf("%s is %+v", s, r.Snapshots[s])
		}
	}
	layers, err := filepath.Glob(filepath.Join(w.dir, "volumes", string(v1), "*"))
	if err != nil || len(layers) != 2 {
		w.Errorf("v1 has layers %v", layers)
	}
	if n := len(w.daemons()); n != 1 {
		w.Errorf("%d storage daemons run", n)
	}
}

// empty checks that the world is as it was at first.
func (w *cloudWorld) empty() {
	w.Helper()
	w.tell(func(o *wire.BlockOrders) { clear(o.Volumes); clear(o.Snapshots) })
	w.settle("")
	var left []string
	for _, pattern := range []string{"volumes/*", "exports/*", "walrus/*/*", "snap-*"} {
		found, err := filepath.Glob(filepath.Join(w.dir, pattern))
		must(w.T, err)
		left = append(left, found...)
	}
	if r := w.report(); len(left)+len(r.Volumes)+len(r.Exports)+len(r.Snapshots)+len(w.daemons()) > 0 {
		w.Errorf("left are %v, %+v, daemons %v", left, r, w.daemons())
	}
}

// The real program, on real files, records and storage daemons, dies at each
// place between two durable writes; half of the times its storage daemons too.
func TestDiesAtEveryPlace(t *testing.T) {
	names := append(crashtest.Points(t, ".."), "")
	for i, name := range names {
		for _, kill := range []bool{true, false} {
			if !kill && testing.Short() {
				continue
			}
			t.Run(fmt.Sprintf("%s/kill=%v", name, kill), func(t *testing.T) {
				w := newCloudWorld(t)
				crashed := w.play(name, kill)
				w.told()
				w.tell(gone)
				crashed = w.step(name, kill, crashed)
				w.empty()
				if !crashed && i < len(names)-1 {
					t.Errorf("nothing comes to %s", name)
				}
			})
		}
	}
	t.Logf("%d places", len(names)-1)
}

// A snapshot that is taken while a guest writes holds all that was written
// before some instant and nothing of what was written after.
func TestSnapshotWhileWriting(t *testing.T) {
	w := newCloudWorld(t)
	for _, c := range story[:2] {
		w.tell(c.change)
		w.settle("")
	}
	const blocks = 200
	var commands []string
	for i := range blocks {
		commands = append(commands, fmt.Sprintf("write -f -P %d %dk 64k", i%250+1, 64*i), "sleep 10")
	}
	written := make(chan error, 1)
	go func() { written <- w.io(commands...) }()
	time.Sleep(time.Second) // the guest is in the middle of its writes
	begin := time.Now()
	w.tell(story[2].change)
	w.settle("")
	took := time.Since(begin)
	select {
	case err := <-written:
		t.Fatalf("the guest was done before the snapshot: %v", err)
	default:
	}
	must(t, <-written)
	w.tell(func(o *wire.BlockOrders) {
		o.Volumes[v2] = wire.Volume{Want: wire.Present, SizeGiB: 1, From: s1, Zone: zone}
	})
	w.settle("")
	k, err := openKeeper(t.Context(), w.dir)
	must(t, err)
	defer k.Store.Close()
	must(t, k.Disk.Freeze(t.Context(), v2, 1))
	f, err := k.Disk.Frozen(t.Context(), v2, 1)
	must(t, err)
	defer f.Close()
	in, p := 0, make([]byte, 65536)
	for i := range blocks {
		_, err := f.ReadAt(p, int64(i)*65536)
		must(t, err)
		switch {
		case p[0] == byte(i%250+1) && p[65535] == p[0] && in == i:
			in++
		case p[0] != 0 || p[65535] != 0:
			t.Errorf("block %d begins with %d, and %d blocks are before it", i, p[0], in)
		}
	}
	if in == 0 || in == blocks {
		t.Errorf("the snapshot has %d of %d blocks", in, blocks)
	}
	t.Logf("the snapshot took %s and has %d of %d blocks", took, in, blocks)
}

// A node that does not hear of its end cannot write after the volume moved.
func TestTheOldNodeIsCutOff(t *testing.T) {
	w := newCloudWorld(t)
	for _, c := range story[:2] {
		w.tell(c.change)
		w.settle("")
	}
	old := w.report().Exports[v1]
	held := make(chan error, 1)
	go func() { held <- w.io("write -P 1 0 1M", "sleep 3000", "write -P 9 0 1M") }()
	time.Sleep(time.Second) // the node has written once and is connected
	w.tell(func(o *wire.BlockOrders) { o.Exports[v1] = wire.Export{Node: "b", Epoch: 2} })
	w.settle("")
	must(t, w.io("write -P 2 1M 1M"))
	if err := <-held; err == nil {
		t.Error("the old node wrote after the volume moved")
	}
	if now := w.report().Exports[v1]; now.Epoch != 2 || now.Name == old.Name {
		t.Errorf("served is %+v after %+v", now, old)
	}
	must(t, w.io("read -P 1 0 1M", "read -P 2 1M 1M"))
	w.tell(func(o *wire.BlockOrders) { o.Exports[v1] = wire.Export{Node: "a", Epoch: 1} })
	w.settle("")
	if now := w.report().Exports[v1]; now.Epoch != 2 {
		t.Errorf("after an order for the old epoch, served is %+v", now)
	}
	w.killDaemons()
	w.settle("")
	if now := w.report().Exports[v1]; now.Address == "" || len(w.daemons()) != 1 {
		t.Errorf("after kill -9 of the storage daemon, served is %+v", now)
	}
	must(t, w.io("read -P 1 0 1M", "read -P 2 1M 1M"))
}
