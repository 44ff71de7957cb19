package index

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"sync/atomic"
)

// What a bucket holds is the sum of all that was added to its count. After so
// many additions they are summed up, with the bucket to oneself for a moment.
const additions = 4 << 10

func (u Usage) encode() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(u.Objects))
	return binary.BigEndian.AppendUint64(b, uint64(u.Bytes))
}

// sum adds up the count of a bucket, and returns the rows that it stands in.
func sum(ctx context.Context, r reader, bucket string) (u Usage, rows [][]byte, err error) {
	prefix := space(countSpace, bucket)
	err = scan(ctx, r, prefix, nil, func(rest, value []byte) (bool, error) {
		rows = append(rows, append(bytes.Clone(prefix), rest...))
		if len(value)%16 != 0 {
			return false, Damaged.Because(errRow)
		}
		for v := value; len(v) > 0; v = v[16:] {
			u.Objects += int64(binary.BigEndian.Uint64(v))
			u.Bytes += int64(binary.BigEndian.Uint64(v[8:]))
		}
		return true, nil
	})
	return u, rows, err
}

// Usage is Buckets's.
func (s *Store) Usage(ctx context.Context, bucket string) (Usage, error) {
	if _, err := s.Bucket(ctx, bucket); err != nil {
		return Usage{}, err
	}
	u, _, err := sum(ctx, s.engine, bucket)
	if err == nil {
		err = s.engine.durable(ctx)
	}
	return u, err
}

// counts adds to c that the bucket holds an object more, or one less.
func (c *change) counts(o *Object, sign int64) {
	if !o.Marker {
		c.count.Objects += sign
		c.count.Bytes += sign * o.Size
	}
}

// fits adds to c what it adds to the bucket's count, if the quota allows it.
// Who makes a bounded bucket larger holds its quota until he is through.
func (c *change) fits(ctx context.Context) error {
	if c.count == (Usage{}) {
		return nil
	}
	if c.count.Objects > 0 || c.count.Bytes > 0 {
		if err := c.fitsBucket(ctx); err != nil {
			return err
		}
		if err := c.fitsAccount(ctx); err != nil {
			return err
		}
	}
	c.add(space(countSpace, c.bucket.Name), c.count.encode())
	return nil
}

func (c *change) fitsBucket(ctx context.Context) error {
	quota := c.bucket.Quota
	if quota == (Usage{}) {
		return nil
	}
	if err := c.lock(ctx, lock{kind: quotaLock, name: c.bucket.Name}); err != nil {
		return err
	}
	used, _, err := sum(ctx, c, c.bucket.Name)
	if err == nil && !quota.Holds(used, c.count) {
		err = QuotaExceeded
	}
	return err
}

func (c *change) fitsAccount(ctx context.Context) error {
	quota, err := c.store.bound(ctx, c, c.bucket.Owner)
	by := maker(ctx, c.bucket.Creator)
	if err != nil || quota == (Usage{}) && by == nil {
		return err
	}
	if err := c.lock(ctx, lock{kind: accountLock, name: c.bucket.Owner}); err != nil {
		return err
	}
	if quota != (Usage{}) {
		used, err := c.store.holds(ctx, c, c.bucket.Owner, "")
		if err == nil && !quota.Holds(used, c.count) {
			err = QuotaExceeded
		}
		if err != nil {
			return err
		}
	}
	if by == nil {
		return nil
	}
	used, err := c.store.holds(ctx, c, c.bucket.Owner, by.ID)
	if err == nil && !by.Quota.Holds(used, c.count) {
		err = QuotaExceeded
	}
	return err
}

// fitsBuckets refuses a bucket more than its owner, or who makes it, may have.
func (c *change) fitsBuckets(ctx context.Context, b *Bucket) error {
	quota, err := c.store.bound(ctx, c, b.Owner)
	most := int64(0)
	if by := maker(ctx, b.Creator); by != nil {
		most = by.Quota.Buckets
	}
	if err != nil || quota.Buckets == 0 && most == 0 {
		return err
	}
	if err := c.lock(ctx, lock{kind: accountLock, name: b.Owner}); err != nil {
		return err
	}
	n, own := int64(0), int64(0)
	err = scan(ctx, c, ownerRows(b.Owner), nil, func(_, by []byte) (bool, error) {
		if n++; string(by) == b.Creator {
			own++
		}
		return true, nil
	})
	if err == nil && (over(n, 1, quota.Buckets) || over(own, 1, most)) {
		err = TooManyBuckets
	}
	return err
}

// Holds reports whether a quota has room for more where so much is used. What
// makes nothing larger always fits.
func (u Usage) Holds(used, more Usage) bool {
	return !over(used.Objects, more.Objects, u.Objects) && !over(used.Bytes, more.Bytes, u.Bytes) && !over(used.Buckets, more.Buckets, u.Buckets)
}

func over(used, more, quota int64) bool { return quota != 0 && more > 0 && used+more > max(quota, 0) }

// summed notes an addition, and sums up when there were many. The first after
// a start counts as many, since nobody knows how many there were before.
func (s *Store) summed(ctx context.Context, bucket string) {
	n, ok := s.added.Load(bucket)
	if !ok {
		first := &atomic.Int64{}
		first.Store(additions - 1)
		n, _ = s.added.LoadOrStore(bucket, first)
	}
	often := int64(additions)
	if s.engine.process() > 0 {
		often /= 16 // each is a row there
	}
	if n.(*atomic.Int64).Add(1)%often != 0 {
		return
	}
	if err := s.sumUp(ctx, bucket); err != nil && ctx.Err() == nil {
		slog.Warn("index: cannot sum up what a bucket holds", "bucket", bucket, "err", err)
	}
}

func (s *Store) sumUp(ctx context.Context, bucket string) error {
	return s.change(ctx, scope{bucket: bucket, alone: true}, func(c *change) error {
		u, rows, err := sum(ctx, c, bucket)
		for _, r := range rows {
			c.unset(r)
		}
		c.idle, c.lazily = len(rows) == 0, true
		c.set(space(countSpace, bucket), u.encode())
		return err
	})
}
