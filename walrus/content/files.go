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

	"karri/shared/crash"
	"karri/shared/durable"
)

// Files is the Engine of one machine: a file for each piece, in 256 folders by
// the first digits of its id, and a folder of what is being written.
type Files struct {
	root    string
	reserve int64
	fail    func(op, path string) error
}

// FilesOptions are what a store of files is told.
type FilesOptions struct {
	// Reserve is how many bytes of the file system are left free, so that
	// deletes and the index can still be written down; 256 MiB when zero.
	Reserve int64
	// Fail is asked before each call to the disk, for tests of broken ones.
	Fail func(op, path string) error
}

// OpenFiles opens the store in the folder root, and makes it if need be. One
// process may use it at a time; the index's lock sees to that.
func OpenFiles(root string, o FilesOptions) (*Files, error) {
	f := &Files{root: root, reserve: o.Reserve, fail: o.Fail}
	if f.reserve == 0 {
		f.reserve = 256 << 20
	}
	if f.fail == nil {
		f.fail = func(string, string) error { return nil }
	}
	dirs := []string{filepath.Join(root, "temp"), filepath.Join(root, "pieces")}
	for i := range 256 {
		dirs = append(dirs, filepath.Join(root, "pieces", fmt.Sprintf("%02x", i)))
	}
	for _, d := range dirs {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("open content: %w", err)
		}
	}
	for _, d := range []string{filepath.Dir(root), root, dirs[1]} {
		if err := syncDir(d); err != nil {
			return nil, fmt.Errorf("open content: %w", err)
		}
	}
	return f, nil
}

var _ Engine = (*Files)(nil)

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

func (f *Files) path(id string) (string, error) {
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%q is not the id of a piece", id)
	}
	return filepath.Join(f.root, "pieces", id[:2], id), nil
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
func (f *Files) Create(context.Context) (Writer, error) {
	if err := f.Room(); err != nil {
		return nil, err
	}
	id := NewID()
	temp := filepath.Join(f.root, "temp", id)
	if err := f.fail("create", temp); err != nil {
		return nil, diskError(err)
	}
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, diskError(err)
	}
	return &fileWriter{files: f, file: file, temp: temp, sums: summer{id: id}}, nil
}

type fileWriter struct {
	files *Files
	file  *os.File
	temp  string
	sums  summer
	done  bool
}

func (w *fileWriter) ID() string { return w.sums.id }

func (w *fileWriter) Write(p []byte) (int, error) {
	if err := w.files.fail("write", w.temp); err != nil {
		return 0, diskError(err)
	}
	n, err := w.file.Write(p)
	w.sums.Write(p[:n])
	return n, diskError(err)
}

// Commit is Writer's: bytes, then the name, then the folder that holds it.
func (w *fileWriter) Commit() error {
	f := w.files
	path, err := f.path(w.sums.id)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		op string
		do func() error
	}{
		{"write", func() error { _, err := w.file.Write(w.sums.Trailer()); return err }},
		{"sync", w.file.Sync},
		{"close", w.file.Close},
		{"rename", func() error { crash.Here("walrus.content.synced"); return os.Rename(w.temp, path) }},
		{"syncdir", func() error { crash.Here("walrus.content.named"); return syncDir(filepath.Dir(path)) }},
	} {
		err := f.fail(step.op, path)
		if err == nil {
			err = step.do()
		}
		if err != nil {
			_ = os.Remove(path) // named or not, it is not acknowledged
			return fmt.Errorf("commit piece: %s: %w", step.op, diskError(err))
		}
	}
	w.done = true
	return nil
}

// Abort is Writer's.
func (w *fileWriter) Abort() {
	if !w.done {
		w.done = true
		_ = w.file.Close()
		_ = os.Remove(w.temp)
	}
}

// Open is Engine's.
func (f *Files) Open(_ context.Context, id string, off, n int64) (io.ReadCloser, error) {
	path, err := f.path(id)
	if err != nil {
		return nil, err
	}
	if err := f.fail("open", path); err != nil {
		return nil, diskError(err)
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Lost.Because(err)
	}
	if err != nil {
		return nil, diskError(err)
	}
	r, err := f.reader(file, id, off, n)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return r, nil
}

func (f *Files) reader(file *os.File, id string, off, n int64) (io.ReadCloser, error) {
	st, err := file.Stat()
	if err != nil {
		return nil, diskError(err)
	}
	size, err := sizeOf(file, st.Size())
	if err != nil {
		return nil, Damaged.Because(fmt.Errorf("piece %s: %w", id, err))
	}
	if off < 0 || n < 0 || off > size || n > size-off {
		return nil, Damaged.Because(fmt.Errorf("piece %s has %d bytes, not %d from %d", id, size, n, off))
	}
	return &fileReader{verified{id: id, file: file, size: size, off: off, end: off + n}, file}, nil
}

type fileReader struct {
	verified
	close io.Closer
}

func (r *fileReader) Close() error {
	r.release()
	return r.close.Close()
}

// Remove is Engine's.
func (f *Files) Remove(_ context.Context, id string) error {
	path, err := f.path(id)
	if err != nil {
		return err
	}
	if err := f.fail("remove", path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove piece: %w", err)
	}
	return nil
}

// List is Engine's.
func (f *Files) List(ctx context.Context, each func(Info) error) error {
	for i := range 256 {
		entries, err := os.ReadDir(filepath.Join(f.root, "pieces", fmt.Sprintf("%02x", i)))
		if err != nil {
			return fmt.Errorf("list pieces: %w", err)
		}
		for _, e := range entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			st, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return fmt.Errorf("list pieces: %w", err)
			}
			size := st.Size() - footerSize
			size -= 4 * ((size + blockSize + 3) / (blockSize + 4))
			if err := each(Info{ID: e.Name(), Size: size, Made: st.ModTime()}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Sweep is Engine's. It must be called before the first Create.
func (f *Files) Sweep(context.Context) (int, error) {
	dir := filepath.Join(f.root, "temp")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	for _, e := range entries {
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return 0, fmt.Errorf("sweep: %w", err)
		}
	}
	return len(entries), nil
}

// diskError tells a full disk from a broken one.
func diskError(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return NoSpace.Because(err)
	}
	return err
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
