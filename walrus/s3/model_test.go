package s3_test

import (
	"bytes"
	"crypto/md5"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"karri/walrus/content"
	"karri/walrus/content/contenttest"
	"karri/walrus/index"
	"karri/walrus/mill"
	"karri/walrus/s3"
)

// trusting believes the account that a request names.
type trusting struct{}

type plainBody struct {
	io.Reader
	size int64
}

func (b plainBody) Size() int64          { return b.size }
func (b plainBody) Trailer() http.Header { return nil }

func (trusting) Authenticate(r *http.Request) (s3.Caller, s3.Body, error) {
	return s3.Caller{Account: r.Header.Get("Test-Account")}, plainBody{r.Body, r.ContentLength}, nil
}

// A world is the API over engines in memory.
type world struct {
	api    *s3.API
	pieces *contenttest.Memory
	index  *index.Store
	mill   *mill.Mill
	ahead  time.Duration // of the real clock
}

func newWorld(t testing.TB) *world {
	x, err := index.OpenInMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	w := &world{pieces: contenttest.NewMemory(), index: x}
	holds := &content.Holds{}
	w.mill = &mill.Mill{Index: x, Content: w.pieces, Holds: holds}
	w.api = s3.New(s3.Config{Region: "us-east-1", Auth: trusting{}, Buckets: x, Objects: x, Uploads: x, Content: w.pieces, Holds: holds, InlineMax: 64,
		Now: func() time.Time { return time.Now().Add(w.ahead) }})
	return w
}

func (w *world) do(method, target string, body []byte, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	r.Header.Set("Test-Account", "111111111111")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	return rec
}

// A model is what walrus should be: a map.
type model struct {
	*world
	objects map[string]thing
	uploads map[string]*uploading
	serial  int
}

type thing struct {
	data []byte
	etag string
	meta string
}

type uploading struct {
	key   string
	parts map[int][]byte
}

var words = rapid.StringMatching(`[ab/%.+ü-]{1,6}`)

func path(key string) string { return "/pond/" + strings.ReplaceAll(url.PathEscape(key), "+", "%2B") }

func etagOf(data []byte) string { return fmt.Sprintf("%x", md5.Sum(data)) }

// data draws bytes, sometimes too many to travel in the index.
func (m *model) data(t *rapid.T) []byte {
	m.serial++
	return bytes.Repeat([]byte(fmt.Sprintf("%d.", m.serial)), rapid.SampledFrom([]int{0, 1, 10, 200}).Draw(t, "size"))
}

func (m *model) expect(t *rapid.T, rec *httptest.ResponseRecorder, status int) {
	if rec.Code != status {
		t.Fatalf("got %d, want %d: %s", rec.Code, status, rec.Body)
	}
}

func (m *model) someKey(t *rapid.T) string {
	if keys := slices.Sorted(maps.Keys(m.objects)); len(keys) > 0 && rapid.Bool().Draw(t, "known") {
		return rapid.SampledFrom(keys).Draw(t, "key")
	}
	return words.Draw(t, "key")
}

func (m *model) Put(t *rapid.T) {
	key, data := m.someKey(t), m.data(t)
	var headers []string
	status := 200
	if rapid.Bool().Draw(t, "only if new") {
		headers = append(headers, "If-None-Match: *")
		if _, ok := m.objects[key]; ok {
			status = 412
		}
	}
	meta := fmt.Sprint(m.serial)
	m.expect(t, m.do("PUT", path(key), data, append(headers, "x-amz-meta-m: "+meta)...), status)
	if status == 200 {
		m.objects[key] = thing{data, etagOf(data), meta}
	}
}

// PutWrong sends a body that is not what its digest says.
func (m *model) PutWrong(t *rapid.T) {
	m.expect(t, m.do("PUT", path(m.someKey(t)), append(m.data(t), 'x'), "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg=="), 400)
}

func (m *model) Get(t *rapid.T) {
	key := m.someKey(t)
	want, ok := m.objects[key]
	if !ok {
		m.expect(t, m.do("GET", path(key), nil), 404)
		return
	}
	rec := m.do("GET", path(key), nil)
	m.expect(t, rec, 200)
	if !bytes.Equal(rec.Body.Bytes(), want.data) || rec.Header().Get("ETag") != `"`+want.etag+`"` || strings.Join(rec.Header()["x-amz-meta-m"], "") != want.meta {
		t.Fatalf("%q: %d bytes, %v", key, rec.Body.Len(), rec.Header())
	}
	if n := len(want.data); n > 0 {
		a := rapid.IntRange(0, n-1).Draw(t, "first")
		b := rapid.IntRange(a, n+10).Draw(t, "last")
		rec := m.do("GET", path(key), nil, fmt.Sprintf("Range: bytes=%d-%d", a, b))
		m.expect(t, rec, 206)
		if !bytes.Equal(rec.Body.Bytes(), want.data[a:min(b+1, n)]) {
			t.Fatalf("%q: range %d-%d has %d bytes", key, a, b, rec.Body.Len())
		}
	}
}

func (m *model) Delete(t *rapid.T) {
	key := m.someKey(t)
	m.expect(t, m.do("DELETE", path(key), nil), 204)
	delete(m.objects, key)
}

func (m *model) Copy(t *rapid.T) {
	from, to := m.someKey(t), m.someKey(t)
	o, ok := m.objects[from]
	status := 200
	switch {
	case !ok:
		status = 404
	case from == to:
		status = 400
	default:
		m.objects[to] = o
	}
	m.expect(t, m.do("PUT", path(to), nil, "x-amz-copy-source: "+path(from)), status)
}

func (m *model) Begin(t *rapid.T) {
	key := m.someKey(t)
	rec := m.do("POST", path(key)+"?uploads", nil)
	m.expect(t, rec, 200)
	var x struct{ UploadId string }
	if err := xml.Unmarshal(rec.Body.Bytes(), &x); err != nil {
		t.Fatal(err)
	}
	m.uploads[x.UploadId] = &uploading{key, map[int][]byte{}}
}

func (m *model) upload(t *rapid.T) (string, *uploading) {
	ids := slices.Sorted(maps.Keys(m.uploads))
	if len(ids) == 0 {
		t.Skip("no upload is open")
	}
	id := rapid.SampledFrom(ids).Draw(t, "upload")
	return id, m.uploads[id]
}

func (m *model) Part(t *rapid.T) {
	id, u := m.upload(t)
	n, data := rapid.IntRange(1, 4).Draw(t, "number"), m.data(t)
	m.expect(t, m.do("PUT", fmt.Sprintf("%s?uploadId=%s&partNumber=%d", path(u.key), id, n), data), 200)
	u.parts[n] = data
}

func (m *model) PartCopy(t *rapid.T) {
	id, u := m.upload(t)
	from := m.someKey(t)
	n := rapid.IntRange(1, 4).Draw(t, "number")
	rec := m.do("PUT", fmt.Sprintf("%s?uploadId=%s&partNumber=%d", path(u.key), id, n), nil, "x-amz-copy-source: "+path(from))
	if o, ok := m.objects[from]; ok {
		m.expect(t, rec, 200)
		u.parts[n] = o.data
	} else {
		m.expect(t, rec, 404)
	}
}

func (m *model) Abort(t *rapid.T) {
	id, u := m.upload(t)
	m.expect(t, m.do("DELETE", path(u.key)+"?uploadId="+id, nil), 204)
	delete(m.uploads, id)
}

// Complete takes one part of those there, since all but the last must be large.
func (m *model) Complete(t *rapid.T) {
	id, u := m.upload(t)
	if len(u.parts) == 0 {
		t.Skip("no parts")
	}
	n := rapid.SampledFrom(slices.Sorted(maps.Keys(u.parts))).Draw(t, "number")
	data := u.parts[n]
	body := fmt.Sprintf("<CompleteMultipartUpload><Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>", n, etagOf(data))
	for range 2 { // a repeat is answered alike
		m.expect(t, m.do("POST", path(u.key)+"?uploadId="+id, []byte(body)), 200)
	}
	sum := md5.Sum(data)
	m.objects[u.key] = thing{data, fmt.Sprintf("%x-1", md5.Sum(sum[:])), ""}
	delete(m.uploads, id)
}

func (m *model) List(t *rapid.T) {
	var got []string
	token := ""
	for {
		q := url.Values{"list-type": {"2"}, "encoding-type": {"url"}, "max-keys": {fmt.Sprint(rapid.IntRange(1, 5).Draw(t, "max"))}}
		if token != "" {
			q.Set("continuation-token", token)
		}
		rec := m.do("GET", "/pond?"+q.Encode(), nil)
		m.expect(t, rec, 200)
		var x struct {
			IsTruncated           bool
			NextContinuationToken string
			Contents              []struct{ Key, ETag string }
		}
		if err := xml.Unmarshal(rec.Body.Bytes(), &x); err != nil {
			t.Fatal(err)
		}
		for _, c := range x.Contents {
			key, _ := url.PathUnescape(c.Key)
			got = append(got, key+c.ETag)
		}
		if token = x.NextContinuationToken; !x.IsTruncated {
			break
		}
	}
	var want []string
	for _, k := range slices.Sorted(maps.Keys(m.objects)) {
		want = append(want, k+`"`+m.objects[k].etag+`"`)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// Mill works off the outbox. Then there are just the bytes that someone has.
func (m *model) Mill(t *rapid.T) {
	if err := m.mill.Lines().SettleAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	collect := func(i content.Info) error { left[i.ID] = true; return nil }
	if err := m.pieces.List(t.Context(), collect); err != nil {
		t.Fatal(err)
	}
	if n, err := m.mill.Orphans(t.Context(), time.Now().Add(24*time.Hour)); n != 0 || err != nil {
		t.Fatalf("%d pieces that nothing claims were left, %v", n, err)
	}
	if lines, err := m.index.Lines(t.Context(), 10); len(lines) != 0 || err != nil {
		t.Fatalf("lines left: %v %v", lines, err)
	}
	want := 0
	distinct := map[string]bool{}
	for _, o := range m.objects {
		if len(o.data) > 64 {
			distinct[string(o.data)] = true
		}
	}
	for _, u := range m.uploads {
		for _, p := range u.parts {
			if len(p) > 64 {
				distinct[string(p)] = true
			}
		}
	}
	if want = len(distinct); len(left) < want {
		t.Fatalf("%d pieces for %d different contents", len(left), want)
	}
}

func (m *model) Check(*rapid.T) {}

func TestAHistoryAgreesWithAMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{world: newWorld(t), objects: map[string]thing{}, uploads: map[string]*uploading{}}
		m.expect(rt, m.do("PUT", "/pond", nil), 200)
		rt.Repeat(rapid.StateMachineActions(m))
		m.List(rt)
		for key := range m.objects {
			rec := m.do("GET", path(key), nil)
			if rec.Code != 200 || !bytes.Equal(rec.Body.Bytes(), m.objects[key].data) {
				rt.Fatalf("%q: %d, %d bytes", key, rec.Code, rec.Body.Len())
			}
		}
		m.Mill(rt)
	})
}
