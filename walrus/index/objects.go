package index

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"karri/shared/crash"
)

// current returns the newest row of a key with its number; nil when there is none.
func (e *Embedded) current(bucket, key string) (*Object, uint64, error) {
	prefix := row(objectSpace, bucket, key)
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return nil, 0, fmt.Errorf("read index: %w", err)
	}
	defer it.Close()
	if !it.First() {
		return nil, 0, it.Error()
	}
	v, err := it.ValueAndErr()
	if err != nil {
		return nil, 0, fmt.Errorf("read index: %w", err)
	}
	suffix := it.Key()[len(prefix):]
	if len(suffix) != 8 {
		return nil, 0, Damaged.Because(errRow)
	}
	o, err := decodeObject(bucket, key, v)
	return o, ^binary.BigEndian.Uint64(suffix), err
}

// Object is Objects's.
func (e *Embedded) Object(ctx context.Context, bucket, key string) (*Object, error) {
	unlock := e.keys.lock(keyName(bucket, key))
	o, _, err := e.current(bucket, key)
	unlock()
	if err == nil && o == nil {
		_, err = e.Bucket(ctx, bucket)
		if err == nil {
			err = NoSuchKey
		}
	}
	return o, err
}

func (when Condition) check(old *Object) error {
	switch {
	case when.IfNoneMatch && old != nil:
		return PreconditionFailed
	case when.IfMatch != "" && old == nil:
		return NoSuchKey
	case when.IfMatch != "" && when.IfMatch != "*" && when.IfMatch != old.ETag:
		return PreconditionFailed
	}
	return nil
}

// Put is Objects's.
func (e *Embedded) Put(ctx context.Context, o *Object, when Condition) error {
	defer e.buckets.share(o.Bucket)()
	names := []string{keyName(o.Bucket, o.Key)}
	if when.Pin != nil {
		names = append(names, keyName(when.Pin.Bucket, when.Pin.Key))
	}
	defer e.keys.lock(names...)()
	if when.Pin != nil {
		from, _, err := e.current(when.Pin.Bucket, when.Pin.Key)
		if err != nil {
			return err
		}
		if from == nil || from.ID != when.Pin.ID {
			return Moved
		}
	}
	c := e.change()
	if err := e.replace(ctx, c, o, when); err != nil {
		_ = c.Close()
		return err
	}
	crash.Here("walrus.index.put")
	return e.commit(ctx, c)
}

// replace adds to c that o is its key's object. The bucket and key are locked.
func (e *Embedded) replace(ctx context.Context, c *change, o *Object, when Condition) error {
	if _, err := e.Bucket(ctx, o.Bucket); err != nil {
		return err
	}
	old, seq, err := e.current(o.Bucket, o.Key)
	if err != nil {
		return err
	}
	if err := when.check(old); err != nil {
		return err
	}
	value, err := encodeObject(o)
	if err != nil {
		return err
	}
	for _, p := range o.Pieces {
		c.claim(p, o.ID)
	}
	if old != nil {
		c.end(old, seq)
	}
	c.set(objectRow(o.Bucket, o.Key, max(e.next(), seq+1)), value)
	return nil
}

// end adds to c that a row and its claims are gone.
func (c *change) end(old *Object, seq uint64) {
	c.unset(objectRow(old.Bucket, old.Key, seq))
	for _, p := range old.Pieces {
		c.disclaim(p, old.ID)
	}
}

// Delete is Objects's.
func (e *Embedded) Delete(ctx context.Context, bucket, key string, when Condition) error {
	defer e.buckets.share(bucket)()
	defer e.keys.lock(keyName(bucket, key))()
	if _, err := e.Bucket(ctx, bucket); err != nil {
		return err
	}
	old, seq, err := e.current(bucket, key)
	if err != nil {
		return err
	}
	if err := when.check(old); err != nil || old == nil {
		return err
	}
	c := e.change()
	c.end(old, seq)
	crash.Here("walrus.index.delete")
	return e.commit(ctx, c)
}

// List is Objects's.
func (e *Embedded) List(ctx context.Context, bucket string, q Query) (Listing[Entry], error) {
	var page Listing[Entry]
	if _, err := e.Bucket(ctx, bucket); err != nil {
		return page, err
	}
	s := scanner{space: space(objectSpace, bucket), query: q, item: func(key string, _, value []byte) error {
		entry := Entry{Key: key}
		_, err := decodeEntry(&entry, value)
		page.Items = append(page.Items, entry)
		return err
	}}
	err := s.run(ctx, e.db)
	if err == nil {
		err = e.Durable(ctx)
	}
	page.Prefixes, page.More, page.Last = s.prefixes, s.more, s.last
	return page, err
}

// A scanner reads one page of a listing.
type scanner struct {
	space    []byte
	query    Query
	item     func(key string, suffix, value []byte) error
	prefixes []string
	more     bool
	last     string
}

// start returns where the page begins.
func (s *scanner) start() []byte {
	q := s.query
	from := append(bytes.Clone(s.space), escape(q.Prefix)...)
	if q.After == "" {
		return from
	}
	begin := append(bytes.Clone(s.space), escape(q.After)...)
	switch {
	case s.common(q.After) == q.After:
		begin = after(begin) // a common prefix that was shown; on behind all of it
	case q.AfterID != "":
		begin = append(append(append(begin, keyEnd...), q.AfterID...), 0)
	default:
		begin = append(begin, 0, 2) // behind every row of the key
	}
	if bytes.Compare(begin, from) > 0 {
		return begin
	}
	return from
}

// common returns the common prefix that key is shown under; "" when by itself.
func (s *scanner) common(key string) string {
	q := s.query
	if q.Delimiter == "" || !strings.HasPrefix(key, q.Prefix) {
		return ""
	}
	if i := strings.Index(key[len(q.Prefix):], q.Delimiter); i >= 0 {
		return key[:len(q.Prefix)+i+len(q.Delimiter)]
	}
	return ""
}

func (s *scanner) run(ctx context.Context, db *pebble.DB) error {
	within := append(bytes.Clone(s.space), escape(s.query.Prefix)...)
	it, err := db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: within, UpperBound: after(within)})
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	defer it.Close()
	count := 0
	for ok := it.SeekGE(s.start()); ok; {
		if err := ctx.Err(); err != nil {
			return err
		}
		key, suffix, err := unescape(it.Key()[len(s.space):])
		if err != nil {
			return err
		}
		if count == s.query.Max {
			s.more = true
			break
		}
		count++
		if common := s.common(key); common != "" {
			s.prefixes, s.last = append(s.prefixes, common), common
			ok = it.SeekGE(after(append(bytes.Clone(s.space), escape(common)...)))
			continue
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
		if err := s.item(key, suffix, value); err != nil {
			return err
		}
		s.last = key
		ok = it.Next()
	}
	return it.Error()
}
