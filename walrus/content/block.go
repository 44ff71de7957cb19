package content

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

// A large piece's file is its bytes, then four bytes of checksum for each block
// of them, then the footer. The bytes stand first so that offset n of the piece
// is offset n of the file. A checksum needs none of its own: a flipped bit in
// it can only make its block fail.
const (
	blockSize  = 64 << 10
	footerSize = 24
	magic      = "karripc1"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// blockSeed begins the checksum of a block with whose and which block it is.
func blockSeed(id string, block int64) uint32 {
	var b [40]byte
	n := copy(b[:32], id)
	binary.BigEndian.PutUint64(b[n:], uint64(block))
	return crc32.Update(0, castagnoli, b[:n+8])
}

// A summer computes the checksums of a piece while it is written.
type summer struct {
	id    string
	size  int64
	sum   uint32 // of the block so far
	table []byte
}

func (s *summer) Write(p []byte) {
	for len(p) > 0 {
		in := s.size % blockSize
		if in == 0 {
			s.sum = blockSeed(s.id, s.size/blockSize)
		}
		n := min(int64(len(p)), blockSize-in)
		s.sum = crc32.Update(s.sum, castagnoli, p[:n])
		s.size += n
		if s.size%blockSize == 0 {
			s.table = binary.BigEndian.AppendUint32(s.table, s.sum)
		}
		p = p[n:]
	}
}

// Table returns the checksums of all that was written.
func (s *summer) Table() []byte {
	if s.size%blockSize != 0 {
		return binary.BigEndian.AppendUint32(s.table, s.sum)
	}
	return s.table
}

// blocksOf returns how many blocks a piece of size bytes has.
func blocksOf(size int64) int64 { return (size + blockSize - 1) / blockSize }

func footer(size int64) []byte {
	f := append([]byte(nil), magic...)
	f = binary.BigEndian.AppendUint64(f, uint64(size))
	f = binary.BigEndian.AppendUint32(f, blockSize)
	return binary.BigEndian.AppendUint32(f, crc32.Checksum(f, castagnoli))
}

// sizeOf returns the size of the piece in a file of total bytes.
func sizeOf(f io.ReaderAt, total int64) (int64, error) {
	var b [footerSize]byte
	if total < footerSize {
		return 0, fmt.Errorf("a file of %d bytes has no footer", total)
	}
	if _, err := f.ReadAt(b[:], total-footerSize); err != nil {
		return 0, fmt.Errorf("read footer: %w", err)
	}
	size := int64(binary.BigEndian.Uint64(b[8:]))
	if string(b[:]) != string(footer(size)) {
		return 0, errors.New("the footer is damaged")
	}
	if size < 0 || total != size+4*blocksOf(size)+footerSize {
		return 0, fmt.Errorf("a file of %d bytes cannot hold a piece of %d", total, size)
	}
	return size, nil
}

// windowBlocks is how many blocks a reader reads at a time: each call to the
// system has a price.
const windowBlocks = 4

// The memory of readers, for one block and for a window.
var (
	blocks  = sync.Pool{New: func() any { b := make([]byte, blockSize); return &b }}
	windows = sync.Pool{New: func() any { b := make([]byte, windowBlocks*blockSize); return &b }}
)

// sumsAhead is how many checksums a reader fetches at a time.
const sumsAhead = 512

// A verified reader gives out the bytes from off to end, each block of them
// after its checksum was seen to be right.
type verified struct {
	id    string
	file  io.ReaderAt
	data  int64 // where in the file the piece's bytes begin
	table int64 // and their checksums
	size  int64
	off   int64 // the next byte to give out
	end   int64
	buf   *[]byte
	ready []byte // verified and not yet given out
	sums  []byte // checksums from block first on
	first int64
	err   error
}

// Ready returns when the next bytes have been read and verified.
func (v *verified) Ready() error {
	if err := v.fill(); err != io.EOF {
		return err
	}
	return nil
}

func (v *verified) Read(p []byte) (int, error) {
	if err := v.fill(); err != nil {
		return 0, err
	}
	n := copy(p, v.ready)
	v.ready = v.ready[n:]
	return n, nil
}

// WriteTo spares io.Copy a buffer of its own.
func (v *verified) WriteTo(w io.Writer) (total int64, err error) {
	for {
		if err := v.fill(); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
		n, err := w.Write(v.ready)
		total += int64(n)
		v.ready = v.ready[n:]
		if err != nil {
			return total, err
		}
	}
}

// fill makes ready non-empty.
func (v *verified) fill() error {
	if len(v.ready) > 0 || v.err != nil {
		return v.err
	}
	if v.off >= v.end {
		return io.EOF
	}
	if v.buf == nil {
		v.buf = v.pool().Get().(*[]byte)
	}
	block := v.off / blockSize
	start := block * blockSize
	stop := min(v.size, blocksOf(v.end)*blockSize, start+int64(len(*v.buf)))
	data := (*v.buf)[:stop-start]
	if _, err := v.file.ReadAt(data, v.data+start); err != nil {
		v.err = Damaged.Because(fmt.Errorf("piece %s: block %d: %w", v.id, block, err))
		return v.err
	}
	for rest := data; len(rest) > 0; block++ {
		n := min(blockSize, len(rest))
		want, err := v.sum(block)
		if err == nil && crc32.Update(blockSeed(v.id, block), castagnoli, rest[:n]) != want {
			err = errors.New("wrong checksum")
		}
		if err != nil {
			v.err = Damaged.Because(fmt.Errorf("piece %s: block %d: %w", v.id, block, err))
			return v.err
		}
		rest = rest[n:]
	}
	v.ready = data[v.off-start : min(stop, v.end)-start]
	v.off = stop
	return nil
}

// pool is where the memory comes from; it is asked before anything is read.
func (v *verified) pool() *sync.Pool {
	if blocksOf(v.end)-v.off/blockSize <= 1 {
		return &blocks
	}
	return &windows
}

func (v *verified) sum(block int64) (uint32, error) {
	at := 4 * (block - v.first)
	if at >= int64(len(v.sums)) || v.sums == nil {
		n := min(sumsAhead, blocksOf(v.end)-block)
		v.sums, v.first, at = make([]byte, 4*n), block, 0
		if _, err := v.file.ReadAt(v.sums, v.table+4*block); err != nil {
			return 0, fmt.Errorf("read checksums: %w", err)
		}
	}
	return binary.BigEndian.Uint32(v.sums[at:]), nil
}

func (v *verified) release() {
	if v.buf != nil {
		v.ready, v.err = nil, errors.New("read of a closed piece")
		if len(*v.buf) == blockSize {
			blocks.Put(v.buf)
		} else {
			windows.Put(v.buf)
		}
		v.buf = nil
	}
}
