package sign

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"karri/shared/fault"
)

// framed returns an upload in chunks, signed by a client of our own making.
func framed(t testing.TB, payload string, chunks ...string) string {
	t.Helper()
	content := strings.Join(chunks, "")
	headers := []string{"X-Amz-Decoded-Content-Length", fmt.Sprint(len(content)), "Content-Encoding", "aws-chunked"}
	trailer := strings.HasSuffix(payload, "TRAILER")
	if trailer {
		headers = append(headers, "X-Amz-Trailer", "x-amz-checksum-crc32")
	}
	r := request(t, "PUT", "http://bucket.example/key", "", headers...)
	if err := Request(r, user, s3Scope, payload); err != nil {
		t.Fatal(err)
	}
	s := &chunkSigner{key: DeriveKey(user.Secret, "20260830", "us-east-1", "s3"), stamp: "20260830T120000Z",
		scope: "20260830/us-east-1/s3/aws4_request", last: signatureOf(raw(t, r))}
	var b strings.Builder
	for _, c := range append(chunks, "") {
		fmt.Fprintf(&b, "%x", len(c))
		if payload != StreamingUnsignedTrailer {
			s.last = s.sign("PAYLOAD", emptyHash, hashHex([]byte(c)))
			b.WriteString(";chunk-signature=" + s.last)
		}
		b.WriteString("\r\n" + c)
		if c != "" {
			b.WriteString("\r\n")
		}
	}
	if trailer {
		b.WriteString("x-amz-checksum-crc32:AAAAAA==\r\n")
		if payload != StreamingUnsignedTrailer {
			b.WriteString("x-amz-trailer-signature:" + s.sign("TRAILER", hashHex([]byte("x-amz-checksum-crc32:AAAAAA==\n"))) + "\r\n")
		}
	}
	b.WriteString("\r\n")
	body := b.String()
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	return raw(t, r)
}

// relength makes the Content-Length of raw true again, so that an attack on
// the framing is not refused for its length.
func relength(raw string) string {
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	before, after, _ := strings.Cut(head, "Content-Length: ")
	_, after, _ = strings.Cut(after, "\r\n")
	return fmt.Sprintf("%sContent-Length: %d\r\n%s\r\n\r\n%s", before, len(body), after, body)
}

func runFramed(t *testing.T, v *Verifier, honest string, attacks []attack) {
	t.Helper()
	to := serve(t, v)
	run(t, to, relength(honest), nil)
	for _, a := range attacks {
		if !strings.Contains(honest, a.old) {
			t.Fatalf("%s: %q is not there", a.name, a.old)
		}
		i := strings.LastIndex(honest, a.old)
		status, text := send(t, to, relength(honest[:i]+a.new+honest[i+len(a.old):]))
		if status == 200 || !strings.HasPrefix(text, a.code) {
			t.Errorf("%s: got %d %s, want %s", a.name, status, text, a.code)
		}
	}
}

func TestAttacksOnSignedChunks(t *testing.T) {
	honest := framed(t, StreamingPayload, "first chunk", "second one")
	_, body, _ := strings.Cut(honest, "\r\n\r\n")
	sigs := strings.Split(body, "chunk-signature=")
	one, two, final := sigs[1][:64], sigs[2][:64], sigs[3][:64]
	last := "0;chunk-signature=" + final + "\r\n"
	runFramed(t, atNoon(), honest, []attack{
		{"content changed", "first chunk", "First chunk", "SignatureDoesNotMatch"},
		{"content of the last chunk changed", "second one", "second two", "SignatureDoesNotMatch"},
		{"chunks swapped", "b;chunk-signature=" + one, "b;chunk-signature=" + two, "SignatureDoesNotMatch"},
		{"signature zero", two, strings.Repeat("0", 64), "SignatureDoesNotMatch"},
		{"signature altered", two, flip(two), "SignatureDoesNotMatch"},
		{"signature of the final chunk altered", final, flip(final), "SignatureDoesNotMatch"},
		{"signature absent", ";chunk-signature=" + two, "", "SignatureDoesNotMatch"},
		{"signature empty", two, "", "SignatureDoesNotMatch"},
		{"final chunk missing", last + "\r\n", "", "IncompleteBody"},
		{"second and final chunk missing", "a;chunk-signature=" + two + "\r\nsecond one\r\n" + last, "", "SignatureDoesNotMatch"},
		{"second chunk missing", "a;chunk-signature=" + two + "\r\nsecond one\r\n", "", "IncompleteBody"},
		{"end missing", last + "\r\n", last, "IncompleteBody"},
		{"bytes after the end", last + "\r\n", last + "\r\nmore", "IncompleteBody"},
		{"size too large", "a;chunk", "b;chunk", "IncompleteBody"},
		{"size too small", "a;chunk", "9;chunk", "IncompleteBody"},
		{"size overflows", "a;chunk", "ffffffffffffffff;chunk", "IncompleteBody"},
		{"size negative", "a;chunk", "-a;chunk", "IncompleteBody"},
		{"decoded length wrong", "X-Amz-Decoded-Content-Length: 21", "X-Amz-Decoded-Content-Length: 11", "SignatureDoesNotMatch"},
		{"trailer unasked", last, last + "x-amz-checksum-crc32:AAAAAA==\r\n", "IncompleteBody"},
		{"bare line feeds", two + "\r\n", two + "\n", "IncompleteBody"},
	})
}

// Clients end the trailing header that the signature follows in several ways.
func TestTrailersEndAsClientsWriteThem(t *testing.T) {
	honest := framed(t, StreamingPayloadTrailer, "some content")
	for _, end := range []string{"\n", "\n\r\n"} {
		runFramed(t, atNoon(), strings.Replace(honest, "==\r\nx-amz-trailer", "=="+end+"x-amz-trailer", 1), []attack{
			{"value changed", "AAAAAA==", "BAAAAA==", "SignatureDoesNotMatch"},
			{"two empty lines", "==" + end, "==\r\n\r\n\r\n", "SignatureDoesNotMatch"},
		})
	}
	unsigned := framed(t, StreamingUnsignedTrailer, "some content")
	for _, end := range []string{"\n\r\n", "\n\r\n\r\n"} {
		runFramed(t, atNoon(), strings.Replace(unsigned, "AAAAAA==\r\n\r\n", "AAAAAA=="+end, 1), []attack{
			{"another empty line", end, end + "\r\n\r\n", "IncompleteBody"},
			{"bytes after the end", end, end + "\r\nmore", "IncompleteBody"},
		})
	}
}

func TestAttacksOnTrailers(t *testing.T) {
	honest := framed(t, StreamingPayloadTrailer, "some content")
	_, sig, _ := strings.Cut(honest, "x-amz-trailer-signature:")
	const line = "x-amz-checksum-crc32:AAAAAA==\r\n"
	runFramed(t, atNoon(), honest, []attack{
		{"value changed", "AAAAAA==", "BAAAAA==", "SignatureDoesNotMatch"},
		{"signature changed", sig[:64], flip(sig[:64]), "SignatureDoesNotMatch"},
		{"signature missing", "x-amz-trailer-signature:" + sig[:64] + "\r\n", "", "SignatureDoesNotMatch"},
		{"trailer missing", line, "", "MalformedTrailerError"},
		{"trailer doubled", line, line + line, "MalformedTrailerError"},
		{"another trailer", line, line + "x-amz-meta-a:b\r\n", "MalformedTrailerError"},
		{"no colon", line, "x\r\n", "MalformedTrailerError"},
	})
	runFramed(t, atNoon(), framed(t, StreamingUnsignedTrailer, "some", "content"), []attack{
		{"unsigned: trailer missing", line, "", "MalformedTrailerError"},
		{"unsigned: final chunk missing", "0\r\n" + line + "\r\n", "", "IncompleteBody"},
		{"unsigned: longer", "4\r\nsome", "5\r\nsomer", "IncompleteBody"},
		{"unsigned: endless line", line, "x-amz-checksum-crc32:" + strings.Repeat("A", 100_000) + "\r\n", "IncompleteBody"},
	})
}

// A caller that reads just the announced length must not get it either.
func TestTheLastByteOfARefusedBodyIsNotHandedOut(t *testing.T) {
	for name, raw := range map[string]string{
		"hash":         strings.Replace(signed(t, s3Scope, "PUT", "http://b.example/k", "the content"), "the content", "The content", 1),
		"chunk":        strings.Replace(framed(t, StreamingPayload, "the content"), "the content", "The content", 1),
		"final chunk":  strings.Replace(framed(t, StreamingPayload, "the content"), "0;chunk-signature=", "0;chunk-signaturE=", 1),
		"after chunks": relength(framed(t, StreamingUnsignedTrailer, "the content") + "x"),
	} {
		head, rest, _ := strings.Cut(raw, "\r\n\r\n")
		_, body, err := atNoon().Verify(read(t, strings.ReplaceAll(head, "\r", ""), rest))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n, err := io.ReadFull(body, make([]byte, len("the content"))); err == nil {
			t.Errorf("%s: %d bytes without an error", name, n)
		}
		if body.Trailer() != nil {
			t.Errorf("%s: trailers of a refused body", name)
		}
	}
}

func TestAnonymousIsReportedByS3AndRefusedByTheOthers(t *testing.T) {
	who, _, content := mustVerify(t, atNoon(), read(t, "PUT /key?acl HTTP/1.1\nHost: b.example\nContent-Length: 3", "abc"))
	if !who.Anonymous || who.Account != "" || content != "abc" {
		t.Errorf("got %+v %q", who, content)
	}
	for d, want := range map[*Dialect]string{EC2: "MissingAuthenticationToken", Query: "MissingAuthenticationToken"} {
		v := atNoon()
		v.Dialect = d
		if _, _, err := v.Verify(read(t, "GET /?Action=DescribeInstances HTTP/1.1\nHost: b.example", "")); fault.CodeOf(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, mode := range []string{StreamingPayload, StreamingPayloadTrailer, "streaming"} {
		_, _, err := atNoon().Verify(read(t, "PUT /key HTTP/1.1\nHost: b.example\nContent-Length: 3\nX-Amz-Content-Sha256: "+mode, "abc"))
		if fault.CodeOf(err) != "InvalidArgument" {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

func TestASuspendedKeyAndABrokenKeeper(t *testing.T) {
	r := request(t, "GET", "http://b.example/k", "")
	if err := Request(r, Credentials{AccessKey: "SUSPENDED", Secret: "suspended"}, s3Scope, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := atNoon().Verify(r); fault.CodeOf(err) != "InvalidAccessKeyId" {
		t.Errorf("suspended: %v", err)
	}
	v := atNoon()
	v.Keys = Secrets(func(context.Context, string, string) (Key, string, error) {
		return Key{}, "", fault.New(fault.Later, "ServiceUnavailable", "Try again.")
	})
	if _, _, err := v.Verify(r); fault.KindOf(err) != fault.Later {
		t.Errorf("keys away: %v", err)
	}
}

// A chunkReader over any bytes neither panics nor hands out more than was
// announced, and says io.EOF only for a whole body.
func FuzzChunks(f *testing.F) {
	for _, mode := range []string{StreamingPayload, StreamingPayloadTrailer, StreamingUnsignedTrailer} {
		_, body, _ := strings.Cut(framed(f, mode, "some", "content"), "\r\n\r\n")
		f.Add([]byte(body), uint16(11), mode == StreamingPayload, mode == StreamingUnsignedTrailer)
	}
	f.Fuzz(func(t *testing.T, b []byte, length uint16, plain, unsigned bool) {
		var signer *chunkSigner
		var names []string
		if !unsigned {
			signer = &chunkSigner{key: []byte("k")}
		}
		if !plain {
			names = []string{"x-amz-checksum-crc32"}
		}
		var got bytes.Buffer
		c := newChunkReader(bytes.NewReader(b), S3, signer, int64(length), names)
		_, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{c}, make([]byte, 7))
		if got.Len() > int(length) || err == nil && got.Len() != int(length) || got.Len() > 0 && got.Len() == int(length) && err != nil {
			t.Errorf("%d of %d bytes, %v", got.Len(), length, err)
		}
	})
}

// Memory of a body does not grow with it.
func TestAnEndlessBodyCostsBoundedMemory(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("7fffffffffffffff\r\n"), endlessly{})
	c := newChunkReader(endless, S3, nil, 1<<62, nil)
	c.want = 1<<63 - 1
	if n := testing.AllocsPerRun(100, func() { c.Read(make([]byte, 1<<16)) }); n > 2 {
		t.Errorf("%v allocations for each read", n)
	}
	w := &wholeReader{r: endlessly{}, d: S3, left: -1, want: emptyHash, h: sha256.New()}
	if n, err := io.CopyN(io.Discard, w, 1<<24); n != 1<<24 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

type endlessly struct{}

func (endlessly) Read(p []byte) (int, error) { return len(p), nil }

func BenchmarkVerify(b *testing.B) {
	v := atNoon()
	key := DeriveKey(user.Secret, "20260830", "us-east-1", "s3")
	v.Keys = derived{key}
	r := request(b, "GET", "http://bucket.example/a/long/key?list-type=2&prefix=x", "")
	if err := Request(r, user, s3Scope, ""); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Body = http.NoBody
		if _, _, err := v.Verify(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChunks(b *testing.B) {
	_, body, _ := strings.Cut(framed(b, StreamingUnsignedTrailer, strings.Repeat("x", 1<<20)), "\r\n\r\n")
	b.SetBytes(1 << 20)
	for b.Loop() {
		c := newChunkReader(strings.NewReader(body), S3, nil, 1<<20, []string{"x-amz-checksum-crc32"})
		if _, err := io.Copy(io.Discard, c); err != nil {
			b.Fatal(err)
		}
	}
}

// derived holds one derived key, as walrus's cache does.
type derived struct{ key []byte }

func (d derived) SigningKey(context.Context, string, string, string, string, string) (Key, error) {
	return Key{State: Active, Signing: d.key}, nil
}

func (d derived) CheckV2(context.Context, string, string, string, string, string) (Key, error) {
	return Key{}, fault.New(fault.Denied, "SignatureDoesNotMatch", "No.")
}
