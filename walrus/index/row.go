package index

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// The keys of the store, each kind in a range of its own:
//
//	b NAME                              bucket
//	w ACCOUNT 00 NAME                   a bucket by its owner
//	o BUCKET 00 KEY' 00 01 ^SEQ         object
//	d PIECE                             bytes of an inline piece
//	r PIECE HOLDER                      a claim: an object's id, or an upload's id and part
//	u BUCKET 00 KEY' 00 01 UPLOAD       upload
//	p UPLOAD 00 NUMBER                  part
//	x SEQ                               outbox line
//	!id                                 the name of the store
//
// KEY' is the key with 00 written as 00 ff, so that keys sort by their bytes
// whatever they hold and none runs into what follows it.
const (
	bucketSpace = 'b'
	ownerSpace  = 'w'
	objectSpace = 'o'
	inlineSpace = 'd'
	claimSpace  = 'r'
	uploadSpace = 'u'
	partSpace   = 'p'
	lineSpace   = 'x'
)

func escape(key string) []byte {
	return bytes.ReplaceAll([]byte(key), []byte{0}, []byte{0, 0xff})
}

var identityRow = []byte("!id")

var keyEnd = []byte{0, 1}

// unescape splits what follows "BUCKET 00" into the key and the suffix.
func unescape(b []byte) (key string, suffix []byte, err error) {
	i := bytes.Index(b, keyEnd)
	if i < 0 {
		return "", nil, Damaged.Because(fmt.Errorf("row key %x has no end", b))
	}
	return string(bytes.ReplaceAll(b[:i], []byte{0, 0xff}, []byte{0})), b[i+2:], nil
}

// space returns what the keys of a bucket's objects or uploads begin with.
func space(kind byte, bucket string) []byte {
	return append(append([]byte{kind}, bucket...), 0)
}

// row returns what the rows of one key begin with.
func row(kind byte, bucket, key string) []byte {
	return append(append(space(kind, bucket), escape(key)...), keyEnd...)
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

func objectRow(bucket, key string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(row(objectSpace, bucket, key), ^seq)
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

func lineRow(seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{lineSpace}, seq)
}

func claims(piece string) []byte { return append([]byte{claimSpace}, piece...) }

func claim(piece, holder string) []byte { return append(claims(piece), holder...) }

func inlineRow(piece string) []byte { return append([]byte{inlineSpace}, piece...) }

// partHolder is what claims the piece of a part.
func partHolder(upload string, number int) string {
	return fmt.Sprintf("%s/%d", upload, number)
}

// An object row begins with what a listing shows, in binary, so that a listing
// need not read the rest, which is JSON.
const rowFormat = 1

func encodeObject(o *Object) ([]byte, error) {
	rest, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encode row: %w", err)
	}
	b := append(make([]byte, 0, 64+len(rest)), rowFormat)
	b = binary.AppendUvarint(b, uint64(o.Size))
	b = binary.AppendVarint(b, o.Modified.UnixNano())
	b = binary.AppendUvarint(b, uint64(len(o.ETag)))
	return append(append(b, o.ETag...), rest...), nil
}

var errRow = errors.New("row cannot be read")

// decodeEntry reads the beginning of a row and returns the rest.
func decodeEntry(e *Entry, b []byte) (rest []byte, err error) {
	if len(b) == 0 || b[0] != rowFormat {
		return nil, Damaged.Because(errRow)
	}
	b = b[1:]
	size, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, Damaged.Because(errRow)
	}
	b = b[n:]
	modified, n := binary.Varint(b)
	if n <= 0 {
		return nil, Damaged.Because(errRow)
	}
	b = b[n:]
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return nil, Damaged.Because(errRow)
	}
	b = b[n:]
	e.Size, e.Modified, e.ETag = int64(size), time.Unix(0, modified).UTC(), string(b[:length])
	return b[length:], nil
}

func decodeObject(bucket, key string, b []byte) (*Object, error) {
	o := &Object{Bucket: bucket}
	o.Key = key
	rest, err := decodeEntry(&o.Entry, b)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(rest, o); err != nil {
		return nil, Damaged.Because(err)
	}
	return o, nil
}
