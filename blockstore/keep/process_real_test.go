//go:build real

package keep_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/blockstore/chunk"
	"karri/blockstore/export"
	"karri/blockstore/keep"
	"karri/blockstore/store"
	"karri/blockstore/volume"
	"karri/shared/id"
	"karri/shared/life"
	"karri/shared/pki"
	"karri/shared/wire"
)

// The helper is this test's own program, started again as a blockstore that
// settles what it is told and ends, or dies where KARRI_CRASH_AT says.
const helper = "KARRI_TEST_BLOCKSTORE"

func TestMain(m *testing.M) {
	dir := os.Getenv(helper)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := settleOnce(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// wishes is what the helper reads: its order book.
type wishes struct {
	Orders wire.BlockOrders
	Gen    uint64
}

func readWishes(dir string) (w wishes, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "wishes.json"))
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	return w, err
}

// openKeeper is a blockstore over real files, records and storage daemons.
func openKeeper(ctx context.Context, dir string) (*keep.Keeper, error) {
	w, err := readWishes(dir)
	if err != nil {
		return nil, err
	}
	creds, err := pki.Load(filepath.Join(dir, "pki"))
	if err != nil {
		return nil, err
	}
	records, err := store.Open(ctx, filepath.Join(dir, "blockstore.db"))
	if err != nil {
		return nil, err
	}
	disk, err := volume.OpenFiles(filepath.Join(dir, "volumes"))
	if err != nil {
		return nil, err
	}
	daemons, err := export.OpenDaemons(filepath.Join(dir, "exports"))
	if err != nil {
		return nil, err
	}
	daemons.First, daemons.Last, daemons.Direct = 23500, 23900, export.CanDirect(dir)
	daemons.Credentials = func() *pki.Credentials { return creds }
	return &keep.Keeper{
		Zone: zone, Orders: func() (wire.BlockOrders, uint64) { return w.Orders, w.Gen },
		Store: records, Disk: disk, Export: daemons, Drafts: dir, Listen: "127.0.0.1", Now: time.Now,
		Chunks: &chunk.Store{Walrus: dirBucket(filepath.Join(dir, "walrus")), Zone: zone, Parallel: 4},
	}, nil
}

func settleOnce(dir string) error {
	ctx := context.Background()
	k, err := openKeeper(ctx, dir)
	if err != nil {
		return err
	}
	defer k.Store.Close()
	return settleKeeper(ctx, k)
}

// cloudWorld is what outlives a blockstore, and the nodes.
type cloudWorld struct {
	*testing.T
	dir   string
	nodes map[string]string // credentials
	wishes
}

func newCloudWorld(t *testing.T) *cloudWorld {
	w := &cloudWorld{T: t, dir: t.TempDir(), nodes: map[string]string{}}
	root, err := pki.NewRoot(time.Now())
	must(t, err)
	member := func(issuer *pki.Credentials, who pki.Identity) *pki.Credentials {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		must(t, err)
		csr, err := pki.Request(key, who)
		must(t, err)
		chain, err := issuer.Issue(csr, time.Now())
		must(t, err)
		c, err := pki.Enrolled(key, chain, root.RootPEM(), time.Now())
		must(t, err)
		return c
	}
	must(t, member(root, pki.Identity{Role: pki.Blockstore, Zone: zone}).Save(filepath.Join(w.dir, "pki")))
	cluster := member(root, pki.Identity{Role: pki.Clusterctl, Zone: zone})
	for _, name := range []string{"a", "b"} {
		w.nodes[name] = filepath.Join(w.dir, "node-"+name)
		must(t, member(cluster, pki.Identity{Role: pki.Nodectl, Zone: zone, Name: name}).QEMU(w.nodes[name], "client", -1, -1))
	}
	w.Orders = wire.BlockOrders{Volumes: map[id.Volume]wire.Volume{}, Exports: map[id.Volume]wire.Export{}, Snapshots: map[id.Snapshot]wire.Snapshot{}}
	t.Cleanup(w.end)
	return w
}

// end ends the storage daemons that the test left.
func (w *cloudWorld) end() {
	k, err := openKeeper(context.Background(), w.dir)
	if err != nil {
		return
	}
	defer k.Store.Close()
	all, _ := k.Export.Volumes(context.Background())
	for _, v := range all {
		_ = k.Export.End(context.Background(), v)
	}
}

func (w *cloudWorld) tell(change func(o *wire.BlockOrders)) {
	w.Helper()
	change(&w.Orders)
	w.Gen++
	b, err := json.Marshal(w.wishes)
	must(w.T, err)
	must(w.T, os.WriteFile(filepath.Join(w.dir, "wishes.json"), b, 0o600))
}

// settle runs a blockstore until nothing is left to do, or until it dies at a
// place; it tells whether it died.
func (w *cloudWorld) settle(crashAt string) bool {
	w.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helper+"="+w.dir, "KARRI_CRASH_AT="+crashAt)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState.ExitCode() == 137 && crashAt != "" {
		return true
	}
	if err != nil {
		w.Fatalf("blockstore: %v: %s", err, out)
	}
	return false
}

func (w *cloudWorld) report() wire.BlockReport {
	w.Helper()
	k, err := openKeeper(context.Background(), w.dir)
	must(w.T, err)
	defer k.Store.Close()
	r, err := k.Report(context.Background(), func(string, string) life.Status { return life.Status{} })
	must(w.T, err)
	return r
}

// io runs commands as the node that has v1.
func (w *cloudWorld) io(commands ...string) error {
	e, ok := w.report().Exports[v1]
	if !ok {
		return export.NotServed
	}
	host, port, _ := strings.Cut(e.Address, ":")
	args := []string{"--object", "tls-creds-x509,id=t,endpoint=client,dir=" + w.nodes[e.Node]}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	image := fmt.Sprintf("driver=nbd,host=%s,port=%s,export=%s,tls-creds=t,tls-hostname=%s.blockstore.karri", host, port, e.Name, zone)
	return qemuIO(append(args, "--image-opts", image)...)
}

func qemuIO(args ...string) error {
	out, err := exec.Command("qemu-io", args...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "failed") {
		return fmt.Errorf("qemu-io %v: %v: %s", args, err, out)
	}
	return nil
}

// has checks what the MiBs of a volume that nobody has are filled with.
func (w *cloudWorld) has(v id.Volume, want map[int64]byte) {
	w.Helper()
	disk, err := volume.OpenFiles(filepath.Join(w.dir, "volumes"))
	must(w.T, err)
	s, err := disk.Seen(context.Background(), v)
	must(w.T, err)
	for index, b := range want {
		command := fmt.Sprintf("read -P %d %dM 1M", b, index)
		if err := qemuIO("-r", "-f", "qcow2", "-c", command, s.Layers[len(s.Layers)-1].Path); err != nil {
			w.Errorf("%s: MiB %d is not %d: %v", v, index, b, err)
		}
	}
}
