//go:build real

package daemon

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/nodectl/libvirtd"
	"karri/nodectl/network"
	"karri/shared/id"
	"karri/shared/pki"
	"karri/shared/port"
	"karri/shared/rest"
	"karri/shared/wire"
)

const (
	zone  = "us-east-1a"
	cloud = "kdt"
	vol   = id.Volume("vol-0123456789abcdef0")
)

// bench is a nodectl as its own process, and all that it needs above it.
type bench struct {
	t       *testing.T
	dir     string
	bin     string
	root    *pki.Credentials
	cluster *pki.Credentials
	image   wire.Image
	bytes   []byte
	above   string // address of the pretended clusterctl
	addr    string
	cmd     *exec.Cmd
	dead    chan struct{} // closed when cmd has ended
	client  *rest.Client
	peer    wire.Peer[wire.NodeOrders, wire.NodeReport]
	gen     uint64
	orders  wire.NodeOrders
	lv      libvirtd.Config
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		out, _ := exec.Command("tail", "-n", "40", filepath.Join(b.dir, "nodectl.log")).CombinedOutput()
		b.t.Fatalf("%v\n%s", err, out)
	}
}

// newBench has all but the image.
func newBench(t *testing.T) *bench {
	dir, err := os.MkdirTemp("/tmp", "kdt")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, dir: dir, bin: filepath.Join(dir, "nodectl")}
	b.must(os.Chmod(dir, 0o711))
	b.lv = libvirtd.Config{State: filepath.Join(dir, "state", "libvirt")}
	t.Cleanup(b.end)
	out, err := exec.Command("go", "build", "-o", b.bin, "karri/nodectl").CombinedOutput()
	if err != nil {
		t.Fatalf("%s", out)
	}
	b.root, err = pki.NewRoot(time.Now())
	b.must(err)
	b.cluster = b.member(b.root, pki.Identity{Role: pki.Clusterctl, Zone: zone})
	b.serveAbove()
	b.must(b.member(b.cluster, b.node()).Save(filepath.Join(dir, "state", "pki")))
	joined, _ := json.Marshal(map[string]any{"issuer": b.above, "by": b.cluster.Identity().String(), "peers": map[string]string{pki.Clusterctl: b.above}})
	b.must(os.WriteFile(filepath.Join(dir, "state", "pki", "joined.json"), joined, 0o600))
	b.addr, err = port.Free("127.0.0.1")
	b.must(err)
	return b
}

func (b *bench) end() {
	b.kill()
	if err := b.lv.Purge(context.Background()); err != nil {
		b.t.Error(err)
	}
	if err := network.Purge(context.Background(), cloud); err != nil {
		b.t.Error(err)
	}
	_ = os.RemoveAll(b.dir)
}

func (b *bench) node() pki.Identity {
	return pki.Identity{Role: pki.Nodectl, Zone: zone, Name: "node1"}
}

func (b *bench) member(issuer *pki.Credentials, who pki.Identity) *pki.Credentials {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	b.must(err)
	csr, err := pki.Request(key, who)
	b.must(err)
	chain, err := issuer.Issue(csr, time.Now())
	b.must(err)
	c, err := pki.Enrolled(key, chain, b.root.RootPEM(), time.Now())
	b.must(err)
	return c
}

// guest reads the small guest image, which it builds if it has to.
func (b *bench) guest() {
	path := os.Getenv("KARRI_GUEST")
	if path == "" {
		path = filepath.Join(b.dir, "guest.qcow2")
		if out, err := exec.Command("../../tools/guest/build", path).CombinedOutput(); err != nil {
			b.t.Fatalf("%s", out)
		}
	}
	text, err := os.ReadFile(path)
	b.must(err)
	b.serveImage(text, "qcow2")
}

func (b *bench) serveImage(text []byte, format string) {
	b.bytes = text
	sum := sha256.Sum256(b.bytes)
	b.image = wire.Image{ID: "ami-0123456789abcdef0", Bucket: "karri-images", Key: "ami-0123456789abcdef0",
		SHA256: hex.EncodeToString(sum[:]), Format: format, Bytes: int64(len(b.bytes)), GiB: 1}
}

// serveAbove is a clusterctl that has one image.
func (b *bench) serveAbove() {
	in := rest.NewInternal(func() *pki.Credentials { return b.cluster }, rest.NewMetrics())
	in.Handle("GET", "/v1/images/{sha256}", rest.NodesOf(zone), func(w http.ResponseWriter, r *http.Request) error {
		_, err := w.Write(b.bytes)
		return err
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	b.must(err)
	b.above = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	b.t.Cleanup(cancel)
	go (&rest.Server{Handler: in, TLS: in.TLS(), Observer: rest.Observer{Log: slog.New(slog.DiscardHandler), Metrics: rest.NewMetrics(), Listener: "test"}}).Serve(ctx, ln)
}

func (b *bench) start() {
	b.t.Helper()
	b.run()
	b.await("an answer", 60*time.Second, func() bool { _, err := b.peer.Ask(b.t.Context(), 0); return err == nil })
}

func (b *bench) run(env ...string) {
	b.t.Helper()
	log, err := os.OpenFile(filepath.Join(b.dir, "nodectl.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	b.must(err)
	defer log.Close()
	b.cmd = exec.Command(b.bin, "--state", filepath.Join(b.dir, "state"), "--listen", b.addr, "--zone", zone, "--name", "node1",
		"--cloud", cloud, "--transit", "100.98.0.0/16")
	b.cmd.Stdout, b.cmd.Stderr, b.cmd.Env = log, log, append(os.Environ(), env...)
	b.must(b.cmd.Start())
	dead, cmd := make(chan struct{}), b.cmd
	b.dead = dead
	go func() { _ = cmd.Wait(); close(dead) }()
	if b.client != nil {
		b.client.Close()
	}
	b.client = rest.NewClient(func() *pki.Credentials { return b.cluster }, b.node(), b.addr, nil)
	b.peer = wire.Dial[wire.NodeOrders, wire.NodeReport](b.client)
}

func (b *bench) kill() {
	if b.cmd != nil {
		_ = b.cmd.Process.Kill()
		<-b.dead
		b.cmd = nil
	}
}

func (b *bench) await(what string, most time.Duration, ok func() bool) {
	b.t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > most {
			b.must(fmt.Errorf("waited %v for %s", most, what))
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Logf("%6.1f s  %s", time.Since(began).Seconds(), what)
}

func (b *bench) tell(i id.Instance, change func(*wire.Instance)) {
	b.t.Helper()
	w := b.orders.Instances[i]
	change(&w)
	b.orders.Instances[i] = w
	b.gen++
	b.must(b.peer.Tell(b.t.Context(), b.gen, b.orders))
}

func (b *bench) seen(i id.Instance) wire.InstanceSeen {
	b.t.Helper()
	s, err := b.peer.Ask(b.t.Context(), 0)
	if err != nil {
		return wire.InstanceSeen{}
	}
	return s.Report.Instances[i]
}

func (b *bench) console(i id.Instance) string {
	res, err := b.client.Do(b.t.Context(), rest.Request{Method: http.MethodGet, Path: "/v1/instances/" + string(i) + "/console"})
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return string(text)
}

func (b *bench) order(userData string) id.Instance {
	i := id.New[id.Instance](nil)
	vpc, subnet := id.VPC("vpc-0000000000000000d"), id.Subnet("subnet-0000000000000000d")
	cidr := netip.MustParsePrefix("172.31.0.0/20")
	nic := wire.Interface{ID: id.New[id.Interface](nil), VPC: vpc, Subnet: subnet, CIDR: cidr, MAC: "02:00:00:00:0d:01",
		Address: netip.MustParseAddr("172.31.0.10"), Hostname: "ip-172-31-0-10", SourceCheck: true}
	b.orders = wire.NodeOrders{
		Instances: map[id.Instance]wire.Instance{i: {Account: "111122223333", Want: wire.Running, Launched: time.Now(), Type: "t1.nano",
			VCPUs: 1, MemoryMiB: 128, DiskGiB: 1, Image: b.image, Interfaces: []wire.Interface{nic}, UserData: []byte(userData),
			Metadata: wire.MetadataOptions{Enabled: true, TokensRequired: true, HopLimit: 1}}},
		Networks: map[id.VPC]wire.Network{vpc: {VNI: 77, CIDR: netip.MustParsePrefix("172.31.0.0/16"), Domain: "internal",
			Subnets: map[id.Subnet]netip.Prefix{subnet: cidr}}},
		Firewalls: map[id.Interface]wire.Firewall{nic.ID: {Out: []wire.FlatRule{{Protocol: "-1", From: -1, To: -1, Peers: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}}}},
	}
	return i
}

func (b *bench) read(path string) string {
	text, err := os.ReadFile(path)
	b.must(err)
	return string(text)
}

// confined checks what the kernel says of each guest's process: its own user,
// no capability, the filter of system calls, no file open but its own.
func (b *bench) confined() {
	b.t.Helper()
	for n, pid := range b.lv.Guests() {
		status := b.read(fmt.Sprintf("/proc/%d/status", pid))
		for _, want := range []string{fmt.Sprintf("Uid:\t%d\t", guestUsers(cloud)+n), "Seccomp:\t2", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"} {
			if !strings.Contains(status, want) {
				b.t.Errorf("QEMU is not confined: want %q in\n%s", want, status)
			}
		}
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, fd := range fds {
			to, _ := os.Readlink(fd)
			if strings.HasPrefix(to, b.dir) && !strings.Contains(to, "/instances/") && !strings.Contains(to, "/libvirt/") {
				b.t.Errorf("QEMU has %s open", to)
			}
		}
	}
}

func (b *bench) nothingLeft(i id.Instance) {
	b.t.Helper()
	if g := b.lv.Guests(); len(g) != 0 {
		b.t.Errorf("guests left: %v", g)
	}
	out, err := exec.Command("virsh", "-c", "qemu+unix:///system?socket="+libvirtd.Socket(b.lv.State), "list", "--all", "--name").Output()
	if err != nil || len(bytes.TrimSpace(out)) != 0 {
		b.t.Errorf("domains left: %s %v", out, err)
	}
	files, _ := filepath.Glob(filepath.Join(b.dir, "state", "instances", string(i), "*"))
	for _, f := range files {
		if name := filepath.Base(f); !strings.HasPrefix(name, "console.log") && name != "note.json" {
			b.t.Errorf("left: %s", f)
		}
	}
	for _, w := range b.orders.Instances {
		tap := network.TapName(cloud, w.Interfaces[0].ID)
		out, _ := exec.Command("sh", "-c", "ip link; for n in $(ip netns list | cut -d' ' -f1); do ip -n $n link; done").CombinedOutput()
		if strings.Contains(string(out), tap) {
			b.t.Errorf("the tap %s is left", tap)
		}
	}
}
