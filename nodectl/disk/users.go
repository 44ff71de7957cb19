package disk

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"karri/shared/fault"
	"karri/shared/id"
)

// Users are those that the QEMUs of a host run as, one for each disk: Count
// users from First on, all of one group. With no Count, disks belong to who
// makes them.
type Users struct{ First, Count, Group int }

// give makes f over to a user that no other disk here belongs to. Who has which
// is not written down elsewhere: the owners of the disks are the record.
func (d *Disks) give(f *os.File) error {
	if d.users.Count == 0 {
		return nil
	}
	d.own.Lock()
	defer d.own.Unlock()
	taken := map[int]bool{}
	for _, name := range []string{"disk.qcow2", temporary} {
		files, err := filepath.Glob(filepath.Join(d.dir, "*", name))
		if err != nil {
			return err
		}
		for _, file := range files {
			if fi, err := os.Lstat(file); err == nil { // else it has just gone
				taken[owner(fi)] = true
			}
		}
	}
	for uid := d.users.First; uid < d.users.First+d.users.Count; uid++ {
		if !taken[uid] {
			return f.Chown(uid, d.users.Group)
		}
	}
	return fault.New(fault.Full, "InsufficientInstanceCapacity", "This host has users for %d instances, and all are taken.", d.users.Count)
}

// User returns the user and group that the QEMU of i runs as: the owner of its
// disk, and the group of all.
func (d *Disks) User(i id.Instance) (uid, gid int, err error) {
	p, err := d.Paths(i)
	if err != nil {
		return 0, 0, err
	}
	fi, err := os.Lstat(p.Disk)
	if err != nil {
		return 0, 0, err
	}
	return owner(fi), d.users.Group, nil
}

func owner(fi fs.FileInfo) int { return int(fi.Sys().(*syscall.Stat_t).Uid) }
