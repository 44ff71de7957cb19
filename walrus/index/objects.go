package index

import (
	"context"

	"karri/shared/crash"
)

func keyLockOf(bucket, key string) lock { return lock{kind: keyLock, name: keyName(bucket, key)} }

// inKey is the scope of a change of a key's versions.
func inKey(bucket, key string) scope {
	return scope{bucket: bucket, ahead: [][]byte{row(objectSpace, bucket, key)}, locks: append(make([]lock, 0, 4), keyLockOf(bucket, key))}
}

// Object is Objects's.
func (s *Store) Object(ctx context.Context, bucket, key, version string) (*Object, error) {
	if version == "" { // mostly there is one, and that is all to be asked
		release := s.engine.settle(keyLockOf(bucket, key))
		v, err := live(ctx, s.engine, bucket, key)
		release()
		if v != nil || err != nil {
			return v.object(), err
		}
	}
	b, err := s.Bucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	defer s.engine.settle(keyLockOf(bucket, key))()
	r, release, err := s.engine.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	v, err := find(ctx, r, b, key, version)
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
	in := inKey(o.Bucket, o.Key)
	if p := when.Pin; p != nil {
		in.locks = append(in.locks, keyLockOf(p.Bucket, p.Key), lock{kind: bucketLock, shared: true, name: p.Bucket})
	}
	return s.change(ctx, in, func(c *change) error {
		if when.Pin != nil {
			if err := c.pinned(ctx, when.Pin); err != nil {
				return err
			}
		}
		if err := c.replace(ctx, o, when); err != nil {
			return err
		}
		crash.Here("walrus.index.put")
		return nil
	})
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
func (s *Store) Delete(ctx context.Context, bucket, key, version string, when Condition) (done Deleted, err error) {
	err = s.change(ctx, inKey(bucket, key), func(c *change) error {
		old, err := find(ctx, c, c.bucket, key, version)
		if err != nil {
			return err
		}
		if err := when.check(old); err != nil {
			return err
		}
		if p := when.Pin; p != nil && (old == nil || old.ID != p.ID) {
			return Moved
		}
		switch {
		case version == "" && c.bucket.Versioning != "":
			done, err = c.hide(ctx, key, old, when)
		case old == nil:
			done, c.idle = Deleted{Version: version}, true
		default:
			done = Deleted{Version: version, Marker: old.Marker}
			c.number(old)
			c.tell(when, old.Object)
			if err = c.finish(old, when); err == nil {
				err = c.bare(ctx, old)
			}
		}
		crash.Here("walrus.index.delete")
		return err
	})
	if err != nil {
		return Deleted{}, err
	}
	return done, nil
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
func (s *Store) Update(ctx context.Context, bucket, key, version string, edit func(*Object) error, when Condition) (*Object, error) {
	var made *Object
	err := s.change(ctx, inKey(bucket, key), func(c *change) error {
		old, err := find(ctx, c, c.bucket, key, version)
		switch {
		case err != nil:
			return err
		case old == nil && version != "":
			return NoSuchVersion
		case old == nil:
			return NoSuchKey
		}
		if err := when.check(old); err != nil {
			return err
		}
		entry, id, pieces, sum := old.Entry, old.ID, old.Pieces, old.Checksum
		if err := edit(old.Object); err != nil {
			return err
		}
		old.Entry, old.ID, old.Pieces, old.Checksum, old.Bucket = entry, id, pieces, sum, bucket
		c.number(old)
		c.tell(when, old.Object)
		made = old.Object
		err = c.lay(old.Object, old.seq, old.current)
		crash.Here("walrus.index.update")
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}
