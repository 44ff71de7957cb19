package s3

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"karri/shared/fault"
	"karri/walrus/content"
	"karri/walrus/index"
)

// A stream reads a range of an object, piece after piece, each byte verified.
type stream struct {
	c      *call
	seal   *sealing
	pieces []index.Piece
	off, n int64 // within pieces, still to be read
	open   io.ReadCloser
}

// tries is how often an object that is replaced while it is opened is looked
// up again.
const tries = 8

// found returns the object of a target.
func (c *call) found(t *target) (*index.Object, error) {
	o := c.look(t)
	switch {
	case t.err != nil:
		return nil, t.err
	case o == nil && t.version != "":
		return nil, index.NoSuchVersion
	case o == nil:
		return nil, index.NoSuchKey
	}
	return o, nil
}

// find returns the object of a target with its pieces held, so that they stay
// readable while their row is replaced. What replaced the object that was
// decided on is decided on anew.
func (c *call) find(t *target) (*index.Object, func(), error) {
	for range tries {
		o, err := c.found(t)
		if err != nil {
			return nil, nil, err
		}
		release := c.Holds.Hold(ids(o.Pieces)...)
		now, err := c.Objects.Object(c.ctx, t.bucket.Name, t.key, t.version)
		if err == nil && now.ID == o.ID {
			return o, release, nil
		}
		release()
		if err != nil {
			return nil, nil, err
		}
		if err := c.renew(t); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, fault.New(fault.Later, "SlowDown", "Please reduce your request rate.")
}

// renew forgets what a target was seen to be, and decides again.
func (c *call) renew(t *target) error {
	t.seen, t.marker, t.looked = nil, nil, false
	return c.permit(t, actionOn("s3:GetObject", t.version))
}

func ids(pieces []index.Piece) []string {
	list := make([]string, len(pieces))
	for i, p := range pieces {
		list[i] = p.ID
	}
	return list
}

// read returns a stream of n bytes of an object that is held, from off. The
// first piece is open when it returns, so that what is lost shows before an
// answer begins.
func (c *call) read(o *index.Object, by *sealing, off, n int64) (*stream, error) {
	s := &stream{c: c, seal: by, pieces: o.Pieces, off: off, n: n}
	for len(s.pieces) > 0 && s.off >= s.pieces[0].Size {
		s.off -= s.pieces[0].Size
		s.pieces = s.pieces[1:]
	}
	return s, s.next()
}

// next opens the next piece, if there is more to read.
func (s *stream) next() error {
	if s.n == 0 {
		return nil
	}
	if len(s.pieces) == 0 {
		return content.Damaged.Because(fmt.Errorf("the pieces are %d bytes short", s.n))
	}
	p := s.pieces[0]
	n := min(s.n, p.Size-s.off)
	from := func(off, n int64) (io.ReadCloser, error) { return s.c.Content.Open(s.c.ctx, p.ID, off, n) }
	if p.Inline {
		data, err := s.c.Objects.Inline(s.c.ctx, p.ID)
		if err != nil {
			return err
		}
		if int64(len(data)) != s.seal.size(p.Size) {
			return content.Damaged.Because(fmt.Errorf("piece %s has %d bytes", p.ID, len(data)))
		}
		from = func(off, n int64) (io.ReadCloser, error) {
			return inline{bytes.NewReader(data[off : off+n])}, nil
		}
	}
	var err error
	if s.open, err = s.seal.open(from, p.Size, s.off, n); err != nil {
		if fault.KindOf(err) == fault.Missing { // a row claims it: that it is gone is our fault
			return content.Damaged.Because(err)
		}
		return err
	}
	s.n -= n
	s.off, s.pieces = 0, s.pieces[1:]
	return nil
}

// inline is a piece that stands in the index. It was verified when it was read.
type inline struct{ *bytes.Reader }

// Ready is that of the pieces of the content engine.
func (inline) Ready() error { return nil }

// Close is io.Closer's.
func (inline) Close() error { return nil }

// ready returns when the first bytes have been read and verified. Readers that
// cannot do so by themselves have them taken out; they are returned.
func (s *stream) ready() ([]byte, error) {
	if r, ok := s.open.(interface{ Ready() error }); ok || s.open == nil {
		if s.open == nil {
			return nil, nil
		}
		return nil, r.Ready()
	}
	first := make([]byte, 4<<10)
	n, err := io.ReadFull(s, first)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return first[:n], err
}

func (s *stream) Read(p []byte) (int, error) {
	for s.open != nil {
		n, err := s.open.Read(p)
		if n > 0 || err != nil && !errors.Is(err, io.EOF) {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		}
		if errors.Is(err, io.EOF) {
			if err := s.advance(); err != nil {
				return 0, err
			}
		}
	}
	return 0, io.EOF
}

// WriteTo hands each piece's own buffers to w.
func (s *stream) WriteTo(w io.Writer) (total int64, err error) {
	for s.open != nil {
		n, err := io.Copy(w, s.open)
		total += n
		if err == nil {
			err = s.advance()
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (s *stream) advance() error {
	s.Close()
	return s.next()
}

// Close ends the stream early, or after its end.
func (s *stream) Close() {
	if s.open != nil {
		_ = s.open.Close()
		s.open = nil
	}
}
