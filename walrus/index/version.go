package index

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// A version is a row of a key, and where it stands.
type version struct {
	*Object
	seq     uint64
	current bool // in its own space; else among the older ones
	raw     []byte
}

func (v *version) row() []byte {
	if v.current {
		return row(objectSpace, v.Bucket, v.Key)
	}
	return versionRow(v.Bucket, v.Key, v.seq)
}

func (v *version) object() *Object {
	if v == nil {
		return nil
	}
	return v.Object
}

func decodeVersion(bucket, key string, b []byte, current bool) (*version, error) {
	v := &version{Object: &Object{Bucket: bucket}, current: current, raw: b}
	var h head
	var rest []byte
	var err error
	v.Key = key
	if v.seq, rest, err = h.decode(&v.Entry, b); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(rest, v.Object); err != nil {
		return nil, Damaged.Because(err)
	}
	return v, nil
}

// live returns the current object of a key; nil when there is none.
func live(ctx context.Context, r reader, bucket, key string) (*version, error) {
	b, err := r.get(ctx, row(objectSpace, bucket, key))
	if err != nil || b == nil {
		return nil, err
	}
	v, err := decodeVersion(bucket, key, b, true)
	if v != nil {
		v.Latest = true
	}
	return v, err
}

// older returns the newest older version of a key but for the one with a
// number, or nil. It is a delete marker when there is no current object.
func older(ctx context.Context, r reader, bucket, key string, but uint64) (v *version, err error) {
	rows := row(versionSpace, bucket, key)
	err = scan(ctx, r, rows, nil, func(suffix, value []byte) (bool, error) {
		if seq, err := number(suffix); err != nil || ^seq == but {
			return true, err
		}
		v, err = decodeVersion(bucket, key, bytes.Clone(value), false)
		return false, err
	})
	return v, err
}

// newest returns the newest row of a key, which may be a delete marker.
func newest(ctx context.Context, r reader, b *Bucket, key string) (*version, error) {
	v, err := live(ctx, r, b.Name, key)
	if err != nil || v != nil || b.Versioning == "" {
		return v, err
	}
	if v, err = older(ctx, r, b.Name, key, 0); v != nil {
		v.Latest = true
	}
	return v, err
}

// find returns a version by its name, or nil.
func find(ctx context.Context, r reader, b *Bucket, key, name string) (*version, error) {
	if name == "" {
		return newest(ctx, r, b, key)
	}
	seq, ok := versionNumber(name)
	if !ok && name != Null {
		return nil, nil
	}
	v, err := live(ctx, r, b.Name, key)
	if err != nil || v != nil && v.Version == name || b.Versioning == "" {
		if err == nil && v != nil && v.Version != name {
			v = nil
		}
		return v, err
	}
	if name == Null {
		p, err := r.get(ctx, row(nullSpace, b.Name, key))
		if err != nil || p == nil {
			return nil, err
		}
		if seq, err = number(p); err != nil {
			return nil, err
		}
	}
	raw, err := r.get(ctx, versionRow(b.Name, key, seq))
	if err != nil || raw == nil {
		return nil, err
	}
	old, err := decodeVersion(b.Name, key, raw, false)
	if err != nil || old.Version != name {
		return nil, err
	}
	if v == nil && old.Marker { // nothing hides it but another marker
		first, err := older(ctx, r, b.Name, key, 0)
		if err != nil {
			return nil, err
		}
		old.Latest = first != nil && first.seq == seq
	}
	return old, nil
}

// lay adds to c a version that is new or has another place.
func (c *change) lay(o *Object, seq uint64, current bool) error {
	value, err := encodeObject(o, seq)
	if err != nil {
		return err
	}
	c.place(&version{Object: o, seq: seq, current: current, raw: value})
	return nil
}

func (c *change) place(v *version) {
	c.shows(v, true)
	c.set(v.row(), v.raw)
	if !v.current && v.Version == Null {
		c.set(row(nullSpace, v.Bucket, v.Key), binary.BigEndian.AppendUint64(nil, v.seq))
	}
}

// shows notes that c makes the current row of its key, or ends it.
func (c *change) shows(v *version, there bool) {
	if v.current {
		c.showing = &showing{v.Key, there}
	}
}

// lift adds to c that the row of a version is gone, and not what it claims.
func (c *change) lift(v *version) {
	c.shows(v, false)
	c.unset(v.row())
	if !v.current && v.Version == Null {
		c.unset(row(nullSpace, v.Bucket, v.Key))
	}
}

// move adds to c that a version becomes current, or an older one.
func (c *change) move(v *version, current bool) {
	c.lift(v)
	moved := *v
	moved.current = current
	c.place(&moved)
}

// finish adds to c that a version and its claims are gone, if it is not locked.
func (c *change) finish(v *version, when Condition) error {
	if err := when.locked(v.Object); err != nil {
		return err
	}
	c.lift(v)
	for _, p := range v.Pieces {
		c.disclaim(p, v.ID)
	}
	c.counts(v.Object, -1)
	return nil
}

// makeRoom adds to c that top, the newest row of a key, is no longer the
// newest. Where the bucket makes no versions the null version ends.
func (c *change) makeRoom(ctx context.Context, key string, top *version, when Condition) error {
	if top == nil {
		return nil
	}
	if c.bucket.Versioning != Enabled {
		if top.Version == Null {
			return c.finish(top, when)
		}
		null, err := find(ctx, c, c.bucket, key, Null)
		if err != nil {
			return err
		}
		if null != nil {
			if err := c.finish(null, when); err != nil {
				return err
			}
		}
	}
	if top.current {
		c.move(top, false)
	}
	return nil
}

// bare adds to c that what stood below gone, which ends, shows again.
func (c *change) bare(ctx context.Context, gone *version) error {
	if c.bucket.Versioning == "" || !gone.current && !gone.Latest {
		return nil
	}
	below, err := older(ctx, c, gone.Bucket, gone.Key, gone.seq)
	if err != nil || below == nil || below.Marker {
		return err
	}
	c.move(below, true)
	return nil
}

// number returns the number of the change of a key, which is higher than that
// of its newest row, whoever's clock that had. A new row has it, and the event.
func (c *change) number(top *version) uint64 {
	if top != nil {
		c.store.heed(top.seq)
	}
	c.seq = c.store.next()
	return c.seq
}

// name returns the name of a version that is put now.
func (c *change) name(seq uint64) string {
	if c.bucket.Versioning == Enabled {
		return versionID(seq)
	}
	return Null
}

// pinned is Moved unless the pinned version is there. Its bucket and key are locked.
func (c *change) pinned(ctx context.Context, p *Pin) error {
	b, err := c.store.held(ctx, c, p.Bucket)
	if err != nil {
		return err
	}
	from, err := find(ctx, c, b, p.Key, p.Version)
	if err != nil {
		return fmt.Errorf("read the source: %w", err)
	}
	if from == nil || from.Marker || from.ID != p.ID {
		return Moved
	}
	return nil
}
