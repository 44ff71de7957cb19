// Package checksum computes the checksums that S3 knows, and joins the CRCs of
// parts into the CRC of the whole without reading the bytes again.
package checksum

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"strings"

	"github.com/minio/crc64nvme"
)

// An Algorithm is one of S3's, by its name there.
type Algorithm string

const (
	CRC32     Algorithm = "CRC32"
	CRC32C    Algorithm = "CRC32C"
	CRC64NVME Algorithm = "CRC64NVME"
	SHA1      Algorithm = "SHA1"
	SHA256    Algorithm = "SHA256"
)

// All lists every Algorithm.
var All = []Algorithm{CRC32, CRC32C, CRC64NVME, SHA1, SHA256}

// Parse finds the algorithm with a name of any case; ok is false when there is none.
func Parse(name string) (a Algorithm, ok bool) {
	for _, a := range All {
		if strings.EqualFold(name, string(a)) {
			return a, true
		}
	}
	return "", false
}

// Header returns the name of the header that carries the checksum.
func (a Algorithm) Header() string { return "x-amz-checksum-" + strings.ToLower(string(a)) }

// Element returns the name of the XML element that carries the checksum.
func (a Algorithm) Element() string { return "Checksum" + string(a) }

// CRC reports whether checksums of parts can be joined by Combine.
func (a Algorithm) CRC() bool { return a == CRC32 || a == CRC32C || a == CRC64NVME }

// New returns a fresh hash; it panics for what is not one of All.
func (a Algorithm) New() hash.Hash {
	switch a {
	case CRC32:
		return crc32.NewIEEE()
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case CRC64NVME:
		return crc64nvme.New()
	case SHA1:
		return sha1.New()
	case SHA256:
		return sha256.New()
	}
	panic("checksum: no algorithm " + string(a))
}

// Valid reports whether value has the form of a checksum by a.
func (a Algorithm) Valid(value string) bool {
	b, err := base64.StdEncoding.DecodeString(value)
	return err == nil && len(b) == a.New().Size()
}

// Encode returns the form of a sum that S3 writes.
func Encode(sum []byte) string { return base64.StdEncoding.EncodeToString(sum) }

// Composite is the checksum of parts' checksums, as S3 writes it but for the
// number of parts at the end.
func (a Algorithm) Composite(parts []string) (string, bool) {
	h := a.New()
	for _, p := range parts {
		b, err := base64.StdEncoding.DecodeString(p)
		if err != nil || len(b) != h.Size() {
			return "", false
		}
		_, _ = h.Write(b)
	}
	return Encode(h.Sum(nil)), true
}

// Combine returns the checksum of two pieces one after the other, of which the
// second has n bytes. Only for an algorithm that is a CRC.
func (a Algorithm) Combine(first, second string, n int64) (string, bool) {
	x, ok1 := a.number(first)
	y, ok2 := a.number(second)
	if !ok1 || !ok2 || n < 0 {
		return "", false
	}
	var sum [8]byte
	if a == CRC64NVME {
		binary.BigEndian.PutUint64(sum[:], shift(x, 0x9a6c9329ac4bc9b5, 64, n)^y)
		return Encode(sum[:]), true
	}
	poly := uint64(crc32.IEEE)
	if a == CRC32C {
		poly = crc32.Castagnoli
	}
	binary.BigEndian.PutUint32(sum[:], uint32(shift(x, poly, 32, n)^y))
	return Encode(sum[:4]), true
}

func (a Algorithm) number(value string) (uint64, bool) {
	b, err := base64.StdEncoding.DecodeString(value)
	switch {
	case err != nil || !a.CRC():
		return 0, false
	case a == CRC64NVME && len(b) == 8:
		return binary.BigEndian.Uint64(b), true
	case a != CRC64NVME && len(b) == 4:
		return uint64(binary.BigEndian.Uint32(b)), true
	}
	return 0, false
}

// shift moves a CRC over n zero bytes: it multiplies by x^(8n) modulo the
// polynomial, by squaring the operator that appends one zero bit.
func shift(crc, poly uint64, bits int, n int64) uint64 {
	op := make([]uint64, bits) // op[i] is what bit i becomes
	op[0] = poly
	for i := 1; i < bits; i++ {
		op[i] = 1 << (i - 1)
	}
	for range 3 {
		op = square(op) // from one bit to a byte
	}
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			crc = times(op, crc)
		}
		op = square(op)
	}
	return crc
}

func times(op []uint64, v uint64) uint64 {
	var sum uint64
	for i := 0; v != 0; i, v = i+1, v>>1 {
		if v&1 == 1 {
			sum ^= op[i]
		}
	}
	return sum
}

func square(op []uint64) []uint64 {
	out := make([]uint64, len(op))
	for i := range op {
		out[i] = times(op, op[i])
	}
	return out
}
