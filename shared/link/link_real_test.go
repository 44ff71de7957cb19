//go:build real

package link

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mine names a namespace of this run of the tests, so that several may go on at once.
func mine(s string) string { return fmt.Sprintf("kltst%d-%s", os.Getpid(), s) }

func space(t *testing.T, name string) *Space {
	t.Helper()
	s, err := Make(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if err := Remove(name); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSpacesAreFoundAgainAndGoWithTheirInterfaces(t *testing.T) {
	a := space(t, mine("a"))
	b := space(t, mine("b"))
	must(t, a.AddVXLAN("kltstvx", VXLAN{ID: 77, Port: 14789, Local: netip.MustParseAddr("127.0.0.1")}))
	must(t, a.Move("kltstvx", b))
	must(t, b.Rename("kltstvx", "vx0"))
	must(t, b.Configure("vx0", 1450, "02:fe:00:00:00:01"))
	l, err := b.Link("vx0")
	must(t, err)
	if l.MAC != "02:fe:00:00:00:01" || l.MTU != 1450 || !l.Up || l.VXLAN == nil || l.VXLAN.ID != 77 || l.VXLAN.Port != 14789 {
		t.Fatalf("vx0 is %+v %+v", l, l.VXLAN)
	}
	if again, err := Make(mine("b")); err != nil {
		t.Fatal(err)
	} else {
		if _, err := again.Link("vx0"); err != nil {
			t.Error("made anew instead of found:", err)
		}
		again.Close()
	}
	names, err := Names(mine(""))
	must(t, err)
	if !slices.Equal(names, []string{mine("a"), mine("b")}) {
		t.Error("names:", names)
	}
	must(t, Remove(mine("b")))
	// b's handle still keeps the namespace alive: the port must be free all the same
	must(t, a.AddVXLAN("kltstvx", VXLAN{ID: 77, Port: 14789, Local: netip.MustParseAddr("127.0.0.1")}))
	must(t, a.Delete("kltstvx"))
	must(t, a.Delete("kltstvx"))
	if _, err := Open(mine("b")); !errors.Is(err, ErrMissing) {
		t.Error("removed namespace opens:", err)
	}
}

func TestHalfMadeSpaceIsMissingAndMadeAnew(t *testing.T) {
	space(t, mine("first")) // so that the folder is there
	must(t, os.WriteFile(filepath.Join(spaces, mine("half")), nil, 0o444))
	if _, err := Open(mine("half")); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	space(t, mine("half"))
}

func TestRoutesNeighboursAndProxies(t *testing.T) {
	a, b := space(t, mine("a")), space(t, mine("b"))
	must(t, a.AddVeth("va", "vb", b))
	must(t, a.Configure("va", 1400, ""))
	must(t, b.Configure("vb", 1400, "02:00:00:00:00:0b"))
	must(t, a.Set(map[string]string{"net.ipv4.conf.va.proxy_arp": "1", "net.ipv4.ip_forward": "1"}))
	if v, err := a.Setting("net.ipv4.ip_forward"); v != "1" || err != nil {
		t.Error(v, err)
	}
	if v, err := b.Setting("net.ipv4.conf.all.proxy_arp"); v != "0" || err != nil {
		t.Error("a setting of one namespace is in another:", v, err)
	}
	p := netip.MustParsePrefix("10.1.0.1/32")
	must(t, a.AddAddress("va", p))
	must(t, a.AddAddress("va", p))
	if ps, err := a.Addresses("va"); err != nil || !slices.Equal(ps, []netip.Prefix{p}) {
		t.Error(ps, err)
	}
	r := Route{To: netip.MustParsePrefix("10.1.0.9/32"), Device: "va", Source: p.Addr()}
	via := Route{To: netip.MustParsePrefix("10.2.0.0/16"), Via: netip.MustParseAddr("10.9.9.9"), Device: "va"}
	for range 2 {
		must(t, a.AddRoute(r))
		must(t, a.AddRoute(via))
	}
	if rs, err := a.Routes("va"); err != nil || len(rs) != 2 || !slices.Contains(rs, r) || !slices.Contains(rs, via) {
		t.Error(rs, err)
	}
	must(t, a.RemoveRoute(via))
	must(t, a.RemoveRoute(via))
	n := Neighbour{Address: netip.MustParseAddr("10.1.0.9"), MAC: "02:00:00:00:00:0b"}
	must(t, a.AddNeighbour("va", n))
	if ns, err := a.Neighbours("va"); err != nil || !slices.Equal(ns, []Neighbour{n}) {
		t.Error(ns, err)
	}
	pub := netip.MustParseAddr("198.51.100.7")
	must(t, a.AddProxy("va", pub))
	must(t, a.AddProxy("va", pub))
	if as, err := a.Proxies("va"); err != nil || !slices.Equal(as, []netip.Addr{pub}) {
		t.Error(as, err)
	}
	must(t, a.RemoveProxy("va", pub))
	must(t, a.RemoveProxy("va", pub))
	must(t, a.Announce("va", pub))

	must(t, a.AddVXLAN("vx", VXLAN{ID: 5, Port: 14790, Local: p.Addr()}))
	f := Forwarding{MAC: "02:fe:00:00:00:02", To: netip.MustParseAddr("10.77.0.12")}
	must(t, a.AddForwarding("vx", f))
	must(t, a.AddForwarding("vx", f))
	if fs, err := a.Forwardings("vx"); err != nil || !slices.Equal(fs, []Forwarding{f}) {
		t.Error(fs, err)
	}
	must(t, a.RemoveForwarding("vx", f))
	must(t, a.RemoveForwarding("vx", f))
}

// On a machine where nobody has made a namespace yet, the ip command comes
// second; and a program with mounts of its own holds the namespace.
func TestSpacesLiveBesideTheIPCommandAndPrivateMounts(t *testing.T) {
	if os.Getenv("KARRI_LINK_FRESH") == "" {
		c := exec.Command("unshare", "-m", "--propagation", "private", "sh", "-ec", "umount -l /run/netns 2>/dev/null || true; mount -t tmpfs none /run; exec \"$@\"", "sh", os.Args[0], "-test.run=^TestSpacesLiveBeside")
		c.Env = append(os.Environ(), "KARRI_LINK_FRESH=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	a, err := Make(mine("fresh"))
	must(t, err)
	defer a.Close()
	if out, err := exec.Command("ip", "netns", "add", mine("ip")).CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	sleeper := exec.Command("unshare", "-m", "--propagation", "private", "sh", "-c", "echo up; exec sleep 60")
	out, err := sleeper.StdoutPipe()
	must(t, err)
	must(t, sleeper.Start())
	defer func() { _ = sleeper.Process.Kill(); _ = sleeper.Wait() }()
	if _, err := out.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	if list, err := exec.Command("ip", "netns", "list").CombinedOutput(); err != nil || !strings.Contains(string(list), mine("fresh")) {
		t.Error("the ip command does not see it:", string(list), err)
	}
	must(t, Remove(mine("fresh")))
	if list, err := exec.Command("ip", "netns", "list").CombinedOutput(); err != nil || strings.Contains(string(list), mine("fresh")) {
		t.Error("still there:", string(list), err)
	}
}
