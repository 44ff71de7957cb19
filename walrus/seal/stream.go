package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
)

// BlockSize is how many bytes are sealed together.
const BlockSize = 64 << 10

const sealedBlock = BlockSize + tagSize

// Size returns how many bytes a sealed piece of size bytes has; -1 of -1.
func Size(size int64) int64 {
	if size < 0 {
		return -1
	}
	return saltSize + size + tagSize*blocksOf(size)
}

// blocksOf: a piece of no bytes has a block too, so that it can be proven.
func blocksOf(size int64) int64 { return max(1, (size+BlockSize-1)/BlockSize) }

// A Writer seals what is written to it. It must be ended by Close.
type Writer struct {
	w     io.Writer
	aead  cipher.AEAD
	salt  []byte // not yet written
	block int64
	buf   []byte
}

// Writer returns a Writer that seals a piece into w.
func (k *Key) Writer(w io.Writer) *Writer {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // it never fails
	return k.writer(w, salt)
}

func (k *Key) writer(w io.Writer, salt []byte) *Writer {
	return &Writer{w: w, aead: cipherOf(k.secret, salt, "karri piece"), salt: salt, buf: make([]byte, 0, sealedBlock)}
}

// Write seals each block that is full when more comes.
func (w *Writer) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if len(w.buf) == BlockSize {
			if err := w.flush(false); err != nil {
				return total - len(p), err
			}
		}
		n := min(len(p), BlockSize-len(w.buf))
		w.buf = append(w.buf, p[:n]...)
		p = p[n:]
	}
	return total, nil
}

// Close seals the last block. It does not close what is underneath.
func (w *Writer) Close() error { return w.flush(true) }

func (w *Writer) flush(last bool) error {
	if w.salt != nil {
		if _, err := w.w.Write(w.salt); err != nil {
			return err
		}
		w.salt = nil
	}
	sealed := w.aead.Seal(w.buf[:0], nonce(w.block, last), w.buf, nil)
	w.block++
	w.buf = w.buf[:0]
	_, err := w.w.Write(sealed)
	return err
}

// Seal returns the sealed piece of few bytes.
func (k *Key) Seal(b []byte) []byte {
	var out bytes.Buffer
	out.Grow(int(Size(int64(len(b)))))
	w := k.Writer(&out)
	_, _ = w.Write(b) // a buffer takes all
	_ = w.Close()
	return out.Bytes()
}

// A Source gives n bytes of a sealed piece from offset off.
type Source func(off, n int64) (io.ReadCloser, error)

// Open returns n bytes from off of a piece of size bytes that is sealed in
// from. Only the blocks that they lie in are read.
func (k *Key) Open(from Source, size, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n < 0 || off > size || n > size-off {
		return nil, Tampered.Because(fmt.Errorf("%d bytes from %d of %d", n, off, size))
	}
	first, after := off/BlockSize, blocksOf(size)
	if n < size { // of the whole all blocks, also that of an empty piece
		after = (off + n + BlockSize - 1) / BlockSize
	}
	after = max(after, first)
	r := &reader{size: size, block: first, after: after, skip: int(off % BlockSize), left: n}
	start, end := saltSize+first*sealedBlock, min(saltSize+after*sealedBlock, Size(size))
	salt := make([]byte, saltSize)
	if first == 0 { // the salt stands before it
		if err := r.open(from, 0, end); err != nil {
			return nil, err
		}
	} else if err := r.open(from, 0, saltSize); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(r.from, salt); err != nil {
		_ = r.from.Close()
		return nil, cut(err)
	}
	r.aead = cipherOf(k.secret, salt, "karri piece")
	if first > 0 {
		_ = r.from.Close()
		if err := r.open(from, start, max(0, end-start)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

var buffers = sync.Pool{New: func() any { return new([sealedBlock]byte) }}

type reader struct {
	from  io.ReadCloser
	aead  cipher.AEAD
	size  int64
	block int64 // the next to open
	after int64 // the last to open
	skip  int   // bytes of the first block that are not wanted
	left  int64 // bytes still to give
	buf   *[sealedBlock]byte
	ready []byte
	err   error
}

func (r *reader) open(from Source, off, n int64) (err error) {
	r.from, err = from(off, n)
	return err
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.fill(); err != nil {
		return 0, err
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// WriteTo spares io.Copy a buffer of its own.
func (r *reader) WriteTo(w io.Writer) (total int64, err error) {
	for {
		if err := r.fill(); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
		n, err := w.Write(r.ready)
		total += int64(n)
		r.ready = r.ready[n:]
		if err != nil {
			return total, err
		}
	}
}

// fill makes ready non-empty.
func (r *reader) fill() error {
	for len(r.ready) == 0 && r.err == nil {
		r.err = r.next()
	}
	if len(r.ready) > 0 {
		return nil
	}
	return r.err
}

func (r *reader) next() error {
	if r.block >= r.after {
		return io.EOF
	}
	if r.buf == nil {
		r.buf = buffers.Get().(*[sealedBlock]byte)
	}
	last := r.block == blocksOf(r.size)-1
	n := int64(sealedBlock)
	if last {
		n = r.size - r.block*BlockSize + tagSize
	}
	b := r.buf[:n]
	if _, err := io.ReadFull(r.from, b); err != nil {
		return cut(err)
	}
	open, err := r.aead.Open(b[:0], nonce(r.block, last), b, nil)
	if err != nil {
		return Tampered.Because(fmt.Errorf("block %d: %w", r.block, err))
	}
	open = open[r.skip:]
	open = open[:min(int64(len(open)), r.left)]
	r.block, r.skip, r.left, r.ready = r.block+1, 0, r.left-int64(len(open)), open
	return nil
}

// cut tells bytes that end too early from those that cannot be read.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return Tampered.Because(err)
	}
	return err
}

func (r *reader) Close() error {
	if r.buf != nil {
		r.ready, r.err = nil, errors.New("read of a closed piece")
		buffers.Put(r.buf)
		r.buf = nil
	}
	return r.from.Close()
}
