package site

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
)

// routes returns the IPv4 ranges that this machine routes or stands in, the
// default route aside.
func routes() ([]netip.Prefix, error) {
	f, err := os.Open("/proc/net/route")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := parseRoutes(f)
	if err != nil {
		return nil, fmt.Errorf("/proc/net/route: %w", err)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			all = append(all, p.Masked())
		}
	}
	return all, nil
}

// parseRoutes reads the kernel's table: interface, destination, gateway, flags,
// ..., mask, the addresses in hexadecimal with the last byte first.
func parseRoutes(r io.Reader) ([]netip.Prefix, error) {
	var all []netip.Prefix
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 8 || f[0] == "Iface" {
			continue
		}
		to, err := hex.DecodeString(f[1])
		if err != nil || len(to) != 4 {
			return nil, fmt.Errorf("destination %q", f[1])
		}
		mask, err := hex.DecodeString(f[7])
		if err != nil || len(mask) != 4 {
			return nil, fmt.Errorf("mask %q", f[7])
		}
		ones, _ := net.IPMask(binary.BigEndian.AppendUint32(nil, binary.LittleEndian.Uint32(mask))).Size()
		if ones > 0 {
			all = append(all, netip.PrefixFrom(netip.AddrFrom4([4]byte{to[3], to[2], to[1], to[0]}), ones))
		}
	}
	return all, lines.Err()
}
