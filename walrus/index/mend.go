package index

import (
	"context"
	"errors"
	"fmt"
)

// Mend is Index's. Rows are the truth that the rest is mended by. What it
// changes it looks at again under the locks of those who would change it too.
func (s *Store) Mend(ctx context.Context, say func(done string)) error {
	for q := (Query{Max: pageOfMend}); ; {
		page, err := s.BucketsOf(ctx, "", q)
		if err != nil {
			return err
		}
		for _, b := range page.Items {
			if err := s.mendBucket(ctx, b.Name, say); err != nil && !errors.Is(err, NoSuchBucket) {
				return fmt.Errorf("mend bucket %s: %w", b.Name, err)
			}
		}
		if !page.More {
			return s.dropClaims(ctx, say)
		}
		q.After = page.Last
	}
}

const pageOfMend = 1000

func (s *Store) mendBucket(ctx context.Context, bucket string, say func(string)) error {
	for q := (Query{Max: pageOfMend}); ; {
		var lack []*Object
		n := 0
		err := s.Walk(ctx, bucket, q, func(o *Object) error {
			n++
			q.After, q.AfterID = o.Key, o.Version
			ok, err := s.claimed(ctx, s.engine, o.Pieces, o.ID)
			if !ok {
				lack = append(lack, o)
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, o := range lack {
			if err := s.claimAgain(ctx, o, say); err != nil {
				return err
			}
		}
		if n < pageOfMend {
			break
		}
	}
	if err := s.mendParts(ctx, bucket, say); err != nil {
		return err
	}
	return s.recount(ctx, bucket, say)
}

// claimed reports whether holder claims all the pieces.
func (s *Store) claimed(ctx context.Context, r reader, pieces []Piece, holder string) (bool, error) {
	for _, p := range pieces {
		if row, err := r.get(ctx, claim(p.ID, holder)); err != nil || row == nil {
			return false, err
		}
	}
	return true, nil
}

// claimAgain puts the claims of an object back, if it is still there.
func (s *Store) claimAgain(ctx context.Context, o *Object, say func(string)) error {
	done := false
	err := s.change(ctx, inKey(o.Bucket, o.Key), func(c *change) error {
		now, err := find(ctx, c, c.bucket, o.Key, o.Version)
		if err != nil || now == nil || now.ID != o.ID {
			c.idle = true
			return err
		}
		for _, p := range now.Pieces {
			c.claim(p, now.ID)
		}
		done = true
		return nil
	})
	if err == nil && done {
		say(fmt.Sprintf("%s/%q: version %s claims its pieces again", o.Bucket, o.Key, o.Version))
	}
	return err
}

func (s *Store) mendParts(ctx context.Context, bucket string, say func(string)) error {
	for q := (Query{Max: pageOfMend}); ; {
		page, err := s.Uploads(ctx, bucket, q)
		if err != nil {
			return err
		}
		for _, u := range page.Items {
			parts, _, err := s.Parts(ctx, u.ID, 0, 0)
			if err != nil {
				return err
			}
			for _, p := range parts {
				ok, err := s.claimed(ctx, s.engine, []Piece{p.Piece}, partHolder(u.ID, p.Number))
				if err == nil && !ok {
					err = s.claimPart(ctx, &u, p, say)
				}
				if err != nil {
					return err
				}
			}
			q.AfterID = u.ID
		}
		if !page.More {
			return nil
		}
		q.After = page.Last
	}
}

func (s *Store) claimPart(ctx context.Context, u *Upload, p Part, say func(string)) error {
	holder, done := partHolder(u.ID, p.Number), false
	in := scope{bucket: u.Bucket, locks: []lock{{kind: uploadLock, shared: true, name: u.ID}, {kind: keyLock, name: holder}}}
	err := s.change(ctx, in, func(c *change) error {
		now, err := partAt(ctx, c, u.ID, p.Number)
		if errors.Is(err, InvalidPart) || err == nil && now.Piece.ID != p.Piece.ID {
			c.idle = true
			return nil
		}
		c.claim(p.Piece, holder)
		done = err == nil
		return err
	})
	if err == nil && done {
		say(fmt.Sprintf("part %s claims its piece again", holder))
	}
	return err
}

// recount makes the count of a bucket what it holds, with the bucket to itself.
func (s *Store) recount(ctx context.Context, bucket string, say func(string)) error {
	if right, _, _, _, err := s.counted(ctx, s.engine, bucket); err != nil || right {
		return err // while others write it may look wrong; then it is looked at again alone
	}
	done := ""
	err := s.change(ctx, scope{bucket: bucket, alone: true}, func(c *change) error {
		right, held, said, rows, err := s.counted(ctx, c, bucket)
		if c.idle = right; right || err != nil {
			return err
		}
		for _, r := range rows {
			c.unset(r)
		}
		c.set(space(countSpace, bucket), held.encode())
		done = fmt.Sprintf("bucket %s holds %d objects of %d bytes and counted %d of %d", bucket, held.Objects, held.Bytes, said.Objects, said.Bytes)
		return nil
	})
	if err == nil && done != "" {
		say(done)
	}
	return err
}

// counted compares what a bucket holds with what it counts.
func (s *Store) counted(ctx context.Context, r reader, bucket string) (right bool, held, said Usage, rows [][]byte, err error) {
	var h head
	for _, kind := range []byte{objectSpace, versionSpace} {
		err := scan(ctx, r, space(kind, bucket), nil, func(_, value []byte) (bool, error) {
			var e Entry
			_, _, err := h.decode(&e, value)
			if err == nil && !e.Marker {
				held.Objects, held.Bytes = held.Objects+1, held.Bytes+e.Size
			}
			return true, err
		})
		if err != nil {
			return false, held, said, nil, err
		}
	}
	parts, err := inUploads(ctx, r, bucket)
	if err != nil {
		return false, held, said, nil, err
	}
	held.Bytes += parts
	said, rows, err = sum(ctx, r, bucket)
	return err == nil && said == held, held, said, rows, err
}

// dropClaims ends the claims of what is not there. A holder that ended never
// comes again, so that what one snapshot shows stays so.
func (s *Store) dropClaims(ctx context.Context, say func(string)) error {
	r, release, err := s.engine.snapshot(ctx)
	if err != nil {
		return err
	}
	v := &verifier{reader: r, say: func(string) {}, claims: map[uint64]bool{}, inline: map[uint64]bool{}}
	var stale []string
	for _, step := range []func(context.Context) error{v.buckets, v.parts, func(ctx context.Context) error {
		return v.scan(ctx, []byte{claimSpace}, func(rest, _ []byte) error {
			if !v.claims[mark(string(rest))] {
				stale = append(stale, string(rest))
			}
			return nil
		})
	}} {
		if err == nil {
			err = step(ctx)
		}
	}
	release()
	if err != nil {
		return err
	}
	for _, both := range stale {
		if len(both) < pieceID {
			continue
		}
		piece, holder := both[:pieceID], both[pieceID:]
		inline, err := s.engine.get(ctx, inlineRow(piece))
		if err == nil {
			err = s.change(ctx, scope{}, func(c *change) error {
				c.disclaim(Piece{ID: piece, Inline: inline != nil}, holder)
				return nil
			})
		}
		if err != nil {
			return err
		}
		say(fmt.Sprintf("piece %s is no longer claimed by %s, which is not there", piece, holder))
	}
	return nil
}

// pieceID is how long the id of a piece is.
const pieceID = 32
