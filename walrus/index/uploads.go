package index

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"

	"karri/shared/crash"
)

// CreateUpload is Uploads's.
func (s *Store) CreateUpload(ctx context.Context, u *Upload) error {
	return s.change(ctx, scope{bucket: u.Bucket}, func(c *change) error {
		return c.setJSON(uploadRow(u.Bucket, u.Key, u.ID), u)
	})
}

// Upload is Uploads's.
func (s *Store) Upload(ctx context.Context, bucket, key, id string) (*Upload, error) {
	return openUpload(ctx, s.engine, bucket, key, id)
}

func openUpload(ctx context.Context, r reader, bucket, key, id string) (*Upload, error) {
	u := &Upload{Bucket: bucket, Key: key, ID: id}
	if err := getJSON(ctx, r, uploadRow(bucket, key, id), NoSuchUpload, u); err != nil {
		return nil, err
	}
	return u, nil
}

func partAt(ctx context.Context, r reader, upload string, number int) (*Part, error) {
	p := &Part{}
	if err := getJSON(ctx, r, partRow(upload, number), InvalidPart, p); err != nil {
		return nil, err
	}
	return p, nil
}

// PutPart is Uploads's.
func (s *Store) PutPart(ctx context.Context, u *Upload, p Part) error {
	holder := partHolder(u.ID, p.Number)
	in := scope{
		bucket: u.Bucket, ahead: [][]byte{uploadRow(u.Bucket, u.Key, u.ID), partRow(u.ID, p.Number)},
		locks: []lock{{kind: uploadLock, shared: true, name: u.ID}, {kind: keyLock, name: holder}},
	}
	return s.change(ctx, in, func(c *change) error {
		if _, err := openUpload(ctx, c, u.Bucket, u.Key, u.ID); err != nil {
			return err
		}
		switch old, err := partAt(ctx, c, u.ID, p.Number); {
		case err == nil:
			c.disclaim(old.Piece, holder)
			c.countPart(old, -1)
		case err != InvalidPart:
			return err
		}
		c.claim(p.Piece, holder)
		p.Counted = true
		c.countPart(&p, 1)
		crash.Here("walrus.index.part")
		return c.setJSON(partRow(u.ID, p.Number), p)
	})
}

// countPart adds to c that the bucket holds a part more, or one less. Those of
// older programs were not counted.
func (c *change) countPart(p *Part, sign int64) {
	if p.Counted {
		c.count.Bytes += sign * p.Size
	}
}

// inUploads adds up the parts of a bucket's open uploads.
func inUploads(ctx context.Context, r reader, bucket string) (size int64, err error) {
	err = scan(ctx, r, space(uploadSpace, bucket), nil, func(rest, _ []byte) (bool, error) {
		_, id, err := unescape(rest)
		if err != nil {
			return false, err
		}
		parts, _, err := partsOf(ctx, r, string(id), 0, 0)
		for _, p := range parts {
			if p.Counted {
				size += p.Size
			}
		}
		return true, err
	})
	return size, err
}

// Parts is Uploads's.
func (s *Store) Parts(ctx context.Context, uploadID string, above, most int) (parts []Part, more bool, err error) {
	return partsOf(ctx, s.engine, uploadID, above, most)
}

func partsOf(ctx context.Context, r reader, uploadID string, above, most int) (parts []Part, more bool, err error) {
	if above >= math.MaxUint16 {
		return nil, false, nil
	}
	from := binary.BigEndian.AppendUint16(nil, uint16(above+1))
	err = scan(ctx, r, partRows(uploadID), from, func(_, value []byte) (bool, error) {
		var p Part
		if err := json.Unmarshal(value, &p); err != nil {
			return false, Damaged.Because(err)
		}
		if most > 0 && len(parts) == most {
			more = true
			return false, nil
		}
		parts = append(parts, p)
		return true, nil
	})
	return parts, more, err
}

// Complete is Uploads's.
func (s *Store) Complete(ctx context.Context, u *Upload, parts []Part, o *Object, when Condition) error {
	in := inKey(o.Bucket, o.Key)
	in.locks = append(in.locks, lock{kind: uploadLock, name: u.ID})
	return s.change(ctx, in, func(c *change) error {
		if _, err := openUpload(ctx, c, u.Bucket, u.Key, u.ID); err != nil {
			return err
		}
		for _, p := range parts {
			now, err := partAt(ctx, c, u.ID, p.Number)
			if err != nil {
				return err
			}
			if now.Piece.ID != p.Piece.ID {
				return InvalidPart
			}
		}
		if err := c.replace(ctx, o, when); err != nil {
			return err
		}
		err := c.endUpload(ctx, u.Bucket, u.Key, u.ID)
		crash.Here("walrus.index.complete")
		return err
	})
}

// endUpload adds to c that an upload and its parts are gone. The mill finds the
// pieces that an object has taken over to be claimed, and leaves them.
func (c *change) endUpload(ctx context.Context, bucket, key, id string) error {
	parts, _, err := partsOf(ctx, c, id, 0, 0)
	if err != nil {
		return err
	}
	for _, p := range parts {
		c.disclaim(p.Piece, partHolder(id, p.Number))
		c.countPart(&p, -1)
		c.unset(partRow(id, p.Number))
	}
	c.unset(uploadRow(bucket, key, id))
	return nil
}

// Abort is Uploads's.
func (s *Store) Abort(ctx context.Context, bucket, key, id string) error {
	return s.change(ctx, scope{bucket: bucket, locks: []lock{{kind: uploadLock, name: id}}}, func(c *change) error {
		if _, err := openUpload(ctx, c, bucket, key, id); err != nil {
			return err
		}
		err := c.endUpload(ctx, bucket, key, id)
		crash.Here("walrus.index.abort")
		return err
	})
}

// Uploads is Uploads's.
func (s *Store) Uploads(ctx context.Context, bucket string, q Query) (Listing[Upload], error) {
	var page Listing[Upload]
	if _, err := s.Bucket(ctx, bucket); err != nil {
		return page, err
	}
	n := &scanner{query: q, suffix: append([]byte(q.AfterID), 0)}
	n.item = func(key string, suffix, value []byte) error {
		u := Upload{Bucket: bucket, Key: key, ID: string(suffix)}
		if err := json.Unmarshal(value, &u); err != nil {
			return Damaged.Because(err)
		}
		page.Items = append(page.Items, u)
		return nil
	}
	err := n.scan(ctx, s.engine, bucket, uploadSpace)
	page.Prefixes, page.More, page.Last = n.prefixes, n.more, n.last
	return page, err
}
