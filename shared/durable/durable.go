// Package durable writes files so that a name never stands for half of its
// bytes: temporary file, fsync, rename, fsync of the folder. After a crash the
// name holds the old bytes or the new ones, whole; a temporary file left over
// begins with ".tmp-" and is rubbish that Sweep removes.
package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const tmpPrefix = ".tmp-"

// WriteFile puts b under path with the given mode. When it returns nil the
// bytes and the name are on disk.
func WriteFile(path string, b []byte, mode os.FileMode) error {
	return Write(path, mode, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// Write is WriteFile for bytes that fill writes. When fill fails, nothing is
// left of it and path is as it was.
func Write(path string, mode os.FileMode, fill func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), tmpPrefix+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	err = errors.Join(f.Chmod(mode), fill(f))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		return Rename(f.Name(), path)
	}
	return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
}

// Rename gives a file whose bytes are on disk its name, for good.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(to))
}

// SyncDir puts the names in a folder on disk: those made and those removed.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Sweep removes what writes that were cut off left in dir.
func Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tmpPrefix) && e.Type().IsRegular() {
			if bad := os.Remove(filepath.Join(dir, e.Name())); !errors.Is(bad, fs.ErrNotExist) { // its writer may have been quicker
				err = errors.Join(err, bad)
			}
		}
	}
	return err
}
