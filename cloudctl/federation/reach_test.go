package federation

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"karri/cloudctl/federation/issuertest"
	"karri/shared/fault"
)

func TestWhereIssuersMayBe(t *testing.T) {
	some, err := Reach([]string{"10.20.0.0/16", "fd00:20::/32", "127.0.0.1/32"})
	if err != nil {
		t.Fatal(err)
	}
	none, err := Reach(nil)
	if err != nil {
		t.Fatal(err)
	}
	for a, want := range map[string]struct{ none, some bool }{
		"198.51.100.7:443": {true, true}, "[2620:fe::fe]:443": {true, true}, "[::ffff:198.51.100.7]:443": {true, true},
		"10.20.3.4:443": {false, true}, "[::ffff:10.20.3.4]:443": {false, true}, "[fd00:20::1]:8443": {false, true}, "127.0.0.1:443": {false, true},
		"127.0.0.2:443": {}, "[::1]:443": {}, "10.21.0.1:443": {}, "172.16.0.1:443": {}, "192.168.1.1:443": {}, "100.64.0.1:443": {}, "[fd01::1]:443": {},
		"169.254.169.254:443": {}, "[fe80::1]:443": {}, "[fe80::1%lo]:443": {}, "0.0.0.0:443": {}, "0.1.2.3:443": {}, "[::]:443": {}, "224.0.0.1:443": {},
		"255.255.255.255:443": {}, "[::ffff:127.0.0.2]:443": {}, "[64:ff9b::7f00:1]:443": {}, "[2002:7f00:1::]:443": {}, "x": {}, "localhost:443": {},
	} {
		if got := none(a) == nil; got != want.none {
			t.Errorf("%s: %v", a, none(a))
		}
		if got := some(a) == nil; got != want.some {
			t.Errorf("%s where some are allowed: %v", a, some(a))
		}
	}
	for _, bad := range []string{"", "10.20.0.1/16", "10.20.0.0", "all"} {
		if _, err := Reach([]string{bad}); err == nil {
			t.Errorf("%q is a network", bad)
		}
	}
}

// A tenant's name server tells one address of the issuer, and another one the
// next time it is asked: the inside of the cloud is not reached by that.
func TestANameThatMovesInsideIsNotFollowed(t *testing.T) {
	p := issuertest.New(t)
	port := netip.MustParseAddrPort(p.Listener.Addr().String()).Port()
	inside, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: int(port)})
	if err != nil {
		t.Fatal(err)
	}
	defer inside.Close()
	var reached atomic.Bool
	go func() {
		for {
			c, err := inside.Accept()
			if err != nil {
				return
			}
			reached.Store(true)
			c.Close()
		}
	}()
	p.URL = strings.Replace(p.URL, "127.0.0.1", "example.com", 1) // a name in the certificate of httptest
	var asked atomic.Int64
	names := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		a, b := net.Pipe()
		go nameServer(b, func() [4]byte {
			if asked.Add(1) == 1 {
				return [4]byte{127, 0, 0, 1}
			}
			return [4]byte{127, 0, 0, 2}
		})
		return a, nil
	}}
	reach, err := Reach([]string{"127.0.0.1/32"})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	s := &Issuers{Clock: func() time.Time { return now }, Reach: reach, resolver: names}
	_, err = s.Verify(t.Context(), p.Provider(), p.Token(t, nil))
	if fault.CodeOf(err) != "IDPCommunicationError" || !strings.Contains(err.Error(), "127.0.0.2") {
		t.Error(err)
	}
	if p.Asked.Load() > 0 || reached.Load() || asked.Load() != 2 {
		t.Errorf("keys asked %d times, inside reached %v, name asked %d times", p.Asked.Load(), reached.Load(), asked.Load())
	}
}

// nameServer answers one question, over TCP's form of DNS:
// an address to A, nothing to AAAA.
func nameServer(c net.Conn, address func() [4]byte) {
	defer c.Close()
	var n uint16
	if binary.Read(c, binary.BigEndian, &n) != nil {
		return
	}
	q := make([]byte, n)
	if _, err := io.ReadFull(c, q); err != nil {
		return
	}
	end := 12
	for q[end] != 0 {
		end += int(q[end]) + 1
	}
	a := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end+5]...)
	if q[end+2] == 1 {
		a[7] = 1
		ip := address()
		a = append(append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), ip[:]...)
	}
	_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...))
}
