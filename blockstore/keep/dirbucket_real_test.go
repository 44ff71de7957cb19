//go:build real

package keep_test

import (
	"context"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"karri/shared/bucket"
	"karri/shared/durable"
)

// dirBucket is a bucket.Store in a folder, so that what one process put
// another one finds. Keys are the names of files.
type dirBucket string

var _ bucket.Store = dirBucket("")

func (d dirBucket) path(name, key string) string {
	return filepath.Join(string(d), name, url.PathEscape(key))
}

func (d dirBucket) Make(_ context.Context, name string) error {
	return os.MkdirAll(filepath.Join(string(d), name), 0o700)
}

func missing(err error, f error) error {
	if os.IsNotExist(err) {
		return f
	}
	return err
}

func (d dirBucket) Put(_ context.Context, name, key string, r io.Reader, size int64) (bucket.Object, error) {
	err := durable.Write(d.path(name, key), 0o600, func(w io.Writer) error {
		if n, err := io.Copy(w, r); err != nil || n != size {
			return bucket.IncompleteBody
		}
		return nil
	})
	return bucket.Object{Key: key, Size: size}, missing(err, bucket.NoSuchBucket)
}

func (d dirBucket) Get(_ context.Context, name, key string, _, _ int64) (io.ReadCloser, bucket.Object, error) {
	f, err := os.Open(d.path(name, key))
	return f, bucket.Object{Key: key}, missing(err, bucket.NoSuchKey)
}

func (d dirBucket) Head(_ context.Context, name, key string) (bucket.Object, error) {
	st, err := os.Stat(d.path(name, key))
	if err != nil {
		return bucket.Object{}, missing(err, bucket.NoSuchKey)
	}
	return bucket.Object{Key: key, Size: st.Size(), Modified: st.ModTime()}, nil
}

func (d dirBucket) Delete(_ context.Context, name, key string) error {
	return missing(os.Remove(d.path(name, key)), nil)
}

func (d dirBucket) List(ctx context.Context, name, prefix, after string, _ int) (bucket.Page, error) {
	entries, err := os.ReadDir(filepath.Join(string(d), name))
	if err != nil {
		return bucket.Page{}, missing(err, bucket.NoSuchBucket)
	}
	var p bucket.Page
	for _, e := range entries {
		key, err := url.PathUnescape(e.Name())
		if err != nil || !strings.HasPrefix(key, prefix) || key <= after {
			continue
		}
		o, err := d.Head(ctx, name, key)
		if err != nil {
			return p, err
		}
		p.Objects = append(p.Objects, o)
	}
	slices.SortFunc(p.Objects, func(a, b bucket.Object) int { return strings.Compare(a.Key, b.Key) })
	return p, nil
}

func (d dirBucket) Copy(context.Context, bucket.Ref, bucket.Ref) (bucket.Object, error) {
	return bucket.Object{}, fs.ErrInvalid
}

func (d dirBucket) Buckets(context.Context) ([]string, error) {
	dirs, err := os.ReadDir(string(d))
	names := []string{}
	for _, e := range dirs {
		names = append(names, e.Name())
	}
	return names, err
}

func (d dirBucket) For(string) bucket.Store { return d }
