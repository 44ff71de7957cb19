package audit

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A segment is a file of a log.
type segment struct {
	path  string
	first uint64 // number of its first line
	size  int64
}

// segments lists those of a log in order.
func segments(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []segment
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".log")
		first, err := strconv.ParseUint(name, 10, 64)
		if !ok || err != nil {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		all = append(all, segment{filepath.Join(dir, e.Name()), first, info.Size()})
	}
	slices.SortFunc(all, func(a, b segment) int { return cmp.Compare(a.first, b.first) })
	return all, nil
}

// lastLine returns the last whole line of a file and where it ends; nil when
// there is none.
func lastLine(f *os.File, size int64) (end int64, line []byte, err error) {
	for n := int64(64 << 10); ; n *= 4 {
		from := max(0, size-n)
		b := make([]byte, size-from)
		if _, err := f.ReadAt(b, from); err != nil {
			return 0, nil, err
		}
		last := bytes.LastIndexByte(b, '\n')
		if last < 0 && from == 0 {
			return 0, nil, nil
		}
		if start := bytes.LastIndexByte(b[:max(last, 0)], '\n'); last >= 0 && (start >= 0 || from == 0) {
			return from + int64(last) + 1, bytes.Clone(b[start+1 : last]), nil
		}
	}
}
