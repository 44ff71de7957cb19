package index

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"strings"

	"karri/shared/crash"
	"karri/shared/fault"
)

func (c *change) setJSON(key []byte, v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		c.set(key, b)
	}
	return err
}

// CreateBucket is Buckets's.
func (s *Store) CreateBucket(ctx context.Context, b *Bucket) error {
	return s.change(ctx, scope{bucket: b.Name, alone: true}, func(c *change) error {
		switch old, err := s.held(ctx, c, b.Name); {
		case err == nil && old.Owner == b.Owner:
			return BucketYours
		case err == nil:
			return BucketTaken
		case err != NoSuchBucket:
			return err
		}
		if err := c.fitsBuckets(ctx, b); err != nil {
			return err
		}
		made := *b
		made.Revision = s.next()
		if made.Locked {
			made.Versioning = Enabled
		}
		c.set(append(ownerRows(b.Owner), b.Name...), []byte(b.Creator))
		c.enlist(&Bucket{}, &made)
		c.announce(&Bucket{}, &made)
		return c.setJSON(bucketRow(b.Name), &made)
	})
}

// Bucket is Buckets's.
func (s *Store) Bucket(ctx context.Context, name string) (*Bucket, error) {
	if b, ok := s.known.Load(name); ok {
		return b.(*Bucket), nil
	}
	if s.engine.process() == 0 { // what is read while it changes must not be remembered
		defer s.engine.settle(lock{kind: bucketLock, name: name})()
	}
	return s.held(ctx, s.engine, name)
}

// held is Bucket for who holds the bucket's lock, without which what it
// remembers could be old.
func (s *Store) held(ctx context.Context, r reader, name string) (*Bucket, error) {
	if b, ok := s.known.Load(name); ok {
		return b.(*Bucket), nil
	}
	b := &Bucket{}
	if err := getJSON(ctx, r, bucketRow(name), NoSuchBucket, b); err != nil {
		return nil, err
	}
	if s.engine.process() == 0 {
		s.known.Store(name, b)
	}
	return b, nil
}

// UpdateBucket is Buckets's.
func (s *Store) UpdateBucket(ctx context.Context, name string, edit func(*Bucket) error) (*Bucket, error) {
	var made *Bucket
	err := s.change(ctx, scope{bucket: name, alone: true}, func(c *change) error {
		old, err := s.held(ctx, c, name)
		if err != nil {
			return err
		}
		if made, err = old.edited(edit); err != nil {
			return err
		}
		made.Revision = max(s.next(), old.Revision+1)
		c.enlist(old, made)
		c.announce(old, made)
		s.known.Delete(name) // whoever wants it waits for the lock
		err = c.setJSON(bucketRow(name), made)
		crash.Here("walrus.index.bucket")
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// edited returns what edit makes of a copy of the bucket, if that may be.
func (b *Bucket) edited(edit func(*Bucket) error) (*Bucket, error) {
	made := *b
	made.Settings = map[string][]byte{}
	for k, v := range b.Settings {
		made.Settings[k] = bytes.Clone(v)
	}
	if err := edit(&made); err != nil {
		return nil, err
	}
	made.Name, made.Owner, made.Creator, made.Created = b.Name, b.Owner, b.Creator, b.Created
	maps.DeleteFunc(made.Settings, func(_ string, v []byte) bool { return v == nil })
	switch {
	case b.Locked && (!made.Locked || made.Versioning != Enabled), made.Locked && made.Versioning == Suspended:
		return nil, BadState
	case made.Locked:
		made.Versioning = Enabled
	case made.Versioning == "" && b.Versioning != "":
		made.Versioning = Suspended // there may be versions
	}
	return &made, nil
}

// DeleteBucket is Buckets's.
func (s *Store) DeleteBucket(ctx context.Context, name string) error {
	return s.change(ctx, scope{bucket: name, alone: true}, func(c *change) error {
		b, err := s.held(ctx, c, name)
		if err != nil {
			return err
		}
		for _, kind := range []byte{objectSpace, versionSpace} {
			err := scan(ctx, c, space(kind, name), nil, func(_, _ []byte) (bool, error) { return false, BucketNotEmpty })
			if err != nil {
				return err
			}
		}
		err = scan(ctx, c, space(uploadSpace, name), nil, func(rest, _ []byte) (bool, error) {
			key, id, err := unescape(rest)
			if err != nil {
				return false, err
			}
			return true, c.endUpload(ctx, name, key, string(id))
		})
		if err != nil {
			return err
		}
		_, rows, err := sum(ctx, c, name)
		if err != nil {
			return err
		}
		for _, r := range append(rows, bucketRow(name), append(ownerRows(b.Owner), name...)) {
			c.unset(r)
		}
		c.count = Usage{} // what it held is not counted any more
		c.enlist(b, &Bucket{Name: name})
		s.known.Delete(name)
		crash.Here("walrus.index.bucket-ending")
		return nil
	})
}

// BucketsOf is Buckets's.
func (s *Store) BucketsOf(ctx context.Context, account string, q Query) (Listing[*Bucket], error) {
	if account == "" {
		return s.buckets(ctx, []byte{bucketSpace}, q)
	}
	return s.buckets(ctx, ownerRows(account), q)
}

// BucketsWith is Buckets's.
func (s *Store) BucketsWith(ctx context.Context, setting string, q Query) (Listing[*Bucket], error) {
	return s.buckets(ctx, space(settingSpace, setting), q)
}

// buckets lists buckets by rows that end in their names.
func (s *Store) buckets(ctx context.Context, rows []byte, q Query) (Listing[*Bucket], error) {
	var page Listing[*Bucket]
	from := q.Prefix
	if q.After >= from && q.After != "" {
		from = q.After + "\x00"
	}
	err := scan(ctx, s.engine, rows, []byte(from), func(rest, _ []byte) (bool, error) {
		name := string(rest)
		if !strings.HasPrefix(name, q.Prefix) {
			return false, nil
		}
		if len(page.Items) == q.Max {
			page.More = true
			return false, nil
		}
		b, err := s.Bucket(ctx, name)
		if fault.CodeOf(err) == NoSuchBucket.Code {
			return true, nil // it went while we looked
		}
		page.Items, page.Last = append(page.Items, b), name
		return true, err
	})
	return page, err
}

// enlist adds to c by which settings a bucket is found, that had those of old.
func (c *change) enlist(old, b *Bucket) {
	was, is := classes(old), classes(b)
	for class := range was {
		if !is[class] {
			c.unset(append(space(settingSpace, class), b.Name...))
		}
	}
	for class := range is {
		if !was[class] {
			c.set(append(space(settingSpace, class), b.Name...), nil)
		}
	}
}

// classes are the settings that a bucket has; of several in one class, the class.
func classes(b *Bucket) map[string]bool {
	all := map[string]bool{}
	for name := range b.Settings {
		class, _, _ := strings.Cut(name, "/")
		all[class] = true
	}
	return all
}
