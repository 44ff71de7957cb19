package index

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"karri/walrus/checksum"
)

// The keys of the store, each kind in a range of its own:
//
//	b NAME                              bucket
//	w ACCOUNT 00 NAME                   a bucket by its owner
//	c BUCKET 00 ...                     additions to what the bucket holds
//	o BUCKET 00 KEY' 00 01              current object
//	v BUCKET 00 KEY' 00 01 ^SEQ         older version, or delete marker
//	n BUCKET 00 KEY' 00 01              the number of the older version that is Null
//	d PIECE                             bytes of an inline piece
//	r PIECE HOLDER                      a claim: an object's id, or an upload's id and part
//	u BUCKET 00 KEY' 00 01 UPLOAD       upload
//	p UPLOAD 00 NUMBER                  part
//	x SEQ                               outbox line
//	e QUEUE 00 SEQ                      event
//	s SETTING 00 NAME                   a bucket by a setting that it has
//	a ACCOUNT                           what an account may hold
//	m NAME                              mark
//	!id                                 the name of the store
//	!format                             the form of the rows
//
// KEY' is the key with 00 written as 00 ff, so that keys sort by their bytes
// whatever they hold and none runs into what follows it.
const (
	bucketSpace  = 'b'
	ownerSpace   = 'w'
	countSpace   = 'c'
	objectSpace  = 'o'
	versionSpace = 'v'
	nullSpace    = 'n'
	inlineSpace  = 'd'
	claimSpace   = 'r'
	uploadSpace  = 'u'
	partSpace    = 'p'
	lineSpace    = 'x'
	eventSpace   = 'e'
	settingSpace = 's'
	accountSpace = 'a'
	markSpace    = 'm'
)

var (
	identityRow = []byte("!id")
	formatRow   = []byte("!format")
	keyEnd      = []byte{0, 1}
)

func appendKey(b []byte, key string) []byte {
	for i := range len(key) {
		if b = append(b, key[i]); key[i] == 0 {
			b = append(b, 0xff)
		}
	}
	return b
}

// unescape splits what follows "BUCKET 00" into the key and the suffix.
func unescape(b []byte) (key string, suffix []byte, err error) {
	for i := 0; i+1 < len(b); i++ {
		if b[i] != 0 {
			continue
		}
		if b[i+1] == keyEnd[1] {
			k := b[:i]
			if bytes.IndexByte(k, 0) >= 0 {
				k = bytes.ReplaceAll(k, []byte{0, 0xff}, []byte{0})
			}
			return string(k), b[i+2:], nil
		}
		i++ // a zero of the key
	}
	return "", nil, Damaged.Because(fmt.Errorf("row key %x has no end", b))
}

// space returns what the keys of a bucket's rows of a kind begin with.
func space(kind byte, bucket string) []byte {
	b := make([]byte, 0, len(bucket)+2)
	return append(append(append(b, kind), bucket...), 0)
}

// row returns what the rows of one key begin with.
func row(kind byte, bucket, key string) []byte {
	b := make([]byte, 0, len(bucket)+len(key)+16)
	b = append(append(append(b, kind), bucket...), 0)
	return append(appendKey(b, key), keyEnd...)
}

// after returns the first key that does not begin with b.
func after(b []byte) []byte {
	b = bytes.Clone(b)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return b[:i+1]
		}
	}
	return nil
}

func versionRow(bucket, key string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(row(versionSpace, bucket, key), ^seq)
}

func bucketRow(name string) []byte { return append([]byte{bucketSpace}, name...) }

func ownerRows(account string) []byte {
	return append(append([]byte{ownerSpace}, account...), 0)
}

func uploadRow(bucket, key, id string) []byte {
	return append(row(uploadSpace, bucket, key), id...)
}

func partRows(upload string) []byte {
	return append(append([]byte{partSpace}, upload...), 0)
}

func partRow(upload string, number int) []byte {
	return binary.BigEndian.AppendUint16(partRows(upload), uint16(number))
}

// numberedRow is a row of the outbox.
func numberedRow(kind byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kind}, seq)
}

// eventRow is a row of a queue of the outbox.
func eventRow(queue string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(space(eventSpace, queue), seq)
}

func number(b []byte) (uint64, error) {
	if len(b) != 8 {
		return 0, Damaged.Because(errRow)
	}
	return binary.BigEndian.Uint64(b), nil
}

func claims(piece string) []byte { return append([]byte{claimSpace}, piece...) }

func claim(piece, holder string) []byte { return append(claims(piece), holder...) }

func inlineRow(piece string) []byte { return append([]byte{inlineSpace}, piece...) }

// partHolder is what claims the piece of a part.
func partHolder(upload string, number int) string {
	return fmt.Sprintf("%s/%d", upload, number)
}

// versionID is the name of the version with a number.
func versionID(seq uint64) string {
	var b [16]byte
	const digits = "0123456789abcdef"
	for i := range b {
		b[i] = digits[seq>>(60-4*i)&15]
	}
	return string(b[:])
}

// ValidVersion reports whether a version can have this name.
func ValidVersion(version string) bool {
	_, ok := versionNumber(version)
	return ok || version == Null
}

func versionNumber(version string) (uint64, bool) {
	seq, err := strconv.ParseUint(version, 16, 64)
	return seq, err == nil && versionID(seq) == version
}

// An object row begins with what a listing shows, in binary, so that a listing
// need not read the rest, which is JSON.
const (
	oldFormat = 1 // size, time, ETag; the number stands in the row's key
	rowFormat = 2

	isMarker    = 1 << 0
	isNull      = 1 << 1
	isComposite = 1 << 2
	isReduced   = 1 << 3
)

func encodeObject(o *Object, seq uint64) ([]byte, error) {
	rest, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encode row: %w", err)
	}
	var flags byte
	if o.Marker {
		flags |= isMarker
	}
	if o.Version == Null {
		flags |= isNull
	}
	if o.Checksum.Composite {
		flags |= isComposite
	}
	if o.Reduced {
		flags |= isReduced
	}
	b := append(make([]byte, 0, 96+len(rest)), rowFormat, flags)
	b = binary.BigEndian.AppendUint64(b, seq)
	b = binary.AppendUvarint(b, uint64(o.Size))
	b = binary.AppendVarint(b, o.Modified.UnixNano())
	b = appendString(b, o.ETag)
	b = appendString(b, o.Owner)
	b = appendString(b, string(o.Checksum.Algorithm))
	return append(b, rest...), nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errRow = errors.New("row cannot be read")

// A head reads the beginning of a row. What it read last it need not allocate again.
type head struct {
	b     []byte
	bad   bool
	owner string
	algo  checksum.Algorithm
}

func (h *head) uvarint() uint64 {
	v, n := binary.Uvarint(h.b)
	if n <= 0 {
		h.bad = true
		return 0
	}
	h.b = h.b[n:]
	return v
}

func (h *head) varint() int64 {
	v, n := binary.Varint(h.b)
	if n <= 0 {
		h.bad = true
		return 0
	}
	h.b = h.b[n:]
	return v
}

func (h *head) bytes() []byte {
	n := h.uvarint()
	if n > uint64(len(h.b)) {
		h.bad = true
		return nil
	}
	b := h.b[:n]
	h.b = h.b[n:]
	return b
}

// decode fills e, all but its key and place, and returns the row's number and
// what follows the head.
func (h *head) decode(e *Entry, b []byte) (seq uint64, rest []byte, err error) {
	if len(b) < 10 || b[0] != rowFormat {
		return 0, nil, Damaged.Because(errRow)
	}
	flags := b[1]
	seq = binary.BigEndian.Uint64(b[2:])
	h.b, h.bad = b[10:], false
	e.Size, e.Modified = int64(h.uvarint()), time.Unix(0, h.varint()).UTC()
	e.ETag = string(h.bytes())
	if o := h.bytes(); string(o) != h.owner {
		h.owner = string(o)
	}
	if a := h.bytes(); string(a) != string(h.algo) {
		h.algo = checksum.Algorithm(a)
	}
	if h.bad {
		return 0, nil, Damaged.Because(errRow)
	}
	e.Owner, e.Algorithm = h.owner, h.algo
	e.Marker, e.Composite, e.Reduced = flags&isMarker != 0, flags&isComposite != 0, flags&isReduced != 0
	if e.Version = Null; flags&isNull == 0 {
		e.Version = versionID(seq)
	}
	return seq, h.b, nil
}

// decodeOld reads the form of rows that had no versions.
func decodeOld(bucket, key string, b []byte) (*Object, error) {
	if len(b) == 0 || b[0] != oldFormat {
		return nil, Damaged.Because(errRow)
	}
	h := head{b: b[1:]}
	o := &Object{Bucket: bucket}
	o.Key, o.Version = key, Null
	o.Size, o.Modified = int64(h.uvarint()), time.Unix(0, h.varint()).UTC()
	o.ETag = string(h.bytes())
	if h.bad {
		return nil, Damaged.Because(errRow)
	}
	if err := json.Unmarshal(h.b, o); err != nil {
		return nil, Damaged.Because(err)
	}
	return o, nil
}
