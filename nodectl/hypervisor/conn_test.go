package hypervisor

import (
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"karri/shared/fault"
)

// silent is a libvirtd that takes connections and never answers.
func silent(t *testing.T) (socket string, dialled chan struct{}) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	dialled = make(chan struct{}, 100)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			dialled <- struct{}{}
			go func() { _, _ = io.Copy(io.Discard, c) }()
		}
	}()
	return socket, dialled
}

func TestASilentLibvirtdCostsACallItsLimit(t *testing.T) {
	socket, dialled := silent(t)
	h := Open(Config{Socket: socket, Cloud: "c1", Limit: 100 * time.Millisecond})
	began := time.Now()
	if _, err := h.List(t.Context()); fault.KindOf(err) != fault.Later {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	// The watcher dials too, and again; neither is stuck.
	for range 3 {
		select {
		case <-dialled:
		case <-time.After(10 * time.Second):
			t.Fatal("it is not dialled again")
		}
	}
	closed := make(chan struct{})
	go func() { h.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
}

func TestWithoutLibvirtdCallsFailAtOnce(t *testing.T) {
	h := Open(Config{Socket: filepath.Join(t.TempDir(), "none"), Cloud: "c1"})
	defer h.Close()
	if _, err := h.Look(t.Context(), "i-0123456789abcdef0"); fault.KindOf(err) != fault.Later {
		t.Errorf("%v", err)
	}
}
