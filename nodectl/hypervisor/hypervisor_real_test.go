//go:build real

package hypervisor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"karri/nodectl/libvirtd"
	"karri/nodectl/probe"
	"karri/shared/id"
)

type world struct {
	t    *testing.T
	lv   libvirtd.Config
	h    *Hypervisor
	seen chan id.Instance
}

func newWorld(t *testing.T) *world {
	dir, err := os.MkdirTemp("/tmp", "khv")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, lv: libvirtd.Config{State: dir, NoKVM: true}, seen: make(chan id.Instance, 1000)}
	if err := libvirtd.EnsureUp(t.Context(), w.lv); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.lv.Purge(context.Background()); err != nil {
			t.Error(err)
		}
	})
	w.h = w.open()
	return w
}

func (w *world) open() *Hypervisor {
	h := Open(Config{Socket: libvirtd.Socket(w.lv.State), Cloud: "hv", Nudge: func(ids ...id.Instance) {
		for _, i := range ids {
			w.seen <- i
		}
	}})
	w.t.Cleanup(h.Close)
	return h
}

func (w *world) machine(i id.Instance) Machine {
	dir := filepath.Join(w.lv.State, string(i))
	if err := os.Mkdir(dir, 0o711); err != nil {
		w.t.Fatal(err)
	}
	m := Machine{ID: i, VCPUs: 1, MemoryMiB: 64, Disk: dir + "/disk.qcow2", Base: dir + "/base", BaseForm: "raw", Console: dir + "/console.log",
		NICs: []NIC{{Tap: "khv" + string(i)[2:10], MAC: "02:00:00:00:00:01"}}}
	if err := os.WriteFile(m.Base, probe.BootSector("hello from "+string(i)), 0o444); err != nil {
		w.t.Fatal(err)
	}
	if out, err := exec.Command("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", m.Base, "-F", "raw", m.Disk, "64M").CombinedOutput(); err != nil {
		w.t.Fatalf("%s", out)
	}
	uid, gid := w.lv.Owner()
	if err := os.Chown(m.Disk, uid, gid); err != nil {
		w.t.Fatal(err)
	}
	return m
}

// until waits for what Look shows, by the events alone at first.
func (w *world) until(i id.Instance, what string, ok func(State) bool) State {
	w.t.Helper()
	end := time.After(30 * time.Second)
	for {
		s, err := w.h.Look(w.t.Context(), i)
		if err == nil && ok(s) {
			return s
		}
		select {
		case <-w.seen:
		case <-time.After(200 * time.Millisecond):
		case <-end:
			w.t.Fatalf("%s is not %s: %+v %v, %d resets", i, what, s, err, w.h.Resets(i))
		}
	}
}

func (w *world) console(m Machine, text string) {
	w.t.Helper()
	for range 300 {
		if b, _ := os.ReadFile(m.Console); bytes.Contains(b, []byte(text)) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	b, _ := os.ReadFile(m.Console)
	w.t.Fatalf("the console has no %q: %q", text, b)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		log, _ := exec.Command("sh", "-c", "tail -n 30 "+w.lv.State+"/libvirtd.out "+w.lv.State+"/log/qemu/*").CombinedOutput()
		w.t.Fatalf("%v\n%s", err, log)
	}
}

func TestTheLifeOfADomain(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	i := id.New[id.Instance](nil)
	m := w.machine(i)
	w.must(w.h.Start(ctx, m))
	w.must(w.h.Start(ctx, m)) // twice is once
	s := w.until(i, "paused", func(s State) bool { return s.On && !s.Running })
	if len(s.Taps) != 1 || s.Taps[0] != m.NICs[0].Tap {
		t.Errorf("taps %v", s.Taps)
	}
	if out, err := exec.Command("ip", "link", "show", m.NICs[0].Tap).CombinedOutput(); err != nil {
		t.Errorf("no tap: %s", out)
	}
	if b, _ := os.ReadFile(m.Console); len(b) != 0 {
		t.Errorf("it ran before it was let: %q", b)
	}
	if list, err := w.h.List(ctx); err != nil || len(list) != 1 || list[0] != i {
		t.Errorf("%v %v", list, err)
	}
	w.confined()
	w.must(w.h.Resume(ctx, i))
	w.until(i, "running", func(s State) bool { return s.Running })
	w.console(m, "hello from "+string(i))

	// A reboot is seen.
	w.must(w.h.Reboot(ctx, i))
	w.until(i, "rebooted", func(s State) bool { return s.Running && w.h.Resets(i) > 0 })
	before := w.h.Resets(i) // the firmware may add resets of its own
	w.must(w.h.Reset(ctx, i))
	w.until(i, "reset", func(State) bool { return w.h.Resets(i) > before })

	w.survives(m)
	w.ends(m)
}

// survives kills libvirtd under a running guest, which does not notice.
func (w *world) survives(m Machine) {
	w.t.Helper()
	guests := w.lv.Guests()
	w.must(syscall.Kill(w.daemon("libvirtd"), syscall.SIGKILL))
	w.must(libvirtd.EnsureUp(w.t.Context(), w.lv))
	w.until(m.ID, "running again", func(s State) bool { return s.Running && len(s.Taps) == 1 })
	if again := w.lv.Guests(); len(guests) != 1 || fmt.Sprint(again) != fmt.Sprint(guests) {
		w.t.Errorf("guests %v, then %v", guests, again)
	}
}

// ends switches the machine off in each way, and Look is told which.
func (w *world) ends(m Machine) {
	w.t.Helper()
	ctx, i := w.t.Context(), m.ID
	s := w.until(i, "known", func(s State) bool { return s.Defined })
	for tries := 0; s.On && tries < 60; tries++ {
		if err := w.h.Shutdown(ctx, i); err != nil {
			w.t.Log("it ends while it is told to:", err)
		}
		select {
		case <-w.seen:
		case <-time.After(2 * time.Second):
		}
		s, _ = w.h.Look(ctx, i)
	}
	if s := w.until(i, "off", func(s State) bool { return !s.On }); s.Off != OffShutdown {
		w.t.Errorf("off by %v", s.Off)
	}
	if _, err := exec.Command("ip", "link", "show", m.NICs[0].Tap).CombinedOutput(); err == nil {
		w.t.Error("the tap is left")
	}
	w.must(w.h.Start(ctx, m))
	w.must(w.h.Destroy(ctx, i))
	w.must(w.h.Destroy(ctx, i))
	if s := w.until(i, "off", func(s State) bool { return !s.On }); s.Off != OffDestroyed {
		w.t.Errorf("off by %v", s.Off)
	}
	w.must(w.h.Forget(ctx, i))
	w.must(w.h.Forget(ctx, i))
	if s := w.until(i, "gone", func(s State) bool { return !s.Defined }); s.On {
		w.t.Error("it is on")
	}
	w.console(m, "hello from")
}

// confined checks what the kernel says of each guest's process.
func (w *world) confined() {
	w.t.Helper()
	uid, _ := w.lv.Owner()
	for _, pid := range w.lv.Guests() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		w.must(err)
		for _, want := range []string{fmt.Sprintf("Uid:\t%d\t%d", uid, uid), "Seccomp:\t2", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"} {
			if !strings.Contains(string(b), want) {
				w.t.Errorf("QEMU is not confined: want %q in\n%s", want, b)
			}
		}
	}
}

func (w *world) daemon(name string) int {
	b, err := os.ReadFile(filepath.Join(w.lv.State, "run", name+".pid"))
	w.must(err)
	var pid int
	_, err = fmt.Sscan(string(b), &pid)
	w.must(err)
	return pid
}
