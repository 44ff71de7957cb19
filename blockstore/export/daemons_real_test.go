//go:build real

package export_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"karri/blockstore/export"
	"karri/blockstore/export/exporttest"
	"karri/blockstore/volume"
	"karri/shared/id"
	"karri/shared/pki"
)

const vol = id.Volume("vol-0123456789abcdef0")

// cloud is a certificate authority with a zone below it.
type cloud struct {
	t             *testing.T
	root, cluster *pki.Credentials
}

func newCloud(t *testing.T) *cloud {
	root, err := pki.NewRoot(time.Now())
	must(t, err)
	c := &cloud{t: t, root: root}
	c.cluster = c.member(root, pki.Identity{Role: pki.Clusterctl, Zone: "us-east-1a"})
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *cloud) member(issuer *pki.Credentials, who pki.Identity) *pki.Credentials {
	c.t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(c.t, err)
	return c.issue(issuer, key, who)
}

func (c *cloud) issue(issuer *pki.Credentials, key ed25519.PrivateKey, who pki.Identity) *pki.Credentials {
	c.t.Helper()
	csr, err := pki.Request(key, who)
	must(c.t, err)
	chain, err := issuer.Issue(csr, time.Now())
	must(c.t, err)
	creds, err := pki.Enrolled(key, chain, c.root.RootPEM(), time.Now())
	must(c.t, err)
	return creds
}

// client makes the folder of credentials with which a node comes.
func (c *cloud) client(creds *pki.Credentials) string {
	dir := c.t.TempDir()
	must(c.t, creds.QEMU(dir, "client", -1, -1))
	return dir
}

func (c *cloud) node(name string) string {
	who, err := pki.Parse(name)
	must(c.t, err)
	return c.client(c.member(c.cluster, who))
}

type bench struct {
	*export.Daemons
	*cloud
	disk    *volume.Files
	clients map[string]string // node -> credentials
}

func newBench(t *testing.T) *bench {
	b := &bench{cloud: newCloud(t)}
	dir := t.TempDir()
	var err error
	b.Daemons, err = export.OpenDaemons(filepath.Join(dir, "exports"))
	must(t, err)
	b.Direct = export.CanDirect(dir)
	b.First, b.Last = 23100, 23400
	own := b.member(b.root, pki.Identity{Role: pki.Blockstore, Zone: "us-east-1a"})
	b.Credentials = func() *pki.Credentials { return own }
	b.disk, err = volume.OpenFiles(filepath.Join(dir, "volumes"))
	must(t, err)
	b.clients = map[string]string{exporttest.NodeA: b.node(exporttest.NodeA), exporttest.NodeB: b.node(exporttest.NodeB)}
	return b
}

// io runs a command of qemu-io as a client with the credentials.
func (b *bench) io(ticket export.Ticket, creds, command string) error {
	args := []string{"-c", command}
	image := fmt.Sprintf("driver=nbd,host=127.0.0.1,port=%d,export=%s", ticket.Port, ticket.Name())
	if creds != "" {
		args = append(args, "--object", "tls-creds-x509,id=t,endpoint=client,dir="+creds)
		image += ",tls-creds=t,tls-hostname=us-east-1a.blockstore.karri"
	}
	out, err := exec.Command("qemu-io", append(args, "--image-opts", image)...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "failed") {
		return fmt.Errorf("%v: %s", err, out)
	}
	return nil
}

func (b *bench) write(ticket export.Ticket, off int64, p []byte) error {
	return b.io(ticket, b.clients[ticket.Peer], fmt.Sprintf("write -P %d %d %d", p[0], off, len(p)))
}

func (b *bench) pid(v id.Volume) int {
	text, err := os.ReadFile(filepath.Join(b.Dir, string(v), "pid"))
	must(b.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(b.t, err)
	return pid
}

func TestDaemons(t *testing.T) {
	exporttest.Suite(t, func(t *testing.T) exporttest.World {
		b := newBench(t)
		return exporttest.World{
			Exporter: b.Daemons, Disk: b.disk, Write: b.write,
			Kill: func(v id.Volume) {
				pid := b.pid(v)
				must(t, syscall.Kill(pid, syscall.SIGKILL))
				for syscall.Kill(pid, 0) == nil {
					if out, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(out), ") Z ") {
						break
					}
					time.Sleep(5 * time.Millisecond) // another process ends when it ends
				}
			},
			Again: func() export.Exporter { d := *b.Daemons; return &d },
		}
	})
}

func TestOnlyTheNodeOfTheTicketIsAdmitted(t *testing.T) {
	b := newBench(t)
	must(t, b.disk.Create(t.Context(), vol, 64<<20))
	s, err := b.disk.Seen(t.Context(), vol)
	must(t, err)
	port, err := b.FreePort(nil)
	must(t, err)
	ticket := export.Ticket{Volume: vol, Epoch: 3, Peer: exporttest.NodeA, Port: port,
		Authority: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.cluster.Chain[0].Raw}))}
	must(t, b.Serve(t.Context(), ticket, s.Layers))
	defer b.End(context.Background(), vol)
	other := newCloud(t)
	who, _ := pki.Parse(exporttest.NodeA)
	for name, creds := range map[string]string{
		"another node":                 b.clients[exporttest.NodeB],
		"no TLS":                       "",
		"its name in another cloud":    other.node(exporttest.NodeA),
		"the zone's own clusterctl":    b.client(b.cluster),
		"the blockstore itself":        b.client(b.member(b.root, pki.Identity{Role: pki.Blockstore, Zone: "us-east-1a"})),
		"its name from another zone":   b.foreign(who),
		"a node of another zone":       b.client(b.member(b.root, pki.Identity{Role: pki.Nodectl, Zone: "us-east-1b", Name: "a"})),
		"the same node's longer names": b.client(b.member(b.cluster, pki.Identity{Role: pki.Nodectl, Zone: "us-east-1a", Name: "aa"})),
	} {
		if b.io(ticket, creds, "read 0 512") == nil {
			t.Errorf("%s is admitted", name)
		}
	}
	must(t, b.io(ticket, b.clients[exporttest.NodeA], "read 0 512"))
	// The clusterctl renews its certificate, with the same key, and then the node's.
	renewed := *b.cluster
	renewed.Chain = b.issue(b.root, b.cluster.Key, pki.Identity{Role: pki.Clusterctl, Zone: "us-east-1a"}).Chain
	must(t, b.io(ticket, b.client(b.member(&renewed, who)), "read 0 512"))
	wrong := ticket
	wrong.Epoch = 2
	if b.io(wrong, b.clients[exporttest.NodeA], "read 0 512") == nil {
		t.Error("an older epoch's name is known")
	}
}

// A host that was forgotten still has its certificate, and its name may be
// another's by now: that one is admitted, the host that was is not.
func TestARevokedCertificateIsNotAdmitted(t *testing.T) {
	b := newBench(t)
	must(t, b.disk.Create(t.Context(), vol, 64<<20))
	s, err := b.disk.Seen(t.Context(), vol)
	must(t, err)
	port, err := b.FreePort(nil)
	must(t, err)
	who, err := pki.Parse(exporttest.NodeA)
	must(t, err)
	was, is := b.member(b.cluster, who), b.member(b.cluster, who)
	serial, _, err := pki.Issued(was.ChainPEM())
	must(t, err)
	list, err := b.cluster.Revoke(1, time.Now(), []pki.Serial{serial, "7f"})
	must(t, err)
	ticket := export.Ticket{Volume: vol, Epoch: 1, Peer: exporttest.NodeA, Port: port,
		Authority: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.cluster.Chain[0].Raw})) + string(list)}
	must(t, b.Serve(t.Context(), ticket, s.Layers))
	defer b.End(context.Background(), vol)
	must(t, b.io(ticket, b.client(is), "read 0 512"))
	if b.io(ticket, b.client(was), "read 0 512") == nil {
		t.Error("a revoked certificate is admitted")
	}
	renewed := *b.cluster
	renewed.Chain = b.issue(b.root, b.cluster.Key, b.cluster.Identity()).Chain
	must(t, b.io(ticket, b.client(b.member(&renewed, who)), "read 0 512"))
}

// foreign returns what a stolen clusterctl of another zone can make of a
// node's name: a certificate with that common name below its own.
func (c *cloud) foreign(who pki.Identity) string {
	thief := c.member(c.root, pki.Identity{Role: pki.Clusterctl, Zone: "us-east-1b"})
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(c.t, err)
	return c.client(forge(c.t, thief, key, who))
}

// A daemon whose pid file was never written, or is a lie, is found all the same.
func TestFoundWithoutAPidFile(t *testing.T) {
	b := newBench(t)
	must(t, b.disk.Create(t.Context(), vol, 64<<20))
	s, err := b.disk.Seen(t.Context(), vol)
	must(t, err)
	port, err := b.FreePort(nil)
	must(t, err)
	ticket := export.Ticket{Volume: vol, Epoch: 3, Peer: exporttest.NodeA, Port: port}
	must(t, b.Serve(t.Context(), ticket, s.Layers))
	pid := b.pid(vol)
	for _, lie := range []string{"", "1\n", fmt.Sprint(os.Getpid()), "nonsense"} {
		path := filepath.Join(b.Dir, string(vol), "pid")
		must(t, os.RemoveAll(path))
		if lie != "" {
			must(t, os.WriteFile(path, []byte(lie), 0o600))
		}
		if epoch, err := b.Served(t.Context(), vol); err != nil || epoch != 3 {
			t.Fatalf("pid file %q: epoch %d, %v", lie, epoch, err)
		}
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(t, err)
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if own, _ := syscall.Getpgid(0); fields[2] == fmt.Sprint(own) {
		t.Error("the daemon is in our process group")
	}
	must(t, b.End(t.Context(), vol))
	if epoch, err := b.Served(t.Context(), vol); err != nil || epoch != 0 {
		t.Fatalf("after its end: epoch %d, %v", epoch, err)
	}
}

// The storage daemons need no rights of their own.
func TestRunsAsAnotherUser(t *testing.T) {
	b := newBench(t)
	for dir := b.Dir; dir != os.TempDir(); dir = filepath.Dir(dir) {
		must(t, os.Chmod(dir, 0o711))
	}
	must(t, b.disk.Create(t.Context(), vol, 64<<20)) // as root, before
	b.Users = volume.Users{First: 1_099_000_000, Count: 1000}
	b.disk.Users = b.Users
	uid := strconv.Itoa(b.Users.Of(vol))
	if b.Users.Of("vol-00000000000000001") == b.Users.Of("vol-00000000000000002") {
		t.Error("two volumes have one user")
	}
	s, err := b.disk.Seen(t.Context(), vol)
	must(t, err)
	port, err := b.FreePort(nil)
	must(t, err)
	ticket := export.Ticket{Volume: vol, Epoch: 3, Peer: exporttest.NodeA, Port: port}
	must(t, b.Serve(t.Context(), ticket, s.Layers))
	defer b.End(context.Background(), vol)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.pid(vol)))
	must(t, err)
	for _, want := range []string{"Uid:\t" + uid + "\t" + uid, "Gid:\t" + uid + "\t" + uid, "Groups:\t \n", "CapEff:\t0000000000000000"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("no %q in the daemon's status: %s", want, status)
		}
	}
	must(t, b.write(ticket, 0, []byte{1, 1, 1, 1}))
	must(t, b.disk.Freeze(t.Context(), vol, 0))
	s, err = b.disk.Seen(t.Context(), vol)
	must(t, err)
	must(t, b.Push(t.Context(), vol, s.Layers))
	must(t, b.write(ticket, 0, []byte{2, 2, 2, 2}))
	must(t, b.End(t.Context(), vol))
}
