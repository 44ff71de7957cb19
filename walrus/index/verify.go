package index

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"strings"
)

// A verifier reads a whole index. Of claims it remembers a number each.
type verifier struct {
	reader
	bucket string
	say    func(problem string)
	claims map[uint64]bool // that there must be
	inline map[uint64]bool // pieces that a line of the outbox frees
	rows   int
}

// Verify is Index's.
func (s *Store) Verify(ctx context.Context, say func(problem string)) (int, error) {
	r, release, err := s.engine.snapshot(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	v := &verifier{reader: r, say: say, claims: map[uint64]bool{}, inline: map[uint64]bool{}}
	for _, step := range []func(context.Context) error{v.buckets, v.parts, v.lines, v.held, v.bytes} {
		if err := step(ctx); err != nil {
			return v.rows, err
		}
	}
	if n := len(v.claims); n > 0 {
		v.tell("%d pieces of objects and parts are not claimed", n)
	}
	return v.rows, nil
}

func (v *verifier) tell(format string, args ...any) { v.say(fmt.Sprintf(format, args...)) }

func (v *verifier) scan(ctx context.Context, prefix []byte, f func(rest, value []byte) error) error {
	return scan(ctx, v, prefix, nil, func(rest, value []byte) (bool, error) {
		return true, f(rest, value)
	})
}

func mark(text string) uint64 { return maphash.String(seed, text) }

func (v *verifier) claim(p Piece, holder string) { v.claims[mark(p.ID+holder)] = true }

// buckets reads the buckets with what is in them, in order, and looks for rows
// of buckets that there are not.
func (v *verifier) buckets(ctx context.Context) error {
	known := map[string]bool{}
	err := v.scan(ctx, []byte{bucketSpace}, func(name, value []byte) error {
		var b Bucket
		if err := json.Unmarshal(value, &b); err != nil || b.Name != string(name) {
			v.tell("bucket %s: the row cannot be read", name)
			return nil
		}
		known[b.Name] = true
		if row, err := v.get(ctx, append(ownerRows(b.Owner), name...)); err != nil || row == nil {
			v.tell("bucket %s is not among those of %s", name, b.Owner)
		}
		v.bucket = b.Name
		return v.objects(ctx)
	})
	if err != nil {
		return err
	}
	for _, kind := range []byte{objectSpace, versionSpace, nullSpace, uploadSpace, countSpace} {
		err := v.scan(ctx, []byte{kind}, func(rest, _ []byte) error {
			if name, _, _ := strings.Cut(string(rest), "\x00"); !known[name] {
				v.tell("a row %c of a bucket that is not there: %q", kind, rest)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// objects reads the versions of a bucket.
func (v *verifier) objects(ctx context.Context) error {
	var held Usage
	top := map[string]uint64{} // current objects that have older versions, found from below
	err := v.scan(ctx, space(versionSpace, v.bucket), func(rest, value []byte) error {
		key, suffix, err := unescape(rest)
		if err != nil {
			return err
		}
		seq, err := number(suffix)
		if err != nil {
			return err
		}
		o := v.object(key, value, false, &held)
		if o == nil {
			return nil
		}
		if o.seq != ^seq {
			v.tell("%s/%q: version %x stands in the place of %x", v.bucket, key, o.seq, ^seq)
		}
		if _, seen := top[key]; !seen {
			top[key] = o.seq
			return v.first(ctx, key, o)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = v.scan(ctx, space(objectSpace, v.bucket), func(rest, value []byte) error {
		key, _, err := unescape(rest)
		if o := v.object(key, value, true, &held); o != nil && (o.Marker || o.seq <= top[key]) {
			v.tell("%s/%q: the current object is a marker, or older than a version", v.bucket, key)
		}
		return err
	})
	if err != nil {
		return err
	}
	parts, err := inUploads(ctx, v, v.bucket)
	if err != nil {
		v.tell("bucket %s: its open uploads cannot be read: %v", v.bucket, err)
	}
	held.Bytes += parts
	if got, _, err := sum(ctx, v, v.bucket); err != nil || got != held {
		v.tell("bucket %s holds %+v and counts %+v %v", v.bucket, held, got, err)
	}
	return v.nulls(ctx)
}

func (v *verifier) object(key string, value []byte, current bool, held *Usage) *version {
	o, err := decodeVersion(v.bucket, key, value, current)
	if err != nil {
		v.tell("%s/%q: the row cannot be read", v.bucket, key)
		return nil
	}
	v.rows++
	if !o.Marker {
		held.Objects, held.Bytes = held.Objects+1, held.Bytes+o.Size
	}
	for _, p := range o.Pieces {
		v.claim(p, o.ID)
	}
	return o
}

// first looks at the newest of the older versions: without a current object it
// must be a marker.
func (v *verifier) first(ctx context.Context, key string, o *version) error {
	now, err := v.get(ctx, row(objectSpace, v.bucket, key))
	if err == nil && now == nil && !o.Marker {
		v.tell("%s/%q: version %s ought to be the current object", v.bucket, key, o.Version)
	}
	return err
}

// nulls holds the pointers to null versions against the rows.
func (v *verifier) nulls(ctx context.Context) error {
	return v.scan(ctx, space(nullSpace, v.bucket), func(rest, value []byte) error {
		key, _, err := unescape(rest)
		if err != nil {
			return err
		}
		seq, err := number(value)
		if err != nil {
			return err
		}
		b, err := v.get(ctx, versionRow(v.bucket, key, seq))
		if err != nil {
			return err
		}
		var e Entry
		var h head
		if _, _, err := h.decode(&e, b); err != nil || e.Version != Null {
			v.tell("%s/%q: the null version is not where it ought to be", v.bucket, key)
		}
		return nil
	})
}

func (v *verifier) parts(ctx context.Context) error {
	open := map[string]bool{}
	err := v.scan(ctx, []byte{uploadSpace}, func(rest, _ []byte) error {
		_, inBucket, _ := strings.Cut(string(rest), "\x00")
		_, id, err := unescape([]byte(inBucket))
		open[string(id)] = true
		return err
	})
	if err != nil {
		return err
	}
	return v.scan(ctx, []byte{partSpace}, func(rest, value []byte) error {
		id, _, _ := strings.Cut(string(rest), "\x00")
		var p Part
		if err := json.Unmarshal(value, &p); err != nil || !open[id] {
			v.tell("a part of upload %q, which is not there, or it cannot be read", id)
		}
		v.rows++
		v.claim(p.Piece, partHolder(id, p.Number))
		return nil
	})
}

func (v *verifier) lines(ctx context.Context) error {
	return v.scan(ctx, []byte{lineSpace}, func(rest, value []byte) error {
		var l Line
		err := numbered(rest, value, &l.Seq, &l)
		for _, p := range l.Free {
			v.inline[mark(p.ID)] = true
		}
		return err
	})
}

// held holds the claims there are against those that there must be.
func (v *verifier) held(ctx context.Context) error {
	return v.scan(ctx, []byte{claimSpace}, func(rest, _ []byte) error {
		m := mark(string(rest))
		if !v.claims[m] {
			v.tell("claim %q has no holder", rest)
		}
		delete(v.claims, m)
		return nil
	})
}

// bytes looks for inline pieces that nobody claims or frees.
func (v *verifier) bytes(ctx context.Context) error {
	return v.scan(ctx, []byte{inlineSpace}, func(rest, value []byte) error {
		found := v.inline[mark(string(rest))]
		if !found {
			err := scan(ctx, v, claims(string(rest)), nil, func(_, _ []byte) (bool, error) {
				found = true
				return false, nil
			})
			if err != nil {
				return err
			}
		}
		if _, err := sound(string(rest), value); err != nil || !found {
			v.tell("inline piece %s: nobody claims it, or it is damaged", rest)
		}
		return nil
	})
}
