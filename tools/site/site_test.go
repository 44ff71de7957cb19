package site

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseRoutes(t *testing.T) {
	got, err := parseRoutes(strings.NewReader("Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n" +
		"eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n" +
		"eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"))
	want := []netip.Prefix{netip.MustParsePrefix("172.17.0.0/16")}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := parseRoutes(strings.NewReader("eth0 zz 0 1 0 0 0 0 0 0 0\n")); err == nil {
		t.Error("junk is read")
	}
}

func TestASiteKeepsWhatItChose(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(dir, 0)
	if err != nil || a.Cloud != b.Cloud || a.Ports["ec2"] != b.Ports["ec2"] || a.Public != b.Public {
		t.Errorf("%+v, then %+v, %v", a.Chosen, b.Chosen, err)
	}
}

func TestATakenPortIsLeftAlone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want := l.Addr().(*net.TCPAddr).Port
	got, err := freePort(want, nil)
	if err != nil || got == want {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestAProcessIsKnownByItsStart(t *testing.T) {
	s := &Site{Dir: t.TempDir()}
	p := s.process("sleeper", "sleep", "60")
	if _, ok := p.Running(); ok {
		t.Fatal("it runs before it was started")
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	pid, ok := p.Running()
	if !ok || p.Start() != nil {
		t.Fatal("it does not run")
	}
	if again, _ := p.Running(); again != pid {
		t.Error("it was started twice")
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := p.Running(); ok {
		t.Error("it still runs")
	}
	// The same number with another start time is another process.
	if err := os.WriteFile(p.file, []byte("1 12345678901\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := p.Running(); ok {
		t.Error("another process is taken for ours")
	}
}

func TestUntilGivesUp(t *testing.T) {
	if until(t.Context(), 60*time.Millisecond, func() bool { return false }) {
		t.Error("it never said yes")
	}
}
