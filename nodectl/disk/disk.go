// Package disk keeps the images and the instances' own disks of a host.
//
//	images/SHA256                  an image, whole and checked, read only
//	instances/ID/base              the same file under a second name
//	instances/ID/disk.qcow2        what the instance changed of it
//	instances/ID/console.log       what it wrote to its serial port
//
// A disk is an overlay whose format and whose base's format are stated in its
// header and to everyone that opens it; no program is ever left to guess the
// format of bytes that a user or a guest wrote. The base is not even opened
// when the overlay is made. A name is given last: a disk that has its name is
// whole. Nothing here is remembered: what there is, is read from the folders.
//
// Each disk belongs to a user of its own, and the instance's QEMU runs as that
// user: a guest that breaks out of its QEMU finds the other disks closed.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"karri/shared/crash"
	"karri/shared/durable"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/image"
	"karri/shared/wire"
)

// Disks are the instances' folders of one host.
type Disks struct {
	dir   string
	cache *Cache
	users Users
	own   sync.Mutex // held while a disk gets its user
}

// Open opens the folder dir of instances, whose disks will belong to users.
func Open(dir string, cache *Cache, users Users) (*Disks, error) {
	return &Disks{dir: dir, cache: cache, users: users}, os.MkdirAll(dir, 0o711)
}

// Paths of an instance's files.
type Paths struct{ Dir, Disk, Base, Console string }

// Paths returns where the files of i are. i must have the form of an id.
func (d *Disks) Paths(i id.Instance) (Paths, error) {
	if !id.Valid[id.Instance](string(i)) {
		return Paths{}, fault.New(fault.Invalid, "InvalidInstanceID.Malformed", "%q is not an instance's id.", string(i))
	}
	dir := filepath.Join(d.dir, string(i))
	return Paths{dir, filepath.Join(dir, "disk.qcow2"), filepath.Join(dir, "base"), filepath.Join(dir, "console.log")}, nil
}

// List returns every instance that has a folder.
func (d *Disks) List() ([]id.Instance, error) {
	entries, err := os.ReadDir(d.dir)
	var list []id.Instance
	for _, e := range entries {
		if e.IsDir() && id.Valid[id.Instance](e.Name()) {
			list = append(list, id.Instance(e.Name()))
		}
	}
	return list, err
}

// Has reports whether there is anything of i, and whether there is its disk.
func (d *Disks) Has(i id.Instance) (kept, disk bool, err error) {
	p, err := d.Paths(i)
	if err != nil {
		return false, false, err
	}
	if kept, err = exists(p.Dir); err == nil && kept {
		disk, err = exists(p.Disk)
	}
	return kept, disk, err
}

func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Make makes the disk of i over its image, as large as its type says and never
// smaller than the image.
func (d *Disks) Make(ctx context.Context, i id.Instance, w wire.Instance) error {
	p, err := d.Paths(i)
	if err != nil {
		return err
	}
	if _, has, err := d.Has(i); err != nil || has {
		return err
	}
	if err := os.MkdirAll(p.Dir, 0o711); err != nil {
		return err
	}
	if err := durable.SyncDir(d.dir); err != nil {
		return err
	}
	if err := d.cache.Link(ctx, w.Image, p.Base); err != nil {
		return err
	}
	crash.Here("disk.base-linked")
	virtual, err := inspect(p.Base, image.Format(w.Image.Format))
	if err != nil {
		return err
	}
	return d.overlay(ctx, p, w.Image.Format, max(int64(w.DiskGiB)<<30, virtual))
}

// temporary is the name of a disk in the making.
const temporary = ".tmp-disk"

// overlay makes the disk under a temporary name, puts it on disk and names it.
func (d *Disks) overlay(ctx context.Context, p Paths, format string, size int64) error {
	tmp := filepath.Join(p.Dir, temporary)
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// -u: the base is not opened, whatever it may hold.
	out, err := exec.CommandContext(ctx, "qemu-img", "create", "-q", "-u", "-f", "qcow2",
		"-b", filepath.Base(p.Base), "-F", format, tmp, strconv.FormatInt(size, 10)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("qemu-img create: %w: %s", err, strings.TrimSpace(string(out)))
	}
	f, err := os.Open(tmp)
	if err != nil {
		return err
	}
	defer f.Close()
	if err = errors.Join(f.Chmod(0o600), d.give(f), f.Sync()); err != nil {
		return err
	}
	crash.Here("disk.made")
	return durable.Rename(tmp, p.Disk)
}

// inspect reads the head of an image and returns how large its disk is. An
// image that is not what its registration said is refused.
func inspect(path string, want image.Format) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	head := make([]byte, min(fi.Size(), image.HeaderBytes))
	if _, err := io.ReadFull(f, head); err != nil {
		return 0, err
	}
	format, virtual, err := image.Inspect(head, fi.Size())
	if err == nil && format != want {
		err = fault.New(fault.Invalid, "InvalidManifest", "The image is %s and was registered as %s.", format, want)
	}
	return virtual, err
}

// Remove removes the disk of i and its hold on the image. The console stays.
func (d *Disks) Remove(_ context.Context, i id.Instance) error {
	p, err := d.Paths(i)
	if err != nil {
		return err
	}
	// The disk goes last: as long as it is there, somebody comes to remove the rest.
	for _, f := range []string{filepath.Join(p.Dir, temporary), p.Base, p.Disk} {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		crash.Here("disk.removed-one")
	}
	if err := durable.SyncDir(p.Dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Sweep removes all that is left of i. It refuses while the disk is there.
func (d *Disks) Sweep(_ context.Context, i id.Instance) error {
	p, err := d.Paths(i)
	if err != nil {
		return err
	}
	if _, has, err := d.Has(i); err != nil || has {
		return errors.Join(err, fault.New(fault.Conflict, "DiskInUse", "The disk of %s is still there.", i))
	}
	return os.RemoveAll(p.Dir)
}

// consoleTail is how much of a console is shown.
const consoleTail = 64 << 10

// Console returns the end of what i wrote to its serial port, up to 64 KiB. An
// instance of which nothing is known has fault Missing.
func (d *Disks) Console(i id.Instance) ([]byte, error) {
	p, err := d.Paths(i)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(p.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Missing, "InvalidInstanceID.NotFound", "This host knows no instance %s.", i)
	}
	b, err := tail(p.Console, consoleTail)
	if err == nil && len(b) < consoleTail { // virtlogd begins a new file every MiB
		var older []byte
		older, err = tail(p.Console+".0", consoleTail-int64(len(b)))
		b = append(older, b...)
	}
	return b, err
}

func tail(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(max(0, fi.Size()-n), io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, n))
}
