package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/sync/errgroup"

	"karri/shared/sign"
)

// listKey is the n-th key, in order, of the bucket that is listed.
func listKey(n, keys int) string {
	return fmt.Sprintf("p%02d/key-%08d", n/each(keys), n)
}

// each is how many keys a common prefix has.
func each(keys int) int { return max(1, (keys+prefixes-1)/prefixes) }

// walk reads the next page of a walk through the bucket, which begins anew
// when it has ended.
func (w *worker) walk(keys int) error {
	path := listed + "?list-type=2&max-keys=1000"
	if w.token != "" {
		path += "&continuation-token=" + url.QueryEscape(w.token)
	}
	if err := w.call(http.MethodGet, path, nil, &w.answer); err != nil {
		return err
	}
	n, err := checkKeys(w.answer.Bytes(), w.at, keys)
	if err != nil {
		return err
	}
	w.at += n
	w.token = element(w.answer.Bytes(), "NextContinuationToken")
	if w.token == "" {
		if w.at != keys {
			return fmt.Errorf("a walk ended after %d of %d keys", w.at, keys)
		}
		w.at = 0
	}
	return nil
}

// checkKeys compares the keys of a page with those there are from the one at on.
func checkKeys(page []byte, at, keys int) (n int, err error) {
	open, end := []byte("<Key>"), []byte("</Key>")
	for {
		_, rest, ok := bytes.Cut(page, open)
		if !ok {
			break
		}
		key, rest, _ := bytes.Cut(rest, end)
		if want := listKey(at+n, keys); string(key) != want {
			return n, fmt.Errorf("a listing has the key %s in the place of %s", key, want)
		}
		page = rest
		n++
	}
	if want := min(pageSize, keys-at); n != want {
		return n, fmt.Errorf("a page has %d keys, not %d", n, want)
	}
	return n, nil
}

// checkPrefixes finds all common prefixes, in order.
func checkPrefixes(page []byte) error {
	for n := range prefixes {
		want := fmt.Sprintf("<CommonPrefixes><Prefix>p%02d/</Prefix></CommonPrefixes>", n)
		i := bytes.Index(page, []byte(want))
		if i < 0 {
			return fmt.Errorf("the common prefix p%02d/ is not listed", n)
		}
		page = page[i+len(want):]
	}
	return nil
}

// same is a row that asks for the same page over and over.
func same(name, query string, good func(page []byte) error) *row {
	return &row{name: name, shot: func(s *side, _ int) (*shot, error) {
		shot, err := s.ask(http.MethodGet, listed+query, nil, sign.UnsignedPayload)
		if err == nil {
			shot.good = good
		}
		return shot, err
	}}
}

func first(keys int) *row {
	return same("list-first", "?list-type=2&max-keys=1000", func(page []byte) error {
		_, err := checkKeys(page, 0, keys)
		return err
	})
}

// fillers is how many requests at a time make what is measured later.
const fillers = 64

// fill puts what the rows read.
func (b *bench) fill(ctx context.Context, s *side, rows []*row) error {
	lists := false
	if err := s.once(ctx, http.MethodPut, store, nil); err != nil {
		return err
	}
	for _, r := range rows {
		lists = lists || strings.HasPrefix(r.name, "list")
		if r.size == 0 {
			continue
		}
		err := s.many(ctx, min(fillers, stored(r.size)), stored(r.size), func(w *worker, n int) error {
			if r.size > partBytes {
				return w.upload(r.key(n), blobOf(r.size, n).bytes)
			}
			return w.put(r.key(n), blobOf(r.size, n).bytes)
		})
		if err != nil {
			return fmt.Errorf("%s: fill for %s: %w", s.name, r.name, err)
		}
	}
	if !lists {
		return nil
	}
	if err := s.once(ctx, http.MethodPut, listed, nil); err != nil {
		return err
	}
	if err := s.many(ctx, fillers, b.Keys, func(w *worker, n int) error { return w.put(listed+"/"+listKey(n, b.Keys), []byte("x")) }); err != nil {
		return fmt.Errorf("%s: fill for listings: %w", s.name, err)
	}
	return nil
}

func (w *worker) put(path string, content []byte) error {
	shot, err := w.side.ask(http.MethodPut, path, content, sign.UnsignedPayload)
	if err == nil {
		_, err = w.conn.fire(shot)
	}
	return err
}

// clear deletes the objects that a row has made.
func (s *side) clear(ctx context.Context, r *row, from, to int) error {
	return s.many(ctx, min(fillers, max(1, to-from)), to-from, func(w *worker, n int) error {
		return w.call(http.MethodDelete, r.key(from+n), nil, &w.answer)
	})
}

// many does n things, some at a time.
func (s *side) many(ctx context.Context, at, n int, do func(w *worker, n int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for i := range at {
		g.Go(func() error {
			w, err := s.worker(ctx)
			if err != nil {
				return err
			}
			defer w.conn.Close()
			for k := i; k < n && ctx.Err() == nil; k += at {
				if err := do(w, k); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}
