package s3

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"hash"
	"net/http"
	"strings"

	"karri/shared/fault"
	"karri/walrus/checksum"
)

// digests hash a body while it is read, and know what it was said to be.
type digests struct {
	md5     hash.Hash
	wantMD5 []byte
	sums    map[checksum.Algorithm]hash.Hash
	said    checksum.Algorithm // what the client computes; "" when nothing
	value   string             // what it computed; "" when it comes as a trailer
}

// digests reads what the headers say of the body. The algorithms in want are
// computed too.
func (c *call) digests(want ...checksum.Algorithm) (*digests, error) {
	d := newDigests()
	h := c.r.Header
	if values := h.Values("Content-MD5"); len(values) > 0 {
		b, err := base64.StdEncoding.DecodeString(values[0])
		if err != nil || len(b) != md5.Size || len(values) > 1 {
			return nil, invalidDigest
		}
		d.wantMD5 = b
	}
	if err := d.declared(h); err != nil {
		return nil, err
	}
	if d.said != "" {
		want = append(want, d.said)
	}
	d.also(want)
	return d, nil
}

// newDigests hashes bytes that nobody said anything about.
func newDigests(want ...checksum.Algorithm) *digests {
	d := &digests{md5: md5.New(), sums: map[checksum.Algorithm]hash.Hash{}}
	d.also(want)
	return d
}

func (d *digests) also(want []checksum.Algorithm) {
	for _, a := range want {
		if d.sums[a] == nil {
			d.sums[a] = a.New()
		}
	}
}

// declared finds the one checksum that the headers announce.
func (d *digests) declared(h http.Header) error {
	trailers := strings.ToLower(strings.Join(h.Values("X-Amz-Trailer"), ","))
	for _, a := range checksum.All {
		value, inHeader := h.Get(a.Header()), len(h.Values(a.Header())) > 0
		inTrailer := false
		for t := range strings.SplitSeq(trailers, ",") {
			inTrailer = inTrailer || strings.TrimSpace(t) == a.Header()
		}
		switch {
		case !inHeader && !inTrailer:
			continue
		case d.said != "" || inHeader && inTrailer || len(h.Values(a.Header())) > 1:
			return invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		case inHeader && !a.Valid(value):
			return invalidRequest("Value for %s header is invalid.", a.Header())
		}
		d.said, d.value = a, value
	}
	named := h.Get("X-Amz-Sdk-Checksum-Algorithm")
	if named == "" {
		return nil
	}
	a, ok := checksum.Parse(named)
	switch {
	case !ok:
		return badChecksum
	case d.said == "":
		return invalidRequest("x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
	case d.said != a:
		return invalidRequest("Value for x-amz-sdk-checksum-algorithm header is invalid.")
	}
	return nil
}

func (d *digests) Write(p []byte) (int, error) {
	_, _ = d.md5.Write(p) // hashes never fail
	for _, h := range d.sums {
		_, _ = h.Write(p)
	}
	return len(p), nil
}

// sum returns the checksum of what was written.
func (d *digests) sum(a checksum.Algorithm) string { return checksum.Encode(d.sums[a].Sum(nil)) }

// prove compares what was written with what the headers, or the trailer of the
// body that has been read to its end, said.
func (d *digests) prove(body Body) error {
	if d.wantMD5 != nil && !bytes.Equal(d.md5.Sum(nil), d.wantMD5) {
		return fault.New(fault.Invalid, "BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	if d.said == "" {
		return nil
	}
	value := d.value
	if value == "" {
		value = body.Trailer().Get(d.said.Header())
		if !d.said.Valid(value) {
			return invalidRequest("Value for %s trailing header is invalid.", d.said.Header())
		}
	}
	if value != d.sum(d.said) {
		return fault.New(fault.Invalid, "BadDigest", "The %s you specified did not match the calculated checksum.", d.said)
	}
	return nil
}

// proven reports whether the client sent any digest of the body.
func (d *digests) proven() bool { return d.wantMD5 != nil || d.said != "" }
