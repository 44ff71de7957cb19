package index

import (
	"context"

	"karri/shared/crash"
)

func keyLockOf(bucket, key string) lock { return lock{kind: keyLock, name: keyName(bucket, key)} }

// Object is Objects's.
func (s *Store) Object(ctx context.Context, bucket, key, version string) (*Object, error) {
	b, err := s.Bucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	release := s.engine.settle(keyLockOf(bucket, key))
	v, err := find(ctx, s.engine, b, key, version)
	release()
	switch {
	case err != nil:
		return nil, err
	case v != nil:
		return v.Object, nil
	case version != "":
		return nil, NoSuchVersion
	}
	return nil, NoSuchKey
}

// Put is Objects's.
func (s *Store) Put(ctx context.Context, o *Object, when Condition) error {
	locks := make([]lock, 1, 3)
	locks[0] = keyLockOf(o.Bucket, o.Key)
	if when.Pin != nil {
		locks = append(locks, keyLockOf(when.Pin.Bucket, when.Pin.Key))
	}
	c, err := s.within(ctx, o.Bucket, locks...)
	if err != nil {
		return err
	}
	defer c.end()
	if when.Pin != nil {
		if err := c.pinned(ctx, when.Pin); err != nil {
			return err
		}
	}
	if err := c.replace(ctx, o, when); err != nil {
		return err
	}
	crash.Here("walrus.index.put")
	return c.commit(ctx)
}

// replace adds to c that o is its key's object. The bucket and key are locked.
func (c *change) replace(ctx context.Context, o *Object, when Condition) error {
	top, err := newest(ctx, c, c.bucket, o.Key)
	if err != nil {
		return err
	}
	if err := when.check(top); err != nil {
		return err
	}
	if err := c.makeRoom(ctx, o.Key, top, when); err != nil {
		return err
	}
	seq := c.number(top)
	o.Version, o.Marker, o.Latest = c.name(seq), false, true
	o.Algorithm, o.Composite = o.Checksum.Algorithm, o.Checksum.Composite
	for _, p := range o.Pieces {
		c.claim(p, o.ID)
	}
	c.counts(o, 1)
	c.tell(when, o)
	return c.lay(o, seq, true)
}

// Delete is Objects's.
func (s *Store) Delete(ctx context.Context, bucket, key, version string, when Condition) (Deleted, error) {
	c, err := s.within(ctx, bucket, keyLockOf(bucket, key))
	if err != nil {
		return Deleted{}, err
	}
	defer c.end()
	old, err := find(ctx, c, c.bucket, key, version)
	if err != nil {
		return Deleted{}, err
	}
	if err := when.check(old); err != nil {
		return Deleted{}, err
	}
	if p := when.Pin; p != nil && (old == nil || old.ID != p.ID) {
		return Deleted{}, Moved
	}
	var done Deleted
	switch {
	case version == "" && c.bucket.Versioning != "":
		done, err = c.hide(ctx, key, old, when)
	case old == nil:
		return Deleted{Version: version}, nil
	default:
		done = Deleted{Version: version, Marker: old.Marker}
		c.tell(when, old.Object)
		if err = c.finish(old, when); err == nil {
			err = c.bare(ctx, old)
		}
	}
	if err != nil {
		return Deleted{}, err
	}
	crash.Here("walrus.index.delete")
	return done, c.commit(ctx)
}

// hide adds to c a delete marker above top.
func (c *change) hide(ctx context.Context, key string, top *version, when Condition) (Deleted, error) {
	if err := c.makeRoom(ctx, key, top, when); err != nil {
		return Deleted{}, err
	}
	seq := c.number(top)
	o := &Object{Bucket: c.bucket.Name, Entry: Entry{Key: key, Modified: when.now(), Version: c.name(seq), Owner: when.Owner, Marker: true}}
	c.tell(when, o)
	return Deleted{Version: o.Version, Marker: true}, c.lay(o, seq, false)
}

// Update is Objects's.
func (s *Store) Update(ctx context.Context, bucket, key, version string, change func(*Object) error, when Condition) (*Object, error) {
	c, err := s.within(ctx, bucket, keyLockOf(bucket, key))
	if err != nil {
		return nil, err
	}
	defer c.end()
	old, err := find(ctx, c, c.bucket, key, version)
	switch {
	case err != nil:
		return nil, err
	case old == nil && version != "":
		return nil, NoSuchVersion
	case old == nil:
		return nil, NoSuchKey
	}
	if err := when.check(old); err != nil {
		return nil, err
	}
	entry, id, pieces, sum := old.Entry, old.ID, old.Pieces, old.Checksum
	if err := change(old.Object); err != nil {
		return nil, err
	}
	old.Entry, old.ID, old.Pieces, old.Checksum, old.Bucket = entry, id, pieces, sum, bucket
	c.tell(when, old.Object)
	if err := c.lay(old.Object, old.seq, old.current); err != nil {
		return nil, err
	}
	crash.Here("walrus.index.update")
	return old.Object, c.commit(ctx)
}
