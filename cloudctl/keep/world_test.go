package keep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"karri/cloudctl/account"
	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/cloudctl/zonetest"
	"karri/shared/bucket/buckettest"
	"karri/shared/id"
	"karri/shared/life/lifetest"
	"karri/shared/wire"
)

const (
	here     = "us-east-1a"
	instID   = id.Instance("i-00000000000000001")
	volID    = id.Volume("vol-00000000000000001")
	cluster  = here + ".clusterctl.karri"
	blockers = here + ".blockstore.karri"
)

// world is a database, a zone and a bucket store that survive a crash of
// cloudctl; start makes what does not.
type world struct {
	testing.TB
	path    string
	store   *store.Store
	zone    *zonetest.Zone
	fuse    *lifetest.Fuse
	buckets *buckettest.Fake
	account string
	now     time.Time

	wrote bool // by a keeper in this round

	keeper  *Keeper
	cluster *Link[wire.ClusterOrders, wire.ClusterReport]
	block   *Link[wire.BlockOrders, wire.BlockReport]
}

// template is the bytes of a database with one zone and the account ann, whose
// id it is made with; making it anew for each world would take most of the time.
var template = sync.OnceValues(func() ([]byte, string) {
	dir, err := os.MkdirTemp("", "keep")
	must(err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "cloud.db")
	s, err := store.Open(context.Background(), path)
	must(err)
	must(s.InTx(context.Background(), func(tx *store.Tx) error {
		return tx.Put(&store.Component{Name: cluster, Role: "clusterctl", Zone: here})
	}))
	v, err := vault.Open(filepath.Join(dir, "key"))
	must(err)
	a, _, err := (&account.Book{Store: s, Vault: v, Clock: time.Now}).Create(context.Background(), "ann")
	must(err)
	s.Close()
	b, err := os.ReadFile(path)
	must(err)
	return b, a.ID
})

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func newWorld(t testing.TB, f *lifetest.Fuse) *world {
	t.Helper()
	b, ann := template()
	path := filepath.Join(t.TempDir(), "cloud.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	w := &world{
		TB: t, path: path, zone: zonetest.New(f), fuse: f, buckets: buckettest.New(f), account: ann,
		now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
	}
	w.zone.Now = func() time.Time { return w.now }
	w.open()
	t.Cleanup(func() { w.store.Close() })
	return w
}

func (w *world) open() {
	w.Helper()
	var err error
	if w.store, err = store.Open(context.Background(), w.path); err != nil {
		w.Fatal(err)
	}
}

// start is a start of cloudctl: all that was in memory is new.
func (w *world) start() {
	clock := func() time.Time { return w.now }
	reports := &report.Latest{}
	w.keeper = &Keeper{Store: w.store, Reports: reports, Clock: clock, Buckets: w.buckets, Log: slog.New(slog.DiscardHandler), pass: w.fuse.Pass,
		Wrote: func() { w.wrote = true }}
	w.cluster = &Link[wire.ClusterOrders, wire.ClusterReport]{
		Name: cluster, Store: w.store, Peer: zonetest.Cluster{Zone: w.zone}, Clock: clock,
		Orders: func(tx *store.Tx) (wire.ClusterOrders, error) { return ClusterOrders(tx, "us-east-1", here) },
		Heard:  func(r wire.ClusterReport, at time.Time) { reports.PutCluster(here, r, at) },
	}
	w.block = &Link[wire.BlockOrders, wire.BlockReport]{
		Name: blockers, Store: w.store, Peer: zonetest.Block{Zone: w.zone}, Clock: clock,
		Orders: func(tx *store.Tx) (wire.BlockOrders, error) { return BlockOrders(tx, here) },
		Heard:  func(r wire.BlockReport, at time.Time) { reports.PutBlock(here, r, at) },
	}
}

// round is what all loops do in a while: tell, let the zone work, listen, settle.
func (w *world) round() error {
	ctx := context.Background()
	w.now = w.now.Add(settled + time.Second)
	err := errors.Join(w.cluster.Tell(ctx), w.block.Tell(ctx))
	w.zone.Work()
	_, err1 := w.cluster.Ask(ctx, 0)
	_, err2 := w.block.Ask(ctx, 0)
	return errors.Join(err, err1, err2, w.keeper.Instances().SettleAll(ctx), w.keeper.Volumes().SettleAll(ctx),
		w.keeper.Attachments().SettleAll(ctx), w.keeper.Snapshots().SettleAll(ctx), w.keeper.Images().SettleAll(ctx))
}

// run is a life of cloudctl, long enough for everything to come to rest.
func (w *world) run() error {
	w.start()
	for quiet := 0; quiet < 2; quiet++ {
		told := w.zone.ClusterGen + w.zone.BlockGen
		w.wrote = false
		if err := w.round(); err != nil {
			return err
		}
		if waits := len(w.zone.Refused) > 0 && w.zone.Machines[instID] == nil && !w.zone.Ended[instID]; waits ||
			w.wrote || told != w.zone.ClusterGen+w.zone.BlockGen {
			quiet = -1
		}
	}
	return nil
}

func (w *world) tx(do func(tx *store.Tx) error) {
	w.Helper()
	if err := w.store.InTx(context.Background(), do); err != nil {
		w.Fatal(err)
	}
}

// wish writes an instance with a public address and, if disk, a volume that
// ends with it.
func (w *world) wish(disk bool) {
	w.Helper()
	w.tx(func(tx *store.Tx) error {
		subnet, err := tx.DefaultSubnet(w.account, here)
		if err != nil {
			return err
		}
		group, err := tx.GroupNamed(w.account, subnet.VPC, "default")
		if err != nil {
			return err
		}
		eni := &store.Interface{
			ID: "eni-00000000000000001", Account: w.account, VPC: subnet.VPC, Subnet: subnet.ID, Zone: here, MAC: "02:00:00:00:00:01",
			Address: "172.31.0.4", Groups: []id.Group{group.ID}, SourceCheck: true, Instance: instID, DeleteOnTermination: true, Lends: true,
		}
		rows := []store.Record{
			&store.Instance{ID: instID, Account: w.account, Reservation: "r-1", Zone: here, Want: wire.Running, Launched: w.now, Created: w.now, Type: "t1.nano", OnShut: "stop"}, eni,
			&store.Address{Address: "192.0.2.1", Account: w.account, Auto: true, Interface: eni.ID, Association: "eipassoc-1"},
			&store.Tag{Account: w.account, Resource: string(instID), Kind: "instance", Key: "Name", Value: "x"},
		}
		if disk {
			rows = append(rows,
				&store.Volume{ID: volID, Account: w.account, Zone: here, SizeGiB: 1, Type: "gp2", Want: wire.Present, Created: w.now},
				&store.Attachment{Volume: volID, Instance: instID, Account: w.account, Zone: here, Device: "/dev/sdf", Want: wire.Attached, DeleteOnTermination: true, Created: w.now, Changed: w.now})
		}
		for _, r := range rows {
			if err := tx.Add(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// instance changes the row of the instance.
func (w *world) instance(do func(i *store.Instance)) *store.Instance {
	w.Helper()
	var row *store.Instance
	w.tx(func(tx *store.Tx) (err error) {
		if row, err = tx.Instance(w.account, instID); err != nil {
			return err
		}
		do(row)
		return tx.Put(row)
	})
	return row
}

func (w *world) attachment(do func(a *store.Attachment)) *store.Attachment {
	w.Helper()
	var row *store.Attachment
	w.tx(func(tx *store.Tx) (err error) {
		if row, err = tx.Attachment(volID); err != nil || row == nil {
			return err
		}
		do(row)
		return tx.Put(row)
	})
	return row
}

// left is what there is of anything, here and in the zone, in words.
func (w *world) left() []string {
	w.Helper()
	var left []string
	w.tx(func(tx *store.Tx) error {
		enis, err1 := tx.InterfacesOf(w.account)
		addresses, err2 := tx.AddressesOf(w.account)
		volumes, err3 := tx.VolumesOf(w.account)
		attachments, err4 := tx.AttachmentsOf(w.account)
		left = append(left, words("interface", enis), words("address", addresses), words("volume row", volumes), words("attachment", attachments))
		return errors.Join(err1, err2, err3, err4)
	})
	left = append(left, words("machine", keys(w.zone.Machines)), words("volume", keys(w.zone.Volumes)), words("export", keys(w.zone.Exports)))
	var out []string
	for _, l := range append(left, w.zone.Wrongs...) {
		if l != "" {
			out = append(out, l)
		}
	}
	return out
}

func words[T any](what string, all []T) string {
	if len(all) == 0 {
		return ""
	}
	return fmt.Sprintf("%d %ss: %+v", len(all), what, all)
}

func keys[K comparable, V any](m map[K]V) []K {
	var all []K
	for k := range m {
		all = append(all, k)
	}
	return all
}
