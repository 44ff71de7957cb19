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

	"golang.org/x/sys/unix"

	"karri/shared/crash"
	"karri/shared/durable"
)

// flushEvery is how many bytes of a large piece are given to the disk while
// more come in, so that the sync at its end has little left to do.
const flushEvery = 8 << 20

func (f *Files) path(id string) (string, error) {
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%q is not the id of a piece", id)
	}
	return filepath.Join(f.root, "pieces", id[:2], id), nil
}

// createFile begins a piece in a file of its own. The lock on it tells the
// sweepers of other processes that somebody is still at it.
func (f *Files) createFile(size int64) (Writer, error) {
	id := NewID()
	temp := filepath.Join(f.root, "temp", id)
	if err := f.fail("create", temp); err != nil {
		return nil, diskError(err)
	}
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, diskError(err)
	}
	w := &fileWriter{files: f, file: file, temp: temp, size: size, sums: summer{id: id}}
	if _, err := lock(file); err != nil {
		w.Abort()
		return nil, fmt.Errorf("create piece: %w", err)
	}
	return w, nil
}

type fileWriter struct {
	files   *Files
	file    *os.File
	temp    string
	size    int64 // that was announced, or -1
	flushed int64
	sums    summer
	done    bool
}

func (w *fileWriter) ID() string { return w.sums.id }

func (w *fileWriter) Write(p []byte) (int, error) {
	if err := w.files.fail("write", w.temp); err != nil {
		return 0, diskError(err)
	}
	n, err := w.file.Write(p)
	w.sums.Write(p[:n])
	if ready := w.sums.size - w.flushed; ready >= flushEvery {
		// It only begins: what fails shows at the sync.
		_ = unix.SyncFileRange(int(w.file.Fd()), w.flushed, ready, unix.SYNC_FILE_RANGE_WRITE)
		w.flushed = w.sums.size
	}
	return n, diskError(err)
}

// Commit is Writer's: bytes, then the name, then the folder that holds it.
func (w *fileWriter) Commit() error {
	f := w.files
	path, err := f.path(w.sums.id)
	if err != nil {
		return err
	}
	if w.size >= 0 && w.size != w.sums.size {
		return NotSize
	}
	for _, step := range []struct {
		op string
		do func() error
	}{
		{"write", func() error { _, err := w.file.Write(append(w.sums.Table(), footer(w.sums.size)...)); return err }},
		{"sync", w.file.Sync},
		{"rename", func() error { crash.Here("walrus.content.synced"); return os.Rename(w.temp, path) }},
		{"close", w.file.Close},
		{"syncdir", func() error { crash.Here("walrus.content.named"); return durable.SyncDir(filepath.Dir(path)) }},
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
		_ = os.Remove(w.temp)
		_ = w.file.Close()
	}
}

func (f *Files) openFile(id string, off, n int64) (io.ReadCloser, error) {
	path, err := f.path(id)
	if err != nil {
		return nil, err
	}
	if err := f.fail("open", path); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Lost.Because(err)
	}
	if err != nil {
		return nil, err
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
		return nil, err
	}
	from := f.readable(file)
	size, err := sizeOf(from, st.Size())
	if err != nil {
		return nil, Damaged.Because(fmt.Errorf("piece %s: %w", id, err))
	}
	if err := within(id, size, off, n); err != nil {
		return nil, err
	}
	return &fileReader{verified{id: id, file: from, size: size, table: size, off: off, end: off + n}, file}, nil
}

type fileReader struct {
	verified
	close io.Closer
}

func (r *fileReader) Close() error {
	r.release()
	return r.close.Close()
}

func (f *Files) removeFile(id string) error {
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

func (f *Files) listFiles(ctx context.Context, each func(Info) error) error {
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

func (f *Files) sweepFiles() (n int, err error) {
	dir := filepath.Join(f.root, "temp")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	for _, e := range entries {
		switch gone, err := removeUnused(filepath.Join(dir, e.Name())); {
		case err != nil:
			return n, fmt.Errorf("sweep: %w", err)
		case gone:
			n++
		}
	}
	return n, nil
}

// removeUnused removes a file that nobody has locked.
func removeUnused(path string) (gone bool, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	if mine, err := lock(file); err != nil || !mine {
		return false, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return true, nil
}
