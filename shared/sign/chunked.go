package sign

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	maxTrailers = 16
	maxLine     = 4096     // bytes of a chunk header or trailer line
	readAhead   = 32 << 10 // bytes
)

var errLine = errors.New("a line of the framing is too long or does not end in CR LF")

// A chunkSigner knows what each chunk's signature follows from.
type chunkSigner struct {
	key          []byte
	stamp, scope string
	last         string // signature before this one
}

// sign returns the next signature of the chain over rest, which is two hashes
// for a chunk and one for trailers.
func (s *chunkSigner) sign(kind string, rest ...string) string {
	lines := append([]string{"AWS4-HMAC-SHA256-" + kind, s.stamp, s.scope, s.last}, rest...)
	return signString(s.key, strings.Join(lines, "\n"))
}

// accept reports whether signature is the next of the chain, and moves on.
func (s *chunkSigner) accept(signature, kind string, rest ...string) bool {
	want := s.sign(kind, rest...)
	s.last = want
	return hmac.Equal([]byte(want), []byte(signature))
}

// A chunkReader undoes the aws-chunked framing of a body and checks it: each
// chunk's signature before the chunk's last byte is handed out, and the final
// chunk, the length and the trailers before the body's last byte is.
type chunkReader struct {
	br      *bufio.Reader
	d       *Dialect
	signer  *chunkSigner // nil: chunks are not signed
	names   []string     // announced trailers; nil: a form without trailers
	trailer http.Header
	want    int64 // bytes of content still to come
	left    int64 // bytes of this chunk still to come
	claimed string
	h       hash.Hash
	err     error
}

func newChunkReader(r io.Reader, d *Dialect, signer *chunkSigner, length int64, names []string) *chunkReader {
	return &chunkReader{br: bufio.NewReaderSize(r, readAhead), d: d, signer: signer, want: length, names: names, h: sha256.New()}
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.read(p)
	if err != nil && err != io.EOF {
		n, err = 0, c.name(err)
	}
	c.err = err
	return n, err
}

func (c *chunkReader) read(p []byte) (int, error) {
	if c.left == 0 {
		if err := c.begin(); err != nil {
			return 0, err
		}
	}
	n, err := c.br.Read(p[:min(int64(len(p)), c.left)])
	if n == 0 {
		return 0, unexpected(err)
	}
	if c.signer != nil {
		c.h.Write(p[:n])
	}
	c.left -= int64(n)
	c.want -= int64(n)
	if c.left > 0 {
		return n, nil
	}
	if line, err := c.line(); err != nil || line != "" {
		return 0, errors.Join(err, errLine)
	}
	if err := c.checkChunk(); err != nil {
		return 0, err
	}
	if c.want == 0 {
		return n, c.begin()
	}
	return n, nil
}

// begin reads a chunk's header; after the final chunk, which is empty, it
// reads what follows and answers io.EOF.
func (c *chunkReader) begin() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	digits, claim, signed := strings.Cut(line, ";")
	if signed != (c.signer != nil) {
		return c.d.fault(mismatch, "Each chunk must have a chunk-signature if and only if x-amz-content-sha256 says so.")
	}
	if signed {
		var ok bool
		if c.claimed, ok = strings.CutPrefix(claim, "chunk-signature="); !ok || !isHash(c.claimed) {
			return c.d.fault(mismatch, "The chunk-signature is malformed.")
		}
	}
	size, err := strconv.ParseUint(digits, 16, 63)
	if err != nil {
		return c.d.fault(incomplete, "The size of a chunk is not a hexadecimal number.")
	}
	if int64(size) > c.want || size == 0 && c.want > 0 {
		return c.d.fault(incomplete, "The request body does not have the length that x-amz-decoded-content-length announced.")
	}
	c.left = int64(size)
	c.h.Reset()
	if size > 0 {
		return nil
	}
	if err := c.checkChunk(); err != nil {
		return err
	}
	return c.end()
}

func (c *chunkReader) checkChunk() error {
	if c.signer == nil {
		return nil
	}
	if !c.signer.accept(c.claimed, "PAYLOAD", emptyHash, hexSum(c.h)) {
		return c.d.fault(mismatch, "The signature of a chunk does not match.")
	}
	return nil
}

// end reads what follows the final chunk's header: an empty line, or trailers
// and an empty line. Nothing may come after.
func (c *chunkReader) end() error {
	var err error
	if c.names == nil {
		var line string
		if line, err = c.line(); err == nil && line != "" {
			err = errLine
		}
	} else {
		err = c.trailers()
	}
	if err != nil {
		return err
	}
	if _, err := c.br.ReadByte(); err != io.EOF {
		return c.d.fault(incomplete, "Bytes follow the end of the body.").Because(err)
	}
	return io.EOF
}

// trailers reads the announced trailing headers and, when chunks are signed,
// the signature over them. Clients differ in how a header ends: in CR LF, in
// LF, or in LF and CR LF.
func (c *chunkReader) trailers() error {
	bad := func(what string) error { return c.d.fault(badTrailer, "The trailing headers are malformed: %s.", what) }
	found, signature, bare, ended := http.Header{}, "", false, false
	var text strings.Builder
	for {
		line, err := c.looseLine()
		if ended && errors.Is(err, io.ErrUnexpectedEOF) {
			break // what ended the header ended the body
		}
		if err != nil {
			return err
		}
		line, full := strings.CutSuffix(line, "\r")
		if line == "" {
			if bare {
				bare, ended = false, true
				continue
			}
			break
		}
		bare, ended = !full, false
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(name), strings.TrimSpace(value)
		switch {
		case !ok:
			return bad("a line has no colon")
		case name == "x-amz-trailer-signature" && c.signer != nil && signature == "":
			signature = value
		case signature != "" || !slices.Contains(c.names, name) || found.Get(name) != "" || value == "":
			return bad("each header that x-amz-trailer names is to stand there once, the signature last")
		default:
			found.Set(name, value)
			text.WriteString(name + ":" + value + "\n")
		}
	}
	if len(found) != len(c.names) {
		return bad("one that x-amz-trailer names is missing")
	}
	if c.signer != nil && !c.signer.accept(signature, "TRAILER", hashHex([]byte(text.String()))) {
		return c.d.fault(mismatch, "The signature of the trailing headers does not match.")
	}
	c.trailer = found
	return nil
}

// line reads up to CR LF, which it drops, or refuses.
func (c *chunkReader) line() (string, error) {
	line, err := c.looseLine()
	if err != nil {
		return "", err
	}
	line, ok := strings.CutSuffix(line, "\r")
	if !ok {
		return "", errLine
	}
	return line, nil
}

// looseLine reads up to LF, which it drops.
func (c *chunkReader) looseLine() (string, error) {
	b, err := c.br.ReadSlice('\n')
	switch {
	case err == bufio.ErrBufferFull || len(b) > maxLine:
		return "", errLine
	case err != nil:
		return "", unexpected(err)
	}
	return string(b[:len(b)-1]), nil
}

// name turns trouble with the stream or its framing into the dialect's fault.
func (c *chunkReader) name(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errLine) {
		return c.d.fault(incomplete, "The request body is cut short, or its framing as aws-chunked is broken.").Because(err)
	}
	return err
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
