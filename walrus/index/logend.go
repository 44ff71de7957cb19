package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The form of the engine's logs: blocks, in which chunks follow each other,
// each with a header of checksum, length, kind and (but for the oldest kinds)
// the low half of the log's own number.
const (
	logBlock   = 32 << 10
	logHeader  = 11 // checksum, length, kind, number
	syncHeader = 19 // the same, and up to where the log was synced before
)

// Kinds of chunks that carry the log's number; from firstSynced on, with the
// longer header.
const (
	firstNumbered, firstSynced, lastKind = 5, 9, 12
)

// endsTruly refuses a log that a flipped bit seems to end. The engine ends a log
// at a chunk that carries the next log's number, and looks at nothing else of
// it; in what it wrote as the end, all else is zero. What is damaged in other
// ways, the engine finds itself.
func endsTruly(disk vfs.FS, dir string) error {
	names, err := disk.List(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list the index: %w", err)
	}
	for _, name := range names {
		digits, isLog := strings.CutSuffix(name, ".log")
		number, err := strconv.ParseUint(digits, 10, 64)
		if !isLog || err != nil {
			continue
		}
		f, err := disk.Open(disk.PathJoin(dir, name), vfs.SequentialReadsOption)
		if err != nil {
			return fmt.Errorf("open the index's log: %w", err)
		}
		if err := errors.Join(logEndsTruly(f, uint32(number)), f.Close()); err != nil {
			return fmt.Errorf("log %s of the index: %w", name, err)
		}
	}
	return nil
}

func logEndsTruly(r io.Reader, number uint32) error {
	block := make([]byte, logBlock)
	for at := 0; ; at++ {
		n, err := io.ReadFull(r, block)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if offset, found := falseEnd(block[:n], number); found {
			return fmt.Errorf("damaged at byte %d", at*logBlock+offset)
		}
	}
}

// falseEnd looks for a chunk of a block that has the number of the next log and
// is not the end that the engine writes.
func falseEnd(block []byte, number uint32) (offset int, found bool) {
	for at := 0; at+logHeader <= len(block); {
		length, kind := int(binary.LittleEndian.Uint16(block[at+4:])), block[at+6]
		if kind < firstNumbered || kind > lastKind {
			return 0, false
		}
		if binary.LittleEndian.Uint32(block[at+7:]) == number+1 {
			return at, length != 0 || binary.LittleEndian.Uint32(block[at:]) != 0
		}
		at += length + logHeader
		if kind >= firstSynced {
			at += syncHeader - logHeader
		}
	}
	return 0, false
}
