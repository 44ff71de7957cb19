// Package images is the image cache of a zone: nodes fetch images from here
// and never need to reach walrus.
//
// An image is a file named by the SHA-256 of its bytes. It is pulled once, by
// whoever asks first, while later askers wait for the same pull; the bytes are
// hashed as they come, and only a whole and right image gets its name. So a
// file that has its name is good, and what a crash cut off is a temporary file
// that the next start removes. When the cache is larger than its bound, the
// images that were asked for longest ago go; a node that reads one keeps it
// open until it is done.
package images

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"karri/shared/durable"
	"karri/shared/fault"
)

// A Source streams an object of walrus and tells its size.
type Source func(ctx context.Context, bucket, key string) (io.ReadCloser, int64, error)

// Cache is the images on disk. Its methods may be called by several goroutines.
type Cache struct {
	dir    string
	bound  int64
	source Source
	ctx    context.Context // of all pulls
	cancel context.CancelFunc

	mu    sync.Mutex
	pulls map[string]*pull
	wg    sync.WaitGroup
}

type pull struct {
	done chan struct{}
	err  error
}

// Open opens the cache in dir, which it makes if need be, bounded to so many
// bytes. Close it.
func Open(dir string, bound int64, source Source) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := durable.Sweep(dir); err != nil {
		return nil, err
	}
	c := &Cache{dir: dir, bound: bound, source: source, pulls: map[string]*pull{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

// Close cuts off the pulls under way and waits for their end.
func (c *Cache) Close() {
	c.cancel()
	c.wg.Wait()
}

var sumForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Image opens the image whose bytes have the given SHA-256, pulled from
// bucket and key if it is not here. The caller closes it.
func (c *Cache) Image(ctx context.Context, sum, bucket, key string) (*os.File, error) {
	if !sumForm.MatchString(sum) {
		return nil, fault.New(fault.Invalid, "BadImage", "An image is named by 64 hexadecimal digits.")
	}
	path := filepath.Join(c.dir, sum)
	for {
		f, err := os.Open(path)
		if err == nil {
			now := time.Now()
			_ = os.Chtimes(path, now, now) // only the order of going depends on it
			return f, nil
		}
		if !os.IsNotExist(err) {
			return nil, err
		}
		p := c.begin(sum, bucket, key)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-p.done:
		}
		if p.err != nil {
			return nil, p.err
		}
	}
}

// begin returns the pull of an image, begun now unless it is under way. The
// pull goes on when its asker goes away: others may wait, or come back.
func (c *Cache) begin(sum, bucket, key string) *pull {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.pulls[sum]; p != nil {
		return p
	}
	p := &pull{done: make(chan struct{})}
	c.pulls[sum] = p
	c.wg.Go(func() {
		p.err = c.pull(sum, bucket, key)
		c.mu.Lock()
		delete(c.pulls, sum)
		c.mu.Unlock()
		close(p.done)
	})
	return p
}

func (c *Cache) pull(sum, bucket, key string) error {
	body, size, err := c.source(c.ctx, bucket, key)
	if err != nil {
		return fmt.Errorf("image %s from %s/%s: %w", sum, bucket, key, err)
	}
	defer body.Close()
	if size > c.bound {
		return fault.New(fault.Full, "ImageTooLarge", "The image has %d bytes, the cache of the zone holds %d.", size, c.bound)
	}
	if err := c.makeRoom(size); err != nil {
		return err
	}
	return durable.Write(filepath.Join(c.dir, sum), 0o600, func(w io.Writer) error {
		hash := sha256.New()
		if _, err := io.Copy(io.MultiWriter(w, hash), body); err != nil {
			return err
		}
		if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
			return fault.New(fault.Broken, "ImageDamaged", "The image at %s/%s has the SHA-256 %s, not %s.", bucket, key, got, sum)
		}
		return nil
	})
}

// makeRoom removes the images that were asked for longest ago until size more
// bytes fit.
func (c *Cache) makeRoom(size int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	var files []os.FileInfo
	total := size
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			total += info.Size()
			if sumForm.MatchString(e.Name()) {
				files = append(files, info)
			}
		}
	}
	slices.SortFunc(files, func(a, b os.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, f := range files {
		if total <= c.bound {
			break
		}
		if err := os.Remove(filepath.Join(c.dir, f.Name())); err != nil {
			return err
		}
		total -= f.Size()
	}
	return nil
}
