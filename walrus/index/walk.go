package index

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
)

// Walk is Objects's. Both ranges of rows are opened while nothing in the bucket
// changes; the rows of a version that moves between them later are seen once.
func (s *Store) Walk(ctx context.Context, bucket string, q Query, each func(*Object) error) error {
	c, start, err := s.still(ctx, bucket, q)
	if err != nil {
		return err
	}
	defer c.close()
	var h head
	last, begun := q.After, q.AfterID != ""
	n := 0
	for ok := c.seek(start); ok && (q.Max == 0 || n < q.Max); ok = c.next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		key, _, err := unescape(c.key())
		if err != nil {
			return err
		}
		value, err := c.value()
		if err != nil {
			return fmt.Errorf("walk: %w", err)
		}
		o := &Object{Bucket: bucket}
		o.Key = key
		_, rest, err := h.decode(&o.Entry, value)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(rest, o); err != nil {
			return Damaged.Because(err)
		}
		o.Latest = !begun || key != last
		last, begun = key, true
		if err := each(o); err != nil {
			return err
		}
		n++
	}
	return nil
}

// still opens the rows of a bucket's versions at a moment when none is being
// changed, and returns where to begin.
func (s *Store) still(ctx context.Context, bucket string, q Query) (cursor, []byte, error) {
	t, err := s.of(ctx, bucket)
	if err != nil {
		return nil, nil, err
	}
	defer t.end()
	b, err := s.held(ctx, t, bucket)
	if err != nil {
		return nil, nil, err
	}
	n := &scanner{query: q}
	if q.AfterID != "" {
		if n.suffix, err = s.behind(ctx, b, q); err != nil {
			return nil, nil, err
		}
	}
	var both [2]cursor
	for i, kind := range []byte{objectSpace, versionSpace} {
		prefix := space(kind, bucket)
		within := appendKey(bytes.Clone(prefix), q.Prefix)
		one, err := s.engine.cursor(ctx, within, after(within))
		if err != nil {
			if i > 0 {
				_ = both[0].close()
			}
			return nil, nil, fmt.Errorf("walk: %w", err)
		}
		both[i] = &inside{cursor: one, prefix: prefix}
	}
	return &merged{a: both[0], b: both[1]}, n.start(), nil
}
