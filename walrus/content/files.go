package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"karri/shared/durable"
)

// Files is the Engine of one machine: segments of small pieces, a file for each
// large one in 256 folders by the first digits of its id, and a folder of what
// is being written. Several processes may share the folder.
type Files struct {
	root    string
	reserve int64
	fail    func(op, path string) error
	tested  bool
	packs   *segments
}

// FilesOptions are what a store of files is told.
type FilesOptions struct {
	// Reserve is how many bytes of the file system are left free, so that
	// deletes and the index can still be written down; 256 MiB when zero.
	Reserve int64
	// Fail is asked before each call to the disk, for tests of broken ones.
	Fail func(op, path string) error
}

// OpenFiles opens the store in the folder root, and makes it if need be.
func OpenFiles(root string, o FilesOptions) (*Files, error) {
	f := &Files{root: root, reserve: o.Reserve, fail: o.Fail, tested: o.Fail != nil}
	if f.reserve == 0 {
		f.reserve = 256 << 20
	}
	if f.fail == nil {
		f.fail = func(string, string) error { return nil }
	}
	f.packs = newSegments(f)
	dirs := []string{filepath.Join(root, "temp"), f.packs.openDir(), filepath.Join(root, "pieces")}
	for i := range 256 {
		dirs = append(dirs, filepath.Join(root, "pieces", fmt.Sprintf("%02x", i)))
	}
	for _, d := range dirs {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("open content: %w", err)
		}
	}
	for _, d := range []string{filepath.Dir(root), root, f.packs.dir, dirs[2]} {
		if err := durable.SyncDir(d); err != nil {
			return nil, fmt.Errorf("open content: %w", err)
		}
	}
	return f, nil
}

var _ Engine = (*Files)(nil)

// Close ends the store's use by this process; what was committed is durable
// without it.
func (f *Files) Close() error { return f.packs.close() }

// Identity returns the name that was given to the store, "" for a new one.
func (f *Files) Identity() (string, error) {
	b, err := os.ReadFile(filepath.Join(f.root, "id"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(b)), err
}

// SetIdentity gives the store a name that it keeps.
func (f *Files) SetIdentity(id string) error {
	return durable.WriteFile(filepath.Join(f.root, "id"), []byte(id+"\n"), 0o600)
}

// Room is Engine's.
func (f *Files) Room() error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(f.root, &s); err != nil {
		return fmt.Errorf("ask for free space: %w", err)
	}
	if int64(s.Bavail)*s.Bsize < f.reserve {
		return NoSpace
	}
	return nil
}

// Create is Engine's.
func (f *Files) Create(_ context.Context, size int64) (Writer, error) {
	if err := f.Room(); err != nil {
		return nil, err
	}
	if size >= 0 && size <= packMost {
		return f.packs.create(size)
	}
	return f.createFile(size)
}

// Open is Engine's.
func (f *Files) Open(_ context.Context, id string, off, n int64) (io.ReadCloser, error) {
	if p, ok := parsePlace(id); ok {
		return f.packs.open(p, off, n)
	}
	return f.openFile(id, off, n)
}

// Remove is Engine's.
func (f *Files) Remove(_ context.Context, id string) error {
	if p, ok := parsePlace(id); ok {
		return f.packs.remove(p)
	}
	return f.removeFile(id)
}

// List is Engine's.
func (f *Files) List(ctx context.Context, each func(Info) error) error {
	if err := f.packs.list(ctx, each); err != nil {
		return err
	}
	return f.listFiles(ctx, each)
}

// Sweep is Engine's.
func (f *Files) Sweep(context.Context) (int, error) {
	files, err := f.sweepFiles()
	if err != nil {
		return files, err
	}
	packed, err := f.packs.sweep()
	return files + packed, err
}

// within refuses a range that does not lie in a piece.
func within(id string, size, off, n int64) error {
	if off < 0 || n < 0 || off > size || n > size-off {
		return Damaged.Because(fmt.Errorf("piece %s has %d bytes, not %d from %d", id, size, n, off))
	}
	return nil
}

// readable returns what a piece's reader reads of file, by way of Fail in tests.
func (f *Files) readable(file *os.File) io.ReaderAt {
	if f.tested {
		return failing{file, f.fail}
	}
	return file
}

type failing struct {
	file *os.File
	fail func(op, path string) error
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if err := f.fail("read", f.file.Name()); err != nil {
		return 0, err
	}
	return f.file.ReadAt(p, off)
}

// lock takes an open file for this process, and reports whether no other has it.
func lock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// diskError tells a full disk from a broken one.
func diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return NoSpace.Because(err)
	}
	return err
}
