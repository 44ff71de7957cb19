//go:build real && rados

package content

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/shared/port"
)

// A ceph is a small cluster of one monitor and one object store, on loopback.
type ceph struct {
	dir  string
	conf string
	pids []int
}

const cephConf = `[global]
fsid = %s
mon host = [v2:127.0.0.1:%d/0,v1:127.0.0.1:%d/0]
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail crit = 1
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind ipv6 = false
osd memory target = 939524096
bluestore block size = 4294967296
osd objectstore = bluestore
run dir = %[4]s
log file = %[4]s/$name.log
admin socket = %[4]s/$name.asok
pid file = %[4]s/$name.pid
[mon.a]
mon data = %[4]s/mon
[osd.0]
osd data = %[4]s/osd
[mgr.x]
mgr data = %[4]s/mgr
`

// StartCeph runs a cluster with the pool "karri" until the test ends, or uses
// the one whose configuration KARRI_CEPH_CONF names.
func StartCeph(t *testing.T) string {
	t.Helper()
	if conf := os.Getenv("KARRI_CEPH_CONF"); conf != "" {
		return conf
	}
	for _, program := range []string{"ceph-mon", "ceph-osd", "ceph-mgr", "monmaptool", "ceph"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("Ceph is not installed: %v", err)
		}
	}
	c := &ceph{dir: t.TempDir()}
	c.conf = filepath.Join(c.dir, "ceph.conf")
	for _, d := range []string{"mon", "osd", "mgr"} {
		if err := os.Mkdir(filepath.Join(c.dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	fsid, uuid := newUUID(t), newUUID(t)
	v2, v1 := freePort(t), freePort(t)
	if err := os.WriteFile(c.conf, fmt.Appendf(nil, cephConf, fsid, v2, v1, c.dir), 0o600); err != nil {
		t.Fatal(err)
	}
	monmap := filepath.Join(c.dir, "monmap")
	t.Cleanup(c.stop)
	c.run(t, "monmaptool", "--create", "--fsid", fsid, "--addv", "a", fmt.Sprintf("[v2:127.0.0.1:%d,v1:127.0.0.1:%d]", v2, v1), monmap)
	c.run(t, "ceph-mon", "-c", c.conf, "-i", "a", "--mkfs", "--monmap", monmap)
	c.run(t, "ceph-mon", "-c", c.conf, "-i", "a", "--public-addr", "127.0.0.1")
	c.run(t, "ceph", "-c", c.conf, "osd", "new", uuid)
	c.run(t, "ceph-osd", "-c", c.conf, "-i", "0", "--mkfs", "--osd-uuid", uuid)
	c.run(t, "ceph-osd", "-c", c.conf, "-i", "0")
	c.run(t, "ceph-mgr", "-c", c.conf, "-i", "x")
	c.run(t, "ceph", "-c", c.conf, "osd", "pool", "create", "karri", "8")
	return c.conf
}

func (c *ceph) run(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// stop ends the daemons by the numbers that they wrote down.
func (c *ceph) stop() {
	files, _ := filepath.Glob(filepath.Join(c.dir, "*.pid"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		var pid int
		if _, scan := fmt.Sscan(string(b), &pid); err != nil || scan != nil || pid < 2 {
			continue
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			continue
		}
		_ = p.Kill()
		for range 200 { // until its files are closed
			if !alive(pid) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(b), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

func newUUID(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/kernel/random/uuid")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func freePort(t *testing.T) int {
	t.Helper()
	addr, err := port.Free("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return int(netip.MustParseAddrPort(addr).Port())
}

func openPool(t *testing.T, conf, place string, fail func(op, path string) error) *RADOS {
	t.Helper()
	name := strings.NewReplacer("/", "-", " ", "_").Replace(place)
	s, err := Open("rados://karri/"+name+"?conf="+conf, FilesOptions{Reserve: 1, Fail: fail})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*RADOS)
}

// bitsOf returns the objects of a piece with their sizes.
func bitsOf(t *testing.T, r *RADOS, id string) (names []string, sizes []uint64) {
	t.Helper()
	names = []string{headOf(id)}
	if id[:1] == stripedMark {
		size, err := r.size(id)
		if err != nil {
			t.Fatal(err)
		}
		for n := range (size + stripeSize - 1) / stripeSize {
			names = append(names, stripeOf(id, n))
		}
	}
	for _, name := range names {
		st, err := r.io.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, st.Size)
	}
	return names, sizes
}

// Strays sweeps the stripes of a writer that died, and no others.
func Strays(t *testing.T, conf string) {
	a, b := openPool(t, conf, t.Name(), nil), openPool(t, conf, t.Name(), nil)
	w, err := a.Create(t.Context(), 3<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 3<<20)); err != nil {
		t.Fatal(err)
	}
	if n, err := b.sweep(t.Context(), 0); n != 0 || err != nil {
		t.Errorf("swept %d of a living writer, %v", n, err)
	}
	if err := a.drop("l." + a.writer); err != nil { // as if it were dead, and its lock lapsed
		t.Fatal(err)
	}
	if n, err := b.sweep(t.Context(), time.Hour); n != 0 || err != nil {
		t.Errorf("swept %d that are young, %v", n, err)
	}
	if n, err := b.sweep(t.Context(), 0); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	left := 0
	if err := b.names(t.Context(), "d.", func(string) error { left++; return nil }); err != nil || left != 0 {
		t.Errorf("%d stripes are left, %v", left, err)
	}
	a.seen.Store(0)
	if err := w.Commit(); err == nil {
		t.Error("a writer commits without his lock")
	}
	whole, err := a.Create(t.Context(), 5)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := whole.Write([]byte("small")); err != nil {
		t.Fatal(err)
	}
	if err := whole.Commit(); err != nil { // it needs no lock: there is only one object
		t.Error(err)
	}
}

// PoolIdentity gives a pool a name.
func PoolIdentity(t *testing.T, conf string) {
	a, b := openPool(t, conf, t.Name(), nil), openPool(t, conf, t.Name(), nil)
	for _, want := range []string{"", "one"} {
		if want != "" {
			if err := a.SetIdentity(want); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := b.Identity(); got != want || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// Opened is what the suite, which is outside this package, opens engines by.
func Opened(conf string) (open func(t *testing.T, place string, fail func(op, path string) error) Engine, bits func(*testing.T, string, string) int, flip func(*testing.T, string, string, int)) {
	raw := map[string]*RADOS{}
	at := func(t *testing.T, place string) *RADOS {
		if raw[place] == nil {
			raw[place] = openPool(t, conf, place, nil)
		}
		return raw[place]
	}
	open = func(t *testing.T, place string, fail func(op, path string) error) Engine {
		return openPool(t, conf, place, fail)
	}
	bits = func(t *testing.T, place, id string) int {
		n := 0
		_, sizes := bitsOf(t, at(t, place), id)
		for _, s := range sizes {
			n += 8 * int(s)
		}
		return n
	}
	flip = func(t *testing.T, place, id string, bit int) {
		r := at(t, place)
		names, sizes := flipped[id], flippedSizes[id]
		if names == nil { // what is damaged cannot be asked
			names, sizes = bitsOf(t, r, id)
			flipped[id], flippedSizes[id] = names, sizes
		}
		off := uint64(bit / 8)
		for i, name := range names {
			if off >= sizes[i] {
				off -= sizes[i]
				continue
			}
			var b [1]byte
			if _, err := r.io.Read(name, b[:], off); err != nil {
				t.Fatal(err)
			}
			if err := r.io.Write(name, bytes.Clone([]byte{b[0] ^ 1<<(bit%8)}), off); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	return open, bits, flip
}

var (
	flipped      = map[string][]string{}
	flippedSizes = map[string][]uint64{}
)
