package disk

import (
	"os"
	"path/filepath"
	"testing"

	"karri/shared/fault"
	"karri/shared/id"
)

func TestEachDiskHasAUserOfItsOwn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("files can be given away by root alone")
	}
	d, dir := newDisks(t, &shelf{}, 1<<30)
	d.users = Users{First: 1_999_000_000, Count: 3, Group: 64055}
	var disks []id.Instance
	made := func() error {
		i := id.New[id.Instance](nil)
		p, _ := d.Paths(i)
		if err := os.Mkdir(p.Dir, 0o711); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(p.Disk)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := d.give(f); err != nil {
			_ = os.Remove(p.Disk)
			return err
		}
		disks = append(disks, i)
		return nil
	}
	for want := 1_999_000_000; want < 1_999_000_003; want++ {
		if err := made(); err != nil {
			t.Fatal(err)
		}
		if uid, gid, err := d.User(disks[len(disks)-1]); uid != want || gid != 64055 || err != nil {
			t.Errorf("%d:%d %v instead of %d", uid, gid, err, want)
		}
	}
	if err := made(); fault.KindOf(err) != fault.Full {
		t.Errorf("a fourth disk for three users: %v", err)
	}
	if err := d.Remove(t.Context(), disks[1]); err != nil {
		t.Fatal(err)
	}
	if err := made(); err != nil {
		t.Fatal(err)
	}
	if uid, _, _ := d.User(disks[3]); uid != 1_999_000_001 {
		t.Errorf("the user of a disk that has gone is not given again, but %d", uid)
	}
	// One in the making has its user too.
	if err := os.Rename(filepath.Join(dir, "instances", string(disks[0]), "disk.qcow2"), filepath.Join(dir, "instances", string(disks[0]), temporary)); err != nil {
		t.Fatal(err)
	}
	if err := made(); fault.KindOf(err) != fault.Full {
		t.Errorf("the user of a disk in the making is given again: %v", err)
	}
}
