package index

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// List is Objects's.
func (s *Store) List(ctx context.Context, bucket string, q Query) (Listing[Entry], error) {
	if q.Delimiter == "" || q.After != "" || s.engine.process() > 0 {
		page, _, err := s.entries(ctx, bucket, q, objectSpace)
		return page, err
	}
	if prefixes := s.rollups.find(bucket, q); prefixes != nil {
		return Listing[Entry]{Prefixes: prefixes, Last: prefixes[len(prefixes)-1]}, nil
	}
	done := s.rollups.read(bucket)
	page, beneath, err := s.entries(ctx, bucket, q, objectSpace)
	var l *rollup
	if err == nil && !page.More && len(page.Items) == 0 && len(page.Prefixes) > 0 {
		l = &rollup{rollupName{q.Prefix, q.Delimiter}, page.Prefixes, beneath}
	}
	done(l)
	return page, err
}

// Versions is Objects's.
func (s *Store) Versions(ctx context.Context, bucket string, q Query) (Listing[Entry], error) {
	page, _, err := s.entries(ctx, bucket, q, objectSpace, versionSpace)
	return page, err
}

// entries reads a page of rows, and returns a key beneath each common prefix too.
func (s *Store) entries(ctx context.Context, bucket string, q Query, kinds ...byte) (page Listing[Entry], beneath []string, err error) {
	b, err := s.Bucket(ctx, bucket)
	if err != nil {
		return page, nil, err
	}
	var start []byte // of the rows of the key After
	if q.AfterID != "" {
		if start, err = s.behind(ctx, b, q); err != nil {
			return page, nil, err
		}
	}
	var h head
	last, begun := q.After, len(start) > 0 // the key of the row before, if any of its rows came before
	n := &scanner{query: q, suffix: start}
	n.item = func(key string, _, value []byte) error {
		page.Items = append(page.Items, Entry{Key: key})
		e := &page.Items[len(page.Items)-1]
		_, _, err := h.decode(e, value)
		e.Latest = !begun || key != last
		last, begun, page.LastID = key, true, e.Version
		return err
	}
	r := reader(s.engine)
	if len(kinds) > 1 { // a version may move from one to the other
		moment, release, err := s.engine.snapshot(ctx)
		if err != nil {
			return page, nil, err
		}
		defer release()
		r = moment
	}
	if q.Max <= 1000 && q.Delimiter == "" {
		page.Items = make([]Entry, 0, q.Max)
	}
	if err = n.scan(ctx, r, bucket, kinds...); err == nil {
		err = s.engine.durable(ctx)
	}
	page.Prefixes, page.More, page.Last = n.prefixes, n.more, n.last
	if len(page.Items) == 0 || page.Items[len(page.Items)-1].Key != page.Last {
		page.LastID = ""
	}
	return page, n.beneath, err
}

// behind returns where the rows of a key go on behind a version; nil when all
// of them are to be shown, because the version is not there to go on behind.
func (s *Store) behind(ctx context.Context, b *Bucket, q Query) ([]byte, error) {
	seq, ok := versionNumber(q.AfterID)
	if !ok {
		v, err := find(ctx, s.engine, b, q.After, Null)
		if err != nil || v == nil || q.AfterID != Null {
			return nil, err
		}
		seq = v.seq
	}
	place := versionRow("", "", seq)
	return append(place[len(place)-8:], 0), nil
}

// A scanner reads one page of a listing. What its cursor shows begins with the
// keys' bytes; the kind and the bucket are left out.
type scanner struct {
	query    Query
	suffix   []byte // begin behind the row of the key After with this suffix; nil with AfterID: with its first
	item     func(key string, suffix, value []byte) error
	prefixes []string
	beneath  []string // a key beneath each
	more     bool
	last     string
}

// start returns where the page begins.
func (s *scanner) start() []byte {
	q := s.query
	from := appendKey(nil, q.Prefix)
	if q.After == "" {
		return from
	}
	begin := appendKey(nil, q.After)
	switch {
	case s.common(q.After) == q.After:
		begin = after(begin) // a common prefix that was shown; on behind all of it
	case q.AfterID != "":
		begin = append(append(begin, keyEnd...), s.suffix...)
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
	return commonOf(key, s.query.Prefix, s.query.Delimiter)
}

func commonOf(key, prefix, delimiter string) string {
	if delimiter == "" || !strings.HasPrefix(key, prefix) {
		return ""
	}
	if i := strings.Index(key[len(prefix):], delimiter); i >= 0 {
		return key[:len(prefix)+i+len(delimiter)]
	}
	return ""
}

// open shows the rows of some kinds as if they were one range.
func (s *scanner) open(ctx context.Context, r reader, bucket string, kinds ...byte) (c cursor, err error) {
	for _, kind := range kinds {
		prefix := space(kind, bucket)
		within := appendKey(bytes.Clone(prefix), s.query.Prefix)
		one, err := r.cursor(ctx, within, after(within))
		if err != nil {
			if c != nil {
				_ = c.close()
			}
			return nil, fmt.Errorf("list: %w", err)
		}
		one = &inside{cursor: one, prefix: prefix}
		if c != nil {
			one = &merged{a: c, b: one}
		}
		c = one
	}
	return c, nil
}

func (s *scanner) scan(ctx context.Context, r reader, bucket string, kinds ...byte) error {
	c, err := s.open(ctx, r, bucket, kinds...)
	if err != nil {
		return err
	}
	if err := s.read(ctx, c); err != nil {
		_ = c.close()
		return err
	}
	return c.close()
}

func (s *scanner) read(ctx context.Context, c cursor) error {
	count := 0
	for ok := c.seek(s.start()); ok; {
		if err := ctx.Err(); err != nil {
			return err
		}
		key, suffix, err := unescape(c.key())
		if err != nil {
			return err
		}
		if count == s.query.Max {
			s.more = true
			break
		}
		count++
		if common := s.common(key); common != "" {
			s.prefixes, s.beneath, s.last = append(s.prefixes, common), append(s.beneath, key), common
			past := after(appendKey(nil, common))
			if past == nil {
				break
			}
			ok = c.seek(past)
			continue
		}
		value, err := c.value()
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
		if err := s.item(key, suffix, value); err != nil {
			return err
		}
		s.last = key
		ok = c.next()
	}
	return nil
}

// inside is a cursor that leaves out what all keys begin with.
type inside struct {
	cursor
	prefix, buffer []byte
}

func (c *inside) seek(key []byte) bool {
	c.buffer = append(append(c.buffer[:0], c.prefix...), key...)
	return c.cursor.seek(c.buffer)
}

func (c *inside) key() []byte { return c.cursor.key()[len(c.prefix):] }

// merged shows the pairs of two cursors in one order.
type merged struct {
	a, b     cursor
	aOn, bOn bool
	onB      bool
}

func (c *merged) seek(key []byte) bool {
	c.aOn, c.bOn = c.a.seek(key), c.b.seek(key)
	return c.choose()
}

func (c *merged) next() bool {
	if c.onB {
		c.bOn = c.b.next()
	} else {
		c.aOn = c.a.next()
	}
	return c.choose()
}

func (c *merged) choose() bool {
	c.onB = c.bOn && (!c.aOn || bytes.Compare(c.b.key(), c.a.key()) < 0)
	return c.aOn || c.bOn
}

func (c *merged) key() []byte            { return c.on().key() }
func (c *merged) value() ([]byte, error) { return c.on().value() }

func (c *merged) on() cursor {
	if c.onB {
		return c.b
	}
	return c.a
}

func (c *merged) close() error {
	a, b := c.a.close(), c.b.close()
	if a != nil {
		return a
	}
	return b
}
