//go:build rados

package content

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ceph/go-ceph/rados"
)

// Create is Engine's.
func (r *RADOS) Create(_ context.Context, size int64) (Writer, error) {
	if err := r.Room(); err != nil {
		return nil, err
	}
	mark, most := stripedMark, int64(flushSize)
	if size >= 0 && size <= packMost {
		mark, most = wholeMark, size+4*blocksOf(size)+footerSize
	}
	id := mark + r.writer + NewID()[:24]
	return &radosWriter{rados: r, size: size, buf: make([]byte, 0, most), sums: summer{id: id}}, nil
}

type radosWriter struct {
	rados   *RADOS
	size    int64  // that was announced, or -1
	buf     []byte // not yet written
	flushed int64
	sums    summer
	done    bool
}

func (w *radosWriter) ID() string { return w.sums.id }

func (w *radosWriter) whole() bool { return w.sums.id[:1] == wholeMark }

func (w *radosWriter) Write(p []byte) (int, error) {
	if w.size >= 0 && int64(len(p)) > w.size-w.sums.size {
		return 0, NotSize
	}
	total := len(p)
	for len(p) > 0 {
		n := len(p)
		if !w.whole() {
			if len(w.buf) == flushSize {
				if err := w.flush(); err != nil {
					return total - len(p), err
				}
			}
			n = min(n, flushSize-len(w.buf))
		}
		w.buf = append(w.buf, p[:n]...)
		w.sums.Write(p[:n])
		p = p[n:]
	}
	return total, nil
}

// flush writes to the stripe that it is in; a stripe is some flushes long.
func (w *radosWriter) flush() error {
	oid := stripeOf(w.ID(), w.flushed/stripeSize)
	err := w.rados.fail("write", oid)
	if err == nil {
		err = w.rados.io.Write(oid, w.buf, uint64(w.flushed%stripeSize))
	}
	if err != nil {
		return radosError(err)
	}
	w.flushed += int64(len(w.buf))
	w.buf = w.buf[:0]
	return nil
}

// Commit is Writer's.
func (w *radosWriter) Commit() error {
	if w.size >= 0 && w.size != w.sums.size {
		return NotSize
	}
	err := w.commit()
	if err != nil {
		w.Abort()
		return fmt.Errorf("commit piece: %w", err)
	}
	w.done = true
	return nil
}

func (w *radosWriter) commit() error {
	var head []byte
	if w.whole() {
		head = w.buf
	} else {
		if len(w.buf) > 0 {
			if err := w.flush(); err != nil {
				return err
			}
		}
		if !w.rados.alive() {
			return errors.New("the lock of this process may have lapsed")
		}
	}
	head = append(append(head, w.sums.Table()...), footer(w.sums.size)...)
	return w.rados.put("write", headOf(w.ID()), head)
}

// Abort is Writer's. What cannot be removed is a stray or an orphan.
func (w *radosWriter) Abort() {
	if w.done {
		return
	}
	w.done = true
	_ = w.rados.drop(headOf(w.ID())) // it may be there though it is said to have failed
	for n := range (w.flushed + stripeSize - 1) / stripeSize {
		_ = w.rados.drop(stripeOf(w.ID(), n))
	}
}

// A radosPiece is read as if it were one file of bytes, checksums and footer.
type radosPiece struct {
	rados *RADOS
	id    string
	size  int64
}

func (p *radosPiece) ReadAt(b []byte, off int64) (n int, err error) {
	for n < len(b) {
		oid, at, most := headOf(p.id), off, len(b)-n
		if p.id[:1] == stripedMark {
			if off < p.size {
				oid, at = stripeOf(p.id, off/stripeSize), off%stripeSize
				most = int(min(int64(most), stripeSize-at, p.size-off))
			} else {
				at = off - p.size
			}
		}
		if err := p.rados.fail("read", oid); err != nil {
			return n, err
		}
		got, err := p.rados.io.Read(oid, b[n:n+most], uint64(at))
		if err == nil && got < most {
			err = io.ErrUnexpectedEOF
		}
		n += got
		off += int64(got)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// size returns how many bytes a piece has, by its footer.
func (r *RADOS) size(id string) (int64, error) {
	st, err := r.io.Stat(headOf(id))
	if errors.Is(err, rados.ErrNotFound) {
		return 0, Lost.Because(err)
	}
	if err != nil {
		return 0, err
	}
	b := make([]byte, footerSize)
	if st.Size < footerSize {
		return 0, Damaged.Because(fmt.Errorf("piece %s: the head is cut", id))
	}
	n, err := r.io.Read(headOf(id), b, st.Size-footerSize)
	if errors.Is(err, rados.ErrNotFound) {
		return 0, Lost.Because(err)
	}
	if err != nil {
		return 0, err
	}
	size := int64(binary.BigEndian.Uint64(b[8:]))
	want := 4*blocksOf(size) + footerSize
	if id[:1] == wholeMark {
		want += size
	}
	if n != footerSize || string(b) != string(footer(size)) || size < 0 || int64(st.Size) != want {
		return 0, Damaged.Because(fmt.Errorf("piece %s: the footer is damaged", id))
	}
	return size, nil
}

// Open is Engine's.
func (r *RADOS) Open(_ context.Context, id string, off, n int64) (io.ReadCloser, error) {
	if err := r.check(id); err != nil {
		return nil, err
	}
	if !r.pieces.begin(id) {
		return nil, Lost
	}
	err := r.fail("open", id)
	var size int64
	if err == nil {
		size, err = r.size(id)
	}
	if err == nil {
		err = within(id, size, off, n)
	}
	if err != nil {
		r.endUse(id)
		return nil, err
	}
	p := &radosPiece{r, id, size}
	return &radosReader{verified: verified{id: id, file: p, size: size, table: size, off: off, end: off + n}, rados: r}, nil
}

func (r *RADOS) endUse(id string) {
	if r.pieces.end(id) {
		_ = r.clear(id) // nothing claims it: what fails is found to be an orphan
		r.pieces.forget(id)
	}
}

type radosReader struct {
	verified
	rados  *RADOS
	closed bool
}

func (r *radosReader) Close() error {
	if !r.closed {
		r.closed = true
		r.release()
		r.rados.endUse(r.id)
	}
	return nil
}
