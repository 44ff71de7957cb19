package index

import (
	"context"
	"encoding/json"
	"fmt"
)

// Walk is Objects's. It sees one moment, while others go on to change what it
// walks; each must not take forever, since a database keeps the moment for it.
func (s *Store) Walk(ctx context.Context, bucket string, q Query, each func(*Object) error) error {
	n := &scanner{query: q}
	b, err := s.Bucket(ctx, bucket)
	if err == nil && q.AfterID != "" {
		n.suffix, err = s.behind(ctx, b, q)
	}
	if err != nil {
		return err
	}
	r, release, err := s.engine.snapshot(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := s.engine.durable(ctx); err != nil {
		return err
	}
	c, err := n.open(ctx, r, bucket, objectSpace, versionSpace)
	if err != nil {
		return err
	}
	if err := s.walk(ctx, c, bucket, n, each); err != nil {
		_ = c.close()
		return err
	}
	return c.close()
}

func (s *Store) walk(ctx context.Context, c cursor, bucket string, from *scanner, each func(*Object) error) error {
	var h head
	q := from.query
	last, begun := q.After, len(from.suffix) > 0
	n := 0
	for ok := c.seek(from.start()); ok && (q.Max == 0 || n < q.Max); ok = c.next() {
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
