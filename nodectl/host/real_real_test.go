//go:build real

package host_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"karri/nodectl/disk"
	"karri/nodectl/host"
	"karri/nodectl/host/hosttest"
	"karri/nodectl/hypervisor"
	"karri/nodectl/libvirtd"
	"karri/nodectl/network"
	"karri/nodectl/probe"
	"karri/shared/id"
	"karri/shared/wire"
)

const cloud = "kht"

// bootSector is the image of every test: its guest speaks, and hears the power button.
var bootSector = probe.BootSector("hello")

type shelf struct{}

func (shelf) Open(context.Context, wire.Image) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(bootSector)), nil
}

func order(n int) (id.Instance, wire.Instance, wire.NodeOrders) {
	sum := sha256.Sum256(bootSector)
	vpc, subnet := id.VPC("vpc-0000000000000000a"), id.Subnet("subnet-0000000000000000a")
	cidr := netip.MustParsePrefix("172.31.0.0/20")
	w := wire.Instance{Want: wire.Running, VCPUs: 1, MemoryMiB: 64, DiskGiB: 1,
		Image: wire.Image{ID: "ami-00000000000000001", SHA256: hex.EncodeToString(sum[:]), Format: "raw", Bytes: int64(len(bootSector))},
		Interfaces: []wire.Interface{{ID: id.Interface(fmt.Sprintf("eni-%08x%09x", n, n)), VPC: vpc, Subnet: subnet, CIDR: cidr,
			MAC: fmt.Sprintf("02:00:00:00:00:%02x", n), Address: netip.AddrFrom4([4]byte{172, 31, 0, byte(10 + n)}), Hostname: "h", SourceCheck: true}}}
	i := id.New[id.Instance](nil)
	return i, w, wire.NodeOrders{Instances: map[id.Instance]wire.Instance{i: w},
		Networks:  map[id.VPC]wire.Network{vpc: {VNI: 101, CIDR: netip.MustParsePrefix("172.31.0.0/16"), Subnets: map[id.Subnet]netip.Prefix{subnet: cidr}, Domain: "internal"}},
		Firewalls: map[id.Interface]wire.Firewall{w.Interfaces[0].ID: {}}}
}

func TestReal(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "kht")
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Chmod(dir, 0o711))
	lv := libvirtd.Config{State: filepath.Join(dir, "libvirt"), NoKVM: true}
	must(libvirtd.EnsureUp(t.Context(), lv))
	t.Cleanup(func() {
		if err := lv.Purge(context.Background()); err != nil {
			t.Error(err)
		}
		if err := network.Purge(context.Background(), cloud); err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	cache, err := disk.OpenCache(filepath.Join(dir, "images"), shelf{}, 1<<30)
	must(err)
	_, gid := lv.Owner()
	disks, err := disk.Open(filepath.Join(dir, "instances"), cache, disk.Users{First: 1_990_000_000, Count: 8, Group: gid})
	must(err)
	hv := hypervisor.Open(hypervisor.Config{Socket: libvirtd.Socket(lv.State), Cloud: cloud})
	t.Cleanup(hv.Close)
	must(os.Mkdir(filepath.Join(dir, "network"), 0o700))
	net, err := network.New(network.Options{Cloud: cloud, Node: "n", State: filepath.Join(dir, "network"),
		Transit: netip.MustParsePrefix("100.99.0.0/16")})
	must(err)
	t.Cleanup(func() { _ = net.Close() })
	real, err := host.NewReal(disks, hv, net)
	must(err)
	n := 0
	hosttest.Suite(t, func(t *testing.T) hosttest.Bench {
		n++
		i, w, orders := order(n)
		if _, err := net.Sync(t.Context(), uint64(n), orders); err != nil {
			t.Fatal(err)
		}
		return hosttest.Bench{Host: real, ID: i, Order: w}
	})
}
