package main

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"

	"karri/shared/sign"
)

const (
	kib, mib  = 1 << 10, 1 << 20
	store     = "/bench-store"
	listed    = "/bench-list"
	pageSize  = 1000
	prefixes  = 100
	partBytes = 8 * mib
)

// A row is one kind of operation.
type row struct {
	name string
	size int // of an object; 0: nothing to be put first
	// shot makes the n-th request of a row whose operations are one request.
	shot func(s *side, n int) (*shot, error)
	// act does the n-th operation of any other.
	act func(w *worker, n int) error
	// leaves says that the row makes new objects, at key(n).
	leaves bool
}

func rows(keys int) []*row {
	var list []*row
	for _, size := range []int{4 * kib, 64 * kib, mib, 16 * mib} {
		makePool(size)
	}
	for _, size := range []int{4 * kib, 64 * kib, mib} {
		list = append(list, put("put", size, false), put("sput", size, true), get(size))
	}
	list = append(list, parts(16*mib), get(16*mib))
	return append(list,
		&row{name: "list-walk", act: func(w *worker, _ int) error { return w.walk(keys) }},
		first(keys), same("list-delimiter", "?list-type=2&delimiter=%2F", checkPrefixes))
}

func sizeName(n int) string {
	if n >= mib {
		return fmt.Sprintf("%dm", n/mib)
	}
	return fmt.Sprintf("%dk", n/kib)
}

// A blob is content with its digests.
type blob struct {
	bytes     []byte
	etag, sum string
}

var pools = map[int][]blob{}

// makePool makes the contents of objects of a size, as many as it takes to
// notice that one came for another.
func makePool(size int) {
	random := rand.NewChaCha8([32]byte{1, byte(size >> 10), byte(size >> 20)})
	pools[size] = nil
	for range max(4, min(64, 16*mib/size)) {
		b := make([]byte, size)
		_, _ = random.Read(b) // never fails
		m, s := md5.Sum(b), sha256.Sum256(b)
		pools[size] = append(pools[size], blob{b, hex.EncodeToString(m[:]), hex.EncodeToString(s[:])})
	}
}

func blobOf(size, n int) blob { return pools[size][n%len(pools[size])] }

func (r *row) key(n int) string { return fmt.Sprintf("%s/%s/%08d", store, r.name, n) }

func put(kind string, size int, signed bool) *row {
	r := &row{name: kind + "-" + sizeName(size), leaves: true}
	r.shot = func(s *side, n int) (*shot, error) {
		b, payload := blobOf(size, n), sign.UnsignedPayload
		if signed {
			payload = b.sum
		}
		shot, err := s.ask(http.MethodPut, r.key(n), b.bytes, payload)
		if err == nil {
			shot.etag = b.etag
		}
		return shot, err
	}
	return r
}

// stored is how many objects of a size there are to get.
func stored(size int) int { return max(8, min(2000, 128*mib/size)) }

func get(size int) *row {
	r := &row{name: "get-" + sizeName(size), size: size}
	r.shot = func(s *side, n int) (*shot, error) {
		n = (n * 7919) % stored(size)
		shot, err := s.ask(http.MethodGet, r.key(n), nil, sign.UnsignedPayload)
		if err == nil {
			shot.want = blobOf(size, n).bytes
		}
		return shot, err
	}
	return r
}

// parts uploads an object in parts; that is four requests.
func parts(size int) *row {
	r := &row{name: "mput-" + sizeName(size), leaves: true}
	r.act = func(w *worker, n int) error { return w.upload(r.key(n), blobOf(size, n).bytes) }
	return r
}

// upload puts an object in parts.
func (w *worker) upload(path string, content []byte) error {
	if err := w.call(http.MethodPost, path+"?uploads=", nil, &w.answer); err != nil {
		return err
	}
	id := element(w.answer.Bytes(), "UploadId")
	if id == "" {
		return fmt.Errorf("no upload id in %s", w.answer.Bytes())
	}
	done := "<CompleteMultipartUpload>"
	for n := 1; len(content) > 0; n++ {
		part := content[:min(partBytes, len(content))]
		content = content[len(part):]
		shot, err := w.side.ask(http.MethodPut, fmt.Sprintf("%s?partNumber=%d&uploadId=%s", path, n, id), part, sign.UnsignedPayload)
		if err != nil {
			return err
		}
		res, err := w.conn.fire(shot)
		if err != nil {
			return err
		}
		done += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", n, res.Header.Get("ETag"))
	}
	if err := w.call(http.MethodPost, path+"?uploadId="+id, []byte(done+"</CompleteMultipartUpload>"), &w.answer); err != nil {
		return err
	}
	if element(w.answer.Bytes(), "ETag") == "" {
		return fmt.Errorf("the upload was not completed: %s", w.answer.Bytes())
	}
	return nil
}

// call sends a small request that is signed here and now.
func (w *worker) call(method, path string, body []byte, into *bytes.Buffer) error {
	shot, err := w.side.ask(method, path, body, sign.UnsignedPayload)
	if err != nil {
		return err
	}
	return w.conn.fetch(shot, into)
}

// element returns the text of the first element with a name.
func element(b []byte, name string) string {
	_, rest, ok := bytes.Cut(b, []byte("<"+name+">"))
	text, _, closed := bytes.Cut(rest, []byte("</"+name+">"))
	if !ok || !closed {
		return ""
	}
	return strings.NewReplacer("&#34;", `"`, "&quot;", `"`, "&amp;", "&").Replace(string(text))
}
