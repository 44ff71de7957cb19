package sign

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The ways in which S3 clients prove a body, as x-amz-content-sha256 names
// them beside the hash itself.
const (
	UnsignedPayload          = "UNSIGNED-PAYLOAD"
	StreamingPayload         = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	StreamingPayloadTrailer  = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	StreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	oneMiB    = 1 << 20
)

// A Body is the body of a verified request: without framing, and checked as
// it is read. It never hands out the last byte of a body that it refuses.
type Body struct {
	// Length is that of the content, without framing; -1 when not announced.
	Length int64
	// Framed says that the request was sent as aws-chunked.
	Framed bool

	r      io.Reader
	c      io.Closer
	whole  []byte // query dialects
	form   pairs  // query dialects
	chunks *chunkReader
}

func (b *Body) Read(p []byte) (int, error) { return b.r.Read(p) }

// Close closes the body of the request as net/http gave it.
func (b *Body) Close() error { return b.c.Close() }

// Trailer returns the trailing headers of an aws-chunked body; nil until Read
// has answered io.EOF.
func (b *Body) Trailer() http.Header {
	if b.chunks == nil || b.chunks.err != io.EOF {
		return nil
	}
	return b.chunks.trailer
}

// open wraps the body of r. Query dialects read it whole, since its hash is
// part of what is signed; the bytes stand for r's body from then on.
func (v *Verifier) open(r *http.Request) (*Body, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	b := &Body{Length: r.ContentLength, r: r.Body, c: r.Body}
	if v.Dialect.objects {
		return b, nil
	}
	limit := v.MaxBody
	if limit == 0 {
		limit = oneMiB
	}
	whole, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, v.Dialect.fault(incomplete, "The request body ended early.").Because(err)
	}
	if int64(len(whole)) > limit {
		return nil, v.Dialect.fault(tooLarge, "The request body is larger than %d bytes.", limit)
	}
	b.whole, b.r, b.Length = whole, bytes.NewReader(whole), int64(len(whole))
	return b, nil
}

// payloadHash returns what stands for the body in the canonical request.
func (v *Verifier) payloadHash(r *http.Request, query pairs, body *Body, presigned bool) (string, error) {
	d, said := v.Dialect, r.Header.Values(hashHeader)
	if presigned {
		for _, p := range query {
			if p.name == hashHeader {
				said = append(slices.Clip(said), p.value)
			}
		}
	}
	for _, s := range said {
		if s != said[0] {
			return "", d.fault(badHash, "x-amz-content-sha256 is given twice.")
		}
	}
	switch {
	case !d.objects:
		actual := hashHex(body.whole)
		if len(said) > 0 && said[0] != actual {
			return "", d.fault(hashMismatch, "The provided 'x-amz-content-sha256' header does not match what was computed.")
		}
		return actual, nil
	case len(said) == 0 && presigned:
		return UnsignedPayload, nil
	case len(said) == 0:
		return "", d.fault(noHash, "Missing required header for this request: x-amz-content-sha256")
	case presigned && strings.HasPrefix(said[0], StreamingPayload):
		return "", d.fault(badHash, "A presigned request cannot carry chunk signatures.")
	}
	return said[0], nil
}

// prove makes the body check itself in the way that x-amz-content-sha256
// says. Without a signer (SigV2, anonymous) there are no chunk signatures.
func (v *Verifier) prove(r *http.Request, body *Body, said string, signer *chunkSigner) error {
	d := v.Dialect
	if !d.objects {
		return nil
	}
	if len(r.Header.Values(hashHeader)) > 1 {
		return d.fault(badHash, "x-amz-content-sha256 is given twice.")
	}
	switch {
	case said == "" || said == UnsignedPayload:
		body.r = &wholeReader{r: body.r, d: d, left: body.Length}
	case isHash(said):
		if body.Length == 0 && said != emptyHash {
			return d.fault(hashMismatch, "The provided 'x-amz-content-sha256' header does not match what was computed.")
		}
		body.r = &wholeReader{r: body.r, d: d, left: body.Length, want: said, h: sha256.New()}
	case said == StreamingUnsignedTrailer:
		return v.unframe(r, body, nil, true)
	case (said == StreamingPayload || said == StreamingPayloadTrailer) && signer != nil:
		return v.unframe(r, body, signer, said == StreamingPayloadTrailer)
	case strings.HasPrefix(said, "STREAMING-AWS4-ECDSA-"):
		return d.fault(notDone, "Signatures of version 4A are not supported.")
	default:
		return d.fault(badHash, "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING form that fits the signature, or a valid sha256 value.")
	}
	return nil
}

// unframe puts a chunkReader before the body.
func (v *Verifier) unframe(r *http.Request, body *Body, signer *chunkSigner, trailer bool) error {
	said := r.Header.Values("X-Amz-Decoded-Content-Length")
	if len(said) == 0 {
		return v.Dialect.fault(noLength, "You must provide the x-amz-decoded-content-length HTTP header.")
	}
	length, err := strconv.ParseUint(said[0], 10, 63)
	if err != nil || len(said) > 1 {
		return v.Dialect.fault(badHash, "x-amz-decoded-content-length must be one number.")
	}
	var names []string
	if trailer {
		for name := range strings.SplitSeq(strings.Join(r.Header.Values("X-Amz-Trailer"), ","), ",") {
			name = strings.ToLower(strings.TrimSpace(name))
			if name == "" || len(names) == maxTrailers || slices.Contains(names, name) || strings.ContainsFunc(name, notToken) {
				return v.Dialect.fault(badTrailer, "x-amz-trailer must name the trailing headers, each once.")
			}
			names = append(names, name)
		}
	}
	body.Length, body.Framed = int64(length), true
	body.chunks = newChunkReader(body.r, v.Dialect, signer, int64(length), names)
	body.r = body.chunks
	return nil
}

// A wholeReader hands on a body and, with a hash to compare, withholds the
// end of one that does not match.
type wholeReader struct {
	r    io.Reader
	d    *Dialect
	left int64 // announced bytes still to come; negative: not announced
	want string
	h    hash.Hash
	err  error
}

func (w *wholeReader) Read(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := w.r.Read(p)
	if w.h != nil {
		w.h.Write(p[:n])
	}
	announced := w.left >= 0
	w.left -= int64(n)
	atEnd := announced && w.left == 0 && n > 0
	switch {
	case announced && w.left < 0, announced && err == io.EOF && w.left > 0, errors.Is(err, io.ErrUnexpectedEOF):
		n, err = 0, w.d.fault(incomplete, "You did not provide the number of bytes specified by the Content-Length HTTP header.")
	case (err == io.EOF || atEnd && err == nil) && w.h != nil && hexSum(w.h) != w.want:
		n, err = 0, w.d.fault(hashMismatch, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	w.err = err
	return n, err
}
