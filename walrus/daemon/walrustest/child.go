package walrustest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"karri/shared/port"
	"karri/walrus/daemon"
)

const childMark = "KARRI_TEST_WALRUS"

// Main runs the tests of a package, or is a walrus when Child started it.
func Main(m *testing.M) {
	if os.Getenv(childMark) != "" {
		daemon.Main()
	}
	os.Exit(m.Run())
}

// Child is a walrus in a process of its own, that can be killed and started
// again over the same state.
type Child struct {
	*Walrus
	args []string
	cmd  *exec.Cmd
	done chan struct{}
}

// NewChild returns a walrus that is not started yet.
func NewChild(t testing.TB, cloud *Cloud, args ...string) *Child {
	t.Helper()
	host := freeAddr(t)
	state := t.TempDir()
	c := &Child{Walrus: &Walrus{Cloud: cloud, Endpoint: "http://" + host, Host: host, State: state}}
	c.args = append([]string{"--state", state, "--public", host, "--join", cloud.JoinToken(), "--log-level", "warn"}, args...)
	t.Cleanup(c.Kill)
	return c
}

// freeAddr returns an address that nobody uses, and that is still free after the
// child was killed.
func freeAddr(t testing.TB) string {
	t.Helper()
	addr, err := port.Free("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// Start starts it, to crash at a named place unless that is "", and waits
// until it answers or has ended.
func (c *Child) Start(t testing.TB, crashAt string) {
	t.Helper()
	c.cmd = exec.Command(os.Args[0], c.args...)
	c.cmd.Env = append(os.Environ(), childMark+"=1", "KARRI_CRASH_AT="+crashAt)
	c.cmd.Stderr = os.Stderr
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(c.cmd, c.done)
	for range 2000 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, c.Endpoint, nil)
		res, err := http.DefaultTransport.RoundTrip(r)
		cancel()
		if err == nil {
			_ = res.Body.Close()
			return
		}
		select {
		case <-c.done:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Fatal("walrus does not answer")
}

// Kill ends it as kill -9 does, if it runs.
func (c *Child) Kill() {
	if c.cmd != nil {
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}

// End asks it to end, and waits until it has.
func (c *Child) End() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	<-c.done
}

// Ended waits a while for it to end by itself, and says whether it did.
func (c *Child) Ended(patience time.Duration) bool {
	select {
	case <-c.done:
		return true
	case <-time.After(patience):
		return false
	}
}

// PeakMiB returns the most resident memory that it has had.
func (c *Child) PeakMiB(t testing.TB) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib >> 10
}
