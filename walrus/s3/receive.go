package s3

import (
	"errors"
	"io"
	"strings"
	"sync"

	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/rest"
	"karri/walrus/content"
	"karri/walrus/index"
)

var buffers = sync.Pool{New: func() any { b := make([]byte, 128<<10); return &b }}

// receive stores a body of size bytes (-1: it was not said) in a piece, hashing
// it on the way. The piece is durable, unless it is small and travels with its
// row, sealed as s says, and held until release is called, which must be after
// the row is committed or given up. What prove refuses when the body has ended
// is not stored.
func (c *call) receive(body io.Reader, size int64, d *digests, s *sealing, prove func() error) (p index.Piece, release func(), err error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	if size > int64(c.InlineMax) {
		return c.spill(nil, body, size, *buf, d, s, prove)
	}
	head := make([]byte, 0, 1024)
	if size > 0 && size <= int64(c.InlineMax) {
		head = make([]byte, 0, size)
	}
	for {
		n, err := body.Read(*buf)
		_, _ = d.Write((*buf)[:n])
		head = append(head, (*buf)[:n]...)
		if err == io.EOF {
			if len(head) > c.InlineMax {
				return c.spill(head, strings.NewReader(""), size, *buf, d, s, prove)
			}
			if err := prove(); err != nil {
				return p, nil, err
			}
			return index.Piece{ID: content.NewID(), Size: int64(len(head)), Inline: true, Data: s.bytes(head)}, func() {}, c.Content.Room()
		}
		if err != nil {
			return p, nil, bodyFault(err)
		}
		if len(head) > c.InlineMax {
			return c.spill(head, body, size, *buf, d, s, prove)
		}
	}
}

// spill stores head and the rest of the body in a piece of the content engine.
func (c *call) spill(head []byte, more io.Reader, size int64, buf []byte, d *digests, s *sealing, prove func() error) (p index.Piece, release func(), err error) {
	w, err := c.Content.Create(c.ctx, s.size(size))
	if err != nil {
		return p, nil, err
	}
	held := c.Holds.Hold(w.ID())
	defer func() {
		if err != nil {
			w.Abort()
			held()
		}
	}()
	out, end := s.writer(w)
	got := int64(len(head))
	if len(head) > 0 {
		if _, err := out.Write(head); err != nil {
			return p, nil, err
		}
	}
	for {
		n, err := more.Read(buf)
		if n > 0 {
			_, _ = d.Write(buf[:n])
			got += int64(n)
			if _, err := out.Write(buf[:n]); err != nil {
				return p, nil, err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return p, nil, bodyFault(err)
		}
	}
	if err := prove(); err != nil { // before the cost of a sync
		return p, nil, err
	}
	if err := end(); err != nil {
		return p, nil, err
	}
	if err := w.Commit(); err != nil {
		return p, nil, err
	}
	crash.Here("walrus.s3.bytes")
	return index.Piece{ID: w.ID(), Size: got}, held, nil
}

// discard removes bytes whose row was refused. Where it is not known whether
// the row was written, they stay until the mill has looked.
func (c *call) discard(p index.Piece, err error) {
	if p.Inline || fault.KindOf(err) == fault.Broken {
		return
	}
	if err := c.Content.Remove(c.ctx, p.ID); err != nil {
		rest.Note(c.ctx, "left", p.ID)
	}
}
