package index

import (
	"bytes"
	"context"
)

const format = "2"

// renewed is how many rows are renewed in one batch.
const renewed = 1000

// renew writes the rows of an older form anew. A crash in between costs doing
// the rest again: the form of the store is written last, with what the buckets
// hold, which is counted only then.
func (s *Store) renew(ctx context.Context) error {
	if b, err := s.engine.get(ctx, formatRow); err != nil || string(b) == format {
		return err
	}
	for from := []byte{}; from != nil; {
		var err error
		if from, err = s.renewSome(ctx, from); err != nil {
			return err
		}
	}
	t, err := s.engine.begin(ctx, nil, lock{kind: bucketLock})
	if err != nil {
		return err
	}
	defer t.end()
	if b, err := t.get(ctx, formatRow); err != nil || b != nil {
		return err // another process did it
	}
	err = scan(ctx, t, []byte{bucketSpace}, nil, func(name, _ []byte) (bool, error) {
		var u Usage
		var h head
		err := scan(ctx, t, space(objectSpace, string(name)), nil, func(_, value []byte) (bool, error) {
			var e Entry
			_, _, err := h.decode(&e, value)
			u.Objects, u.Bytes = u.Objects+1, u.Bytes+e.Size
			return true, err
		})
		if u != (Usage{}) {
			t.set(space(countSpace, string(name)), u.encode())
		}
		return true, err
	})
	if err != nil {
		return err
	}
	t.set(formatRow, []byte(format))
	return t.commit(ctx, false)
}

// renewSome renews a batch of rows and returns where to go on, nil at the end.
// An object row of the old form had its number in its key.
func (s *Store) renewSome(ctx context.Context, from []byte) (next []byte, err error) {
	t, err := s.engine.begin(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer t.end()
	n := 0
	err = scan(ctx, t, []byte{objectSpace}, from, func(rest, value []byte) (bool, error) {
		i := bytes.IndexByte(rest, 0)
		if i < 0 {
			return false, Damaged.Because(errRow)
		}
		bucket := string(rest[:i])
		key, suffix, err := unescape(rest[i+1:])
		if err != nil || len(suffix) == 0 {
			return true, err
		}
		seq, err := number(suffix)
		if err != nil {
			return false, err
		}
		o, err := decodeOld(bucket, key, value)
		if err != nil {
			return false, err
		}
		raw, err := encodeObject(o, ^seq)
		if err != nil {
			return false, err
		}
		t.unset(append([]byte{objectSpace}, rest...))
		t.set(row(objectSpace, bucket, key), raw)
		if n++; n == renewed {
			next = bytes.Clone(rest)
		}
		return next == nil, nil
	})
	if err != nil {
		return nil, err
	}
	return next, t.commit(ctx, false)
}
