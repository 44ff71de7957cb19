package disk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"time"

	"karri/shared/crash"
	"karri/shared/durable"
	"karri/shared/fault"
	"karri/shared/wire"

	"golang.org/x/sync/singleflight"
)

// A Source is where images come from: the cluster's cache. It promises
// nothing about the bytes; they are checked here.
type Source interface {
	Open(ctx context.Context, img wire.Image) (io.ReadCloser, error)
}

// A Cache holds images by the hash of their bytes. A file under its name is
// whole and right. An image that an instance uses has a second name in the
// instance's folder, so the number of its names says whether it may go.
type Cache struct {
	dir    string
	source Source
	most   int64 // bytes; images in use may exceed it

	flights singleflight.Group
	mu      sync.Mutex // over eviction and linking
}

// OpenCache opens the cache in the folder dir, which may grow to most bytes.
func OpenCache(dir string, source Source, most int64) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, err
	}
	return &Cache{dir: dir, source: source, most: most}, durable.Sweep(dir)
}

var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Link gives the image a name at path, on the same file system, fetching it
// first if need be.
func (c *Cache) Link(ctx context.Context, img wire.Image, path string) error {
	if !hashForm.MatchString(img.SHA256) {
		return fault.New(fault.Invalid, "InvalidAMIID.Malformed", "The image %s has no proper hash.", img.ID)
	}
	for range 3 { // it may be evicted between the fetch and the link
		if err := c.link(img, path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := c.fetch(ctx, img); err != nil {
			return fmt.Errorf("fetch image %s: %w", img.ID, err)
		}
	}
	return fault.New(fault.Later, "ImageUnavailable", "The image %s is evicted from the host's cache faster than it is used.", img.ID)
}

func (c *Cache) path(img wire.Image) string { return filepath.Join(c.dir, img.SHA256) }

func (c *Cache) link(img wire.Image, path string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if err := os.Chtimes(c.path(img), now, now); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(c.path(img), path); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}

// fetch brings the image into the cache, once for all who wait. Each caller
// waits as long as its own context allows; the download goes on for the others.
func (c *Cache) fetch(ctx context.Context, img wire.Image) error {
	done := c.flights.DoChan(img.SHA256, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Minute)
		defer cancel()
		return nil, c.download(ctx, img)
	})
	select {
	case r := <-done:
		return r.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Cache) download(ctx context.Context, img wire.Image) error {
	if _, err := os.Stat(c.path(img)); err == nil {
		return nil
	}
	if err := c.makeRoom(img.Bytes); err != nil {
		return err
	}
	body, err := c.source.Open(ctx, img)
	if err != nil {
		return err
	}
	defer body.Close()
	return durable.Write(c.path(img), 0o444, func(w io.Writer) error {
		sum := sha256.New()
		n, err := io.Copy(io.MultiWriter(w, sum), io.LimitReader(body, img.Bytes+1))
		if err != nil {
			return err
		}
		if got := hex.EncodeToString(sum.Sum(nil)); n != img.Bytes || got != img.SHA256 {
			return fault.New(fault.Later, "ImageDamaged", "The bytes that came for the image %s are not those that were registered.", img.ID).
				Because(fmt.Errorf("%d bytes with hash %s, want %d with %s", n, got, img.Bytes, img.SHA256))
		}
		crash.Here("image.fetched")
		return nil
	})
}

// makeRoom removes the images that were unused for longest until n more bytes
// fit, as far as there are any unused.
func (c *Cache) makeRoom(n int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	total := n
	var unused []fs.FileInfo
	for _, e := range entries {
		fi, err := e.Info()
		if err != nil || !hashForm.MatchString(e.Name()) {
			continue
		}
		total += fi.Size()
		if fi.Sys().(*syscall.Stat_t).Nlink == 1 {
			unused = append(unused, fi)
		}
	}
	slices.SortFunc(unused, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, fi := range unused {
		if total <= c.most {
			break
		}
		if err := os.Remove(filepath.Join(c.dir, fi.Name())); err != nil {
			return err
		}
		total -= fi.Size()
	}
	return nil
}
