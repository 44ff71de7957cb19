package content

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A segment is records one behind the other, each from the beginning of a page,
// so that a hole in place of one gives back all that it took. A record is a
// head, the checksums of the blocks, and the bytes. The head is written last:
// without it there is no record, whatever stands there.
const (
	pageSize    = 4096
	segmentMost = 256 << 20      // no record begins behind this
	packMost    = 1<<20 + 64<<10 // larger pieces have files of their own
	headSize    = 64             // magic, id, time made, zeros, checksum
	headMagic   = "karrisg1"
	placeMark   = "s" // no random id begins with it
)

// A place is where a record is. Written out it is the id of the piece, so that
// a piece is found without asking anybody.
type place struct {
	segment uint64 // 60 bits
	page    uint32
	size    uint32 // of the piece
}

func (p place) String() string {
	return fmt.Sprintf("%s%015x%08x%08x", placeMark, p.segment, p.page, p.size)
}

func parsePlace(id string) (p place, ok bool) {
	if len(id) != 32 || !strings.HasPrefix(id, placeMark) {
		return p, false
	}
	segment, err1 := strconv.ParseUint(id[1:16], 16, 64)
	page, err2 := strconv.ParseUint(id[16:24], 16, 32)
	size, err3 := strconv.ParseUint(id[24:], 16, 32)
	p = place{segment, uint32(page), uint32(size)}
	return p, errors.Join(err1, err2, err3) == nil && size <= packMost && p.String() == id
}

// start is where in the segment the record begins.
func (p place) start() int64 { return int64(p.page) * pageSize }

// table is where its checksums begin, and data its bytes.
func (p place) table() int64 { return p.start() + headSize }
func (p place) data() int64  { return p.table() + 4*blocksOf(int64(p.size)) }

// next is where the next record can begin.
func (p place) next() int64 {
	return (p.data() + int64(p.size) + pageSize - 1) / pageSize * pageSize
}

func head(p place, made time.Time) []byte {
	b := append(make([]byte, 0, headSize), headMagic...)
	b = append(b, p.String()...)
	b = binary.BigEndian.AppendUint64(b, uint64(made.UnixNano()))
	b = b[:headSize-4]
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// readHead returns what head wrote for a record of the segment at offset at;
// nothing is true when no head was ever written there.
func readHead(b []byte, segment uint64, at int64) (p place, made time.Time, nothing bool, err error) {
	if string(b[:len(headMagic)]) == "\x00\x00\x00\x00\x00\x00\x00\x00" {
		return p, made, true, nil
	}
	if !wholeHead(b) {
		return p, made, false, errHead
	}
	p, ok := parsePlace(string(b[8:40]))
	if !ok || p.segment != segment || p.start() != at {
		return p, made, false, errHead
	}
	return p, time.Unix(0, int64(binary.BigEndian.Uint64(b[40:]))), false, nil
}

var errHead = errors.New("the head is damaged")

func wholeHead(b []byte) bool {
	const end = headSize - 4
	return string(b[:len(headMagic)]) == headMagic && binary.BigEndian.Uint32(b[end:]) == crc32.Checksum(b[:end], castagnoli)
}

// walk calls f for each record of a segment, in order. What has no whole head
// is passed over: a hole, a record that is being written, or one torn.
func walk(file *os.File, segment uint64, f func(place, time.Time) error) error {
	var b [headSize]byte
	for at := int64(0); ; {
		n, err := file.ReadAt(b[:], at)
		if err == io.EOF && n < headSize {
			return nil
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("read segment: %w", err)
		}
		if p, made, nothing, err := readHead(b[:], segment, at); err == nil && !nothing {
			if err := f(p, made); err != nil {
				return err
			}
			at = p.next()
			continue
		}
		at, err = unix.Seek(int(file.Fd()), at+pageSize, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read segment: %w", err)
		}
		at -= at % pageSize
	}
}

// punch makes a hole of what stands between two pages. Where the file system
// has no holes, the first page becomes zeros, which ends the record as well.
func punch(file *os.File, from, to int64) error {
	err := unix.Fallocate(int(file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, from, to-from)
	if errors.Is(err, unix.EOPNOTSUPP) {
		_, err = file.WriteAt(make([]byte, pageSize), from)
	}
	return err
}

// empty reports whether a segment has no record. It asks for data first, which
// is quick; what is there may be the rest of one that was never committed.
func empty(file *os.File, segment uint64) (bool, error) {
	_, err := unix.Seek(int(file.Fd()), 0, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	err = walk(file, segment, func(place, time.Time) error { return errFound })
	if errors.Is(err, errFound) {
		return false, nil
	}
	return err == nil, err
}

var errFound = errors.New("found")

func segmentName(segment uint64) string { return fmt.Sprintf("%015x", segment) }

func parseSegment(name string) (uint64, bool) {
	n, err := strconv.ParseUint(name, 16, 60)
	return n, err == nil && segmentName(n) == filepath.Base(name)
}
