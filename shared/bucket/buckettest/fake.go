// Package buckettest has a walrus that lives in memory, and the one suite that
// it and the real one must pass.
//
// The fake passes a fuse before and after each change, so that lifetest kills
// its user around every put, delete and copy. It is as strict as walrus about
// sizes, ranges and whose bucket it is.
package buckettest

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"karri/shared/bucket"
	"karri/shared/life/lifetest"
)

// A Fake is a bucket.Store in memory. Copies of it made by For share the bytes.
type Fake struct {
	world   *world
	account string // empty: the component itself
}

type world struct {
	mu      sync.Mutex
	fuse    *lifetest.Fuse
	fail    func(op, bucket, key string) error
	buckets map[string]*held
}

type held struct {
	owner   string
	objects map[string]object
}

type object struct {
	data     []byte
	modified time.Time
}

// New returns an empty store. The fuse may be nil.
func New(fuse *lifetest.Fuse) *Fake {
	return &Fake{world: &world{fuse: fuse, buckets: map[string]*held{}}}
}

var _ bucket.Store = (*Fake)(nil)

// Fail makes each call first ask f, with the name of the method; an error is
// the call's answer. A nil f ends that.
func (s *Fake) Fail(f func(op, bucket, key string) error) {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	s.world.fail = f
}

// UserPut stores an object in a bucket that belongs to an account, and makes
// the bucket if need be, as that user would through S3.
func (s *Fake) UserPut(account, name, key string, data []byte) {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	b := s.world.buckets[name]
	if b == nil {
		b = &held{owner: account, objects: map[string]object{}}
		s.world.buckets[name] = b
	}
	b.objects[key] = object{data: bytes.Clone(data), modified: time.Now()}
}

// Damage changes a byte of an object; reading it then fails, as walrus does.
func (s *Fake) Damage(name, key string) {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	o := s.world.buckets[name].objects[key]
	o.modified = time.Time{}
	s.world.buckets[name].objects[key] = o
}

// Keys returns the sorted keys of a bucket: the world as a test checks it.
func (s *Fake) Keys(name string) []string {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	if b := s.world.buckets[name]; b != nil {
		return slices.Sorted(maps.Keys(b.objects))
	}
	return nil
}

// enter locks the world, unless the call is to fail.
func (s *Fake) enter(ctx context.Context, op, name, key string) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.world.mu.Lock()
	if f := s.world.fail; f != nil {
		if err := f(op, name, key); err != nil {
			s.world.mu.Unlock()
			return nil, err
		}
	}
	return s.world.mu.Unlock, nil
}

func (s *Fake) bucket(name, account string) (*held, error) {
	b := s.world.buckets[name]
	switch {
	case b == nil:
		return nil, bucket.NoSuchBucket
	case account == "" && b.owner != bucket.SystemAccount, account != "" && b.owner != account:
		return nil, bucket.AccessDenied
	}
	return b, nil
}

func (s *Fake) object(name, key, account string) (object, error) {
	b, err := s.bucket(name, account)
	if err != nil {
		return object{}, err
	}
	o, ok := b.objects[key]
	if !ok {
		return object{}, bucket.NoSuchKey
	}
	return o, nil
}

func (o object) about(key string) bucket.Object {
	sum := md5.Sum(o.data)
	return bucket.Object{Key: key, Size: int64(len(o.data)), ETag: hex.EncodeToString(sum[:]), Modified: o.modified}
}

// Make is bucket.Store's.
func (s *Fake) Make(ctx context.Context, name string) error {
	leave, err := s.enter(ctx, "Make", name, "")
	if err != nil {
		return err
	}
	defer leave()
	if s.account != "" || !strings.HasPrefix(name, bucket.SystemPrefix) {
		return bucket.AccessDenied
	}
	if s.world.buckets[name] == nil {
		s.world.fuse.Around(func() {
			s.world.buckets[name] = &held{owner: bucket.SystemAccount, objects: map[string]object{}}
		})
	}
	return nil
}

// Put is bucket.Store's.
func (s *Fake) Put(ctx context.Context, name, key string, r io.Reader, size int64) (bucket.Object, error) {
	if s.account != "" {
		return bucket.Object{}, bucket.AccessDenied
	}
	data, err := io.ReadAll(io.LimitReader(r, size+1))
	if err != nil {
		return bucket.Object{}, bucket.IncompleteBody.Because(err)
	}
	if int64(len(data)) != size {
		return bucket.Object{}, bucket.IncompleteBody
	}
	leave, err := s.enter(ctx, "Put", name, key)
	if err != nil {
		return bucket.Object{}, err
	}
	defer leave()
	b, err := s.bucket(name, "")
	if err != nil {
		return bucket.Object{}, err
	}
	o := object{data: data, modified: time.Now()}
	s.world.fuse.Around(func() { b.objects[key] = o })
	return o.about(key), nil
}

// Get is bucket.Store's.
func (s *Fake) Get(ctx context.Context, name, key string, off, n int64) (io.ReadCloser, bucket.Object, error) {
	leave, err := s.enter(ctx, "Get", name, key)
	if err != nil {
		return nil, bucket.Object{}, err
	}
	defer leave()
	o, err := s.object(name, key, s.account)
	if err != nil {
		return nil, bucket.Object{}, err
	}
	size := int64(len(o.data))
	if off < 0 || n == 0 || off > size || off == size && size > 0 {
		return nil, bucket.Object{}, bucket.InvalidRange
	}
	end := size
	if n > 0 && n < size-off {
		end = off + n
	}
	if o.modified.IsZero() {
		return io.NopCloser(damaged{}), o.about(key), nil
	}
	return io.NopCloser(bytes.NewReader(o.data[off:end])), o.about(key), nil
}

type damaged struct{}

func (damaged) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Head is bucket.Store's.
func (s *Fake) Head(ctx context.Context, name, key string) (bucket.Object, error) {
	leave, err := s.enter(ctx, "Head", name, key)
	if err != nil {
		return bucket.Object{}, err
	}
	defer leave()
	o, err := s.object(name, key, s.account)
	if err != nil {
		return bucket.Object{}, err
	}
	return o.about(key), nil
}

// Delete is bucket.Store's.
func (s *Fake) Delete(ctx context.Context, name, key string) error {
	if s.account != "" {
		return bucket.AccessDenied
	}
	leave, err := s.enter(ctx, "Delete", name, key)
	if err != nil {
		return err
	}
	defer leave()
	b, err := s.bucket(name, "")
	if err != nil {
		return err
	}
	s.world.fuse.Around(func() { delete(b.objects, key) })
	return nil
}

// List is bucket.Store's.
func (s *Fake) List(ctx context.Context, name, prefix, after string, limit int) (bucket.Page, error) {
	leave, err := s.enter(ctx, "List", name, prefix)
	if err != nil {
		return bucket.Page{}, err
	}
	defer leave()
	b, err := s.bucket(name, s.account)
	if err != nil {
		return bucket.Page{}, err
	}
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	var page bucket.Page
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		if key <= after || !strings.HasPrefix(key, prefix) {
			continue
		}
		if len(page.Objects) == limit {
			page.More = true
			break
		}
		page.Objects = append(page.Objects, b.objects[key].about(key))
	}
	return page, nil
}

// Copy is bucket.Store's.
func (s *Fake) Copy(ctx context.Context, from, to bucket.Ref) (bucket.Object, error) {
	leave, err := s.enter(ctx, "Copy", to.Bucket, to.Key)
	if err != nil {
		return bucket.Object{}, err
	}
	defer leave()
	o, err := s.object(from.Bucket, from.Key, s.account)
	if err != nil {
		return bucket.Object{}, err
	}
	b, err := s.bucket(to.Bucket, "")
	if err != nil {
		return bucket.Object{}, err
	}
	o.modified = time.Now()
	s.world.fuse.Around(func() { b.objects[to.Key] = o })
	return o.about(to.Key), nil
}

// Buckets is bucket.Store's.
func (s *Fake) Buckets(ctx context.Context) ([]string, error) {
	leave, err := s.enter(ctx, "Buckets", "", "")
	if err != nil {
		return nil, err
	}
	defer leave()
	owner := s.account
	if owner == "" {
		owner = bucket.SystemAccount
	}
	names := []string{}
	for _, name := range slices.Sorted(maps.Keys(s.world.buckets)) {
		if s.world.buckets[name].owner == owner {
			names = append(names, name)
		}
	}
	return names, nil
}

// For is bucket.Store's.
func (s *Fake) For(account string) bucket.Store {
	return &Fake{world: s.world, account: account}
}
