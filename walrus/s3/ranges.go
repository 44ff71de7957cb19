package s3

import (
	"strconv"
	"strings"
)

// parseRange reads a Range header for an object of size bytes. ok is false
// when the header asks for no single range and is to be ignored; an error
// means that the range cannot be had.
func parseRange(header string, size int64) (off, n int64, ok bool, err error) {
	spec, found := strings.CutPrefix(strings.TrimSpace(header), "bytes=")
	if !found || strings.Contains(spec, ",") {
		return 0, 0, false, nil
	}
	first, last, found := strings.Cut(strings.TrimSpace(spec), "-")
	if !found {
		return 0, 0, false, nil
	}
	a, aOK := digits(first)
	b, bOK := digits(last)
	switch {
	case first == "" && bOK: // the last b bytes
		if b == 0 || size == 0 {
			return 0, 0, false, invalidRange
		}
		n = min(b, size)
		return size - n, n, true, nil
	case !aOK || last != "" && (!bOK || b < a):
		return 0, 0, false, nil
	case a >= size:
		return 0, 0, false, invalidRange
	case last == "" || b >= size:
		b = size - 1
	}
	return a, b - a + 1, true, nil
}

// digits reads a number; one that is too large for us is as large as can be.
func digits(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 1<<63 - 1, true
	}
	return n, true
}

// exact reports whether a range that was understood as n bytes from off was
// written with just these ends, as the source of a part must be.
func exact(header string, off, n int64) bool {
	return strings.TrimSpace(header) == "bytes="+strconv.FormatInt(off, 10)+"-"+strconv.FormatInt(off+n-1, 10)
}
