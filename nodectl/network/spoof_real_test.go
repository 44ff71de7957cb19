//go:build real

package network

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"karri/shared/link"
)

// A rawWire is a raw socket on a guest's eth0.
type rawWire struct {
	fd    int
	index int
}

func raw(t *testing.T, s *link.Space) rawWire {
	t.Helper()
	l, err := s.Link("eth0")
	must(t, err)
	w := rawWire{index: l.Index}
	must(t, s.Do(func() (err error) {

		w.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0x0300)
		if err != nil {
			return err
		}
		if err := unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 300000}); err != nil {
			return err
		}
		_ = unix.SetsockoptInt(w.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20)
		return unix.Bind(w.fd, &unix.SockaddrLinklayer{Protocol: 0x0300, Ifindex: w.index})
	}))
	t.Cleanup(func() { unix.Close(w.fd) })
	return w
}

func (w rawWire) send(t *testing.T, frame []byte) {
	t.Helper()
	for {
		err := unix.Sendto(w.fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: w.index, Halen: 6})
		if err == unix.ENOBUFS || err == unix.EAGAIN {
			time.Sleep(time.Millisecond)
			continue
		}
		must(t, err)
		return
	}
}

// count reads frames until there are none for a moment, and counts those that
// hold the mark: what came in, or where sent is set what went out.
func (w rawWire) count(mark []byte, sent bool) (n int) {
	buf := make([]byte, 4096)
	for {
		k, from, err := unix.Recvfrom(w.fd, buf, 0)
		if err != nil {
			return n
		}
		l, ok := from.(*unix.SockaddrLinklayer)
		if ok && sent == (l.Pkttype == unix.PACKET_OUTGOING) && bytes.Contains(buf[:k], mark) {
			n++
		}
	}
}

func mac(s string) []byte { m, _ := net.ParseMAC(s); return m }

func ip(s string) []byte { return net.ParseIP(s).To4() }

func udpFrame(srcMAC, dstMAC, src, dst string, sport, dport uint16, body []byte) []byte {
	udp := binary.BigEndian.AppendUint16(nil, sport)
	udp = binary.BigEndian.AppendUint16(udp, dport)
	udp = binary.BigEndian.AppendUint16(udp, uint16(8+len(body)))
	udp = append(append(udp, 0, 0), body...)
	h := []byte{0x45, 0, 0, 0, 0, 1, 0, 0, 64, 17, 0, 0}
	binary.BigEndian.PutUint16(h[2:], uint16(20+len(udp)))
	h = append(append(h, ip(src)...), ip(dst)...)
	var sum uint32
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(h[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(h[10:], ^uint16(sum))
	f := append(append(append([]byte{}, mac(dstMAC)...), mac(srcMAC)...), 0x08, 0x00)
	return append(append(f, h...), udp...)
}

func arpFrame(srcMAC, senderMAC, sender, target string, op byte) []byte {
	f := append(append(bytes.Repeat([]byte{0xff}, 6), mac(srcMAC)...), 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, op)
	f = append(append(f, mac(senderMAC)...), ip(sender)...)
	return append(append(f, 0, 0, 0, 0, 0, 0), ip(target)...)
}

const honest, wrong = "02:00:00:00:00:01", "02:00:00:00:00:02"

// dishonest returns frames, by kind, that guest a may not get out to anyone.
func dishonest(gw string, mark []byte) map[string][][]byte {
	return map[string][][]byte{
		"source address": {udpFrame(honest, gw, "10.0.0.99", "10.0.0.12", 1, 2, mark), udpFrame(honest, gw, "10.0.0.12", "10.0.0.13", 1, 2, mark), udpFrame(honest, gw, "8.8.8.8", "10.77.0.1", 1, 2, mark)},
		"source MAC":     {udpFrame(wrong, gw, "10.0.0.11", "10.0.0.12", 1, 2, mark), udpFrame(wrong, gw, "10.0.0.12", "10.0.0.13", 1, 2, mark)},
		"no address":     {udpFrame(honest, gw, "0.0.0.0", "10.0.0.12", 68, 67, mark)},
		"DHCP server":    {udpFrame(honest, gw, "10.0.0.11", "10.0.0.12", 67, 68, mark), udpFrame(honest, "ff:ff:ff:ff:ff:ff", "10.0.0.1", "255.255.255.255", 67, 68, mark)},
		"ARP":            {append(arpFrame(honest, honest, "10.0.0.1", "10.0.0.12", 1), mark...), append(arpFrame(honest, wrong, "10.0.0.12", "10.0.0.1", 2), mark...), append(arpFrame(honest, honest, "10.0.0.12", "10.0.0.13", 2), mark...)},
		"IPv6 and RA":    {append(append(mac("33:33:00:00:00:01"), mac(honest)...), append([]byte{0x86, 0xdd, 0x60, 0, 0, 0, 0, 10, 58, 255}, append(make([]byte, 32), mark...)...)...)},
		"VLAN":           {append(append(mac("ff:ff:ff:ff:ff:ff"), mac(honest)...), append([]byte{0x81, 0, 0, 5, 8, 0}, udpFrame(honest, gw, "10.0.0.11", "10.0.0.12", 1, 2, mark)[14:]...)...)},
		"link-local":     {udpFrame(honest, gw, "10.0.0.11", "169.254.0.2", 1, 4789, mark)},
		"VXLAN port":     {udpFrame(honest, gw, "10.0.0.11", "10.77.0.12", 1, testPort, mark)},
		"own host":       {udpFrame(honest, gw, "10.0.0.11", "10.77.0.11", 1, testPort, mark), udpFrame(honest, gw, "10.0.0.11", "100.64.0.1", 1, 9, mark)},
		"broadcast":      {udpFrame(honest, "ff:ff:ff:ff:ff:ff", "10.0.0.11", "255.255.255.255", 1, 2, mark), udpFrame(honest, "ff:ff:ff:ff:ff:ff", "10.0.0.11", "10.0.0.255", 1, 2, mark)},
	}
}

func TestNothingSpoofedGetsOut(t *testing.T) {
	l := newLab(t)
	open := allOut[0]
	a := l.order("a", 0, "aa", 101, "10.0.0.11", "", open)
	b := l.order("b", 0, "aa", 101, "10.0.0.12", "", open)
	c := l.order("c", 1, "aa", 101, "10.0.0.13", "10.77.0.203", open)
	l.sync()
	for _, g := range []*guest{a, b, c} {
		l.boot(g, false)
	}
	tap, err := l.nets[0].routers[a.iface.VPC].space.Link(l.nets[0].Tap(a.iface.ID))
	must(t, err)
	from, gw := raw(t, a.space), tap.MAC
	ears := map[string]rawWire{"neighbour": raw(t, b.space), "across": raw(t, c.space)}
	worldEar := raw(t, l.hosts[0])
	mark := []byte("karri-mark")
	count := 10000
	if testing.Short() {
		count = 500
	}
	kinds := dishonest(gw, mark)
	before, err := l.nets[0].Refused(t.Context(), a.iface.VPC)
	must(t, err)
	for name, frames := range kinds {
		for i := range count {
			from.send(t, frames[i%len(frames)])
		}
		for who, ear := range ears {
			if n := ear.count(mark, false); n > 0 {
				t.Errorf("%s: %d of %d frames reached %s", name, n, count, who)
			}
		}
		if n := worldEar.count(mark, true); n > 0 {
			t.Errorf("%s: %d of %d frames left the host", name, n, count)
		}
	}
	after, err := l.nets[0].Refused(t.Context(), a.iface.VPC)
	must(t, err)
	if got := int(after["spoofed"] - before["spoofed"]); got < 4*count {
		t.Errorf("%d frames counted as spoofed, of %d", got, 5*count)
	}
	t.Log("refused:", after)
	// what is honest passes, all of it
	for who, to := range map[string]string{"neighbour": "10.0.0.12", "across": "10.0.0.13"} {
		for range 500 {
			from.send(t, udpFrame(honest, gw, "10.0.0.11", to, 1, 2, mark))
		}
		if n := ears[who].count(mark, false); n != 500 {
			t.Errorf("%d of 500 honest frames reached %s", n, who)
		}
	}
	if n := worldEar.count(mark, true); n != 500 {
		t.Errorf("%d of 500 honest frames were seen to leave the host", n)
	}
	// and no neighbour was deceived
	if !l.pings(b.space, "10.0.0.1") || !l.pings(b.space, "10.0.0.13") {
		t.Error("the neighbour lost its router")
	}
}

func TestGuestComesUpByDHCPAndFindsNames(t *testing.T) {
	l := newLab(t)
	a := l.order("a", 0, "aa", 101, "10.0.0.11", "", pingIn)
	b := l.order("b", 1, "aa", 101, "10.0.0.12", "10.77.0.202", pingIn)
	l.sync()
	l.boot(a, true)
	l.boot(b, true)
	script := filepath.Join(t.TempDir(), "script")
	must(t, os.WriteFile(script, []byte(`#!/bin/sh
[ "$1" = bound ] || exit 0
env | grep -E '^(ip|subnet|router|dns|hostname|domain|mtu|lease|serverid)='
ip addr add $ip/$subnet dev eth0
ip route add default via $router
`), 0o755))
	for _, g := range []*guest{a, b} {
		out, err := l.out(g.space, "busybox udhcpc -i eth0 -n -q -t 4 -T 1 -O mtu -s "+script)
		for _, want := range []string{"ip=" + g.iface.Address.String(), "subnet=255.255.255.0", "router=10.0.0.1", "dns=10.0.0.1", "hostname=" + g.iface.Hostname,
			"domain=us-east-1.compute.internal", "mtu=1450"} {
			if !strings.Contains(out, want+"\n") {
				t.Errorf("%s: no %s in %s %v", g.name, want, out, err)
			}
		}
	}
	if !l.pings(a.space, "10.0.0.12") {
		t.Error("no ping between two that came up by DHCP")
	}
	for question, want := range map[string]string{
		"ip-10-0-0-12.us-east-1.compute.internal": "10.0.0.12",
		"10.0.0.12": "ip-10-0-0-12.us-east-1.compute.internal",
		"ec2-10-77-0-202.us-east-1.compute.internal": "10.77.0.202",
	} {
		if out, err := l.out(a.space, "busybox nslookup "+question+" 10.0.0.1"); err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %s %v", question, out, err)
		}
	}
	// a wrong MAC gets nothing
	must(t, l.sh(b.space, "ip addr flush dev eth0 && ip link set eth0 down && ip link set eth0 address 02:00:00:00:00:77 && ip link set eth0 up"))
	if out, err := l.out(b.space, "busybox udhcpc -i eth0 -n -q -t 2 -T 1 -s "+script); err == nil {
		t.Error("a wrong MAC got a lease:", out)
	}
}
