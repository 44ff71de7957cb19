package s3_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"karri/walrus/index"
)

// A deed is one thing that a client does. Numbers choose among what is there.
type deed struct {
	What       string
	Key, Other int
	Version    int
	Size       int
	New        bool // put only what is not there; copy with other metadata
}

var deeds = rapid.Custom(func(t *rapid.T) deed {
	return deed{
		What:    rapid.SampledFrom([]string{"put", "put", "get", "delete", "end", "copy", "tag", "untag", "upload", "many", "versions", "list"}).Draw(t, "what"),
		Key:     rapid.IntRange(0, 3).Draw(t, "key"),
		Other:   rapid.IntRange(0, 3).Draw(t, "other"),
		Version: rapid.IntRange(0, 4).Draw(t, "version"),
		Size:    rapid.SampledFrom([]int{0, 1, 30, 400}).Draw(t, "size"),
		New:     rapid.Bool().Draw(t, "new"),
	}
})

// A known is a version that a client knows to be there.
type known struct {
	id     string
	data   string
	etag   string
	tag    string
	marker bool
}

// A client keeps to keys of its own in a bucket that all share, and knows what
// must be there: all versions of each key, the newest first.
type client struct {
	url    string
	name   string
	state  string // of the bucket's versioning
	keys   map[string][]known
	serial int
}

type wrong string

// must ends the client's history unless a thing is so.
func must(ok bool, format string, args ...any) {
	if !ok {
		panic(wrong(fmt.Sprintf(format, args...)))
	}
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) version() string { return r.header.Get("X-Amz-Version-Id") }

func (c *client) ask(method, target, body string, headers ...string) reply {
	r, err := http.NewRequest(method, c.url+target, strings.NewReader(body))
	must(err == nil, "%s %s: %v", method, target, err)
	r.Header.Set("Test-Account", "111111111111")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	must(err == nil, "%s %s: %v", method, target, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	must(err == nil, "%s %s: %v", method, target, err)
	return reply{res.StatusCode, res.Header, string(b)}
}

func (c *client) key(n int) string { return c.name + []string{"/a", "/a/b", "//", "/ü+%"}[n] }

// newest returns the version that a key shows, false when it shows none.
func (c *client) newest(key string) (known, bool) {
	if list := c.keys[key]; len(list) > 0 && !list[0].marker {
		return list[0], true
	}
	return known{}, false
}

// above puts a version above the others of its key.
func (c *client) above(key string, v known, r reply) {
	list := c.keys[key]
	switch c.state {
	case index.Enabled:
		v.id = r.version()
		must(index.ValidVersion(v.id) && v.id != "null", "%s: the new version is %q", key, v.id)
		must(!slices.ContainsFunc(list, func(k known) bool { return k.id == v.id }), "%s: %s was there", key, v.id)
	default:
		v.id = "null"
		list = slices.DeleteFunc(slices.Clone(list), func(k known) bool { return k.id == "null" })
		want := map[string]string{"": "", index.Suspended: "null"}[c.state]
		must(r.version() == want, "%s: the version is %q, want %q", key, r.version(), want)
	}
	c.keys[key] = append([]known{v}, list...)
}

func (c *client) bytes(size int) string {
	c.serial++
	return strings.Repeat(fmt.Sprintf("%s%d.", c.name, c.serial), size)
}

func (c *client) do(d deed) {
	key, other := c.key(d.Key), c.key(d.Other)
	_, there := c.newest(key)
	switch d.What {
	case "put":
		data, headers, status := c.bytes(d.Size), []string{fmt.Sprintf("x-amz-tagging: t=%d", c.serial)}, 200
		if d.New {
			if headers = append(headers, "If-None-Match: *"); there {
				status = 412
			}
		}
		tag := fmt.Sprint(c.serial)
		r := c.ask("PUT", path(key), data, headers...)
		must(r.status == status, "put %s: %d, want %d: %s", key, r.status, status, r.body)
		if status == 200 {
			c.above(key, known{data: data, etag: etagOf([]byte(data)), tag: tag}, r)
		}
	case "get":
		c.get(key, d.Version)
	case "delete":
		r := c.ask("DELETE", path(key), "")
		must(r.status == 204, "delete %s: %d", key, r.status)
		if c.state == "" {
			c.keys[key] = slices.DeleteFunc(slices.Clone(c.keys[key]), func(k known) bool { return k.id == "null" })
		} else {
			must(r.header.Get("X-Amz-Delete-Marker") == "true", "delete %s: no marker", key)
			c.above(key, known{marker: true}, r)
		}
	case "end":
		c.end(key, d.Version)
	case "copy":
		c.copy(key, other, d)
	case "tag", "untag":
		c.tag(key, d)
	case "upload":
		c.upload(key, c.bytes(d.Size+1))
	case "many":
		c.many([]string{key, other})
	case "versions":
		c.versions(d.Version + 1)
	case "list":
		c.list(d.Version + 1)
	}
}

// pick returns a version of a key and how it is asked for.
func (c *client) pick(key string, n int) (known, string, bool) {
	list := c.keys[key]
	if n >= len(list) {
		v, ok := c.newest(key)
		return v, path(key), ok
	}
	return list[n], path(key) + "?versionId=" + list[n].id, true
}

func (c *client) get(key string, n int) {
	v, target, ok := c.pick(key, n)
	r := c.ask("GET", target, "")
	switch {
	case !ok:
		must(r.status == 404, "get %s: %d, want 404", target, r.status)
	case v.marker:
		must(r.status == 405 && r.header.Get("X-Amz-Delete-Marker") == "true", "get %s: %d, want 405", target, r.status)
	default:
		must(r.status == 200 && r.body == v.data && r.header.Get("ETag") == `"`+v.etag+`"`, "get %s: %d, %d bytes of %d", target, r.status, len(r.body), len(v.data))
		must((r.header.Get("X-Amz-Tagging-Count") == "1") == (v.tag != ""), "get %s: %v, want tag %q", target, r.header, v.tag)
	}
}

// end ends one version.
func (c *client) end(key string, n int) {
	list := c.keys[key]
	if n >= len(list) {
		return
	}
	r := c.ask("DELETE", path(key)+"?versionId="+list[n].id, "")
	must(r.status == 204 && (r.header.Get("X-Amz-Delete-Marker") == "true") == list[n].marker, "end %s %s: %d", key, list[n].id, r.status)
	c.keys[key] = slices.Delete(slices.Clone(list), n, n+1)
}

func (c *client) copy(key, to string, d deed) {
	v, source, ok := c.pick(key, d.Version)
	headers := []string{"x-amz-copy-source: /pond/" + strings.TrimPrefix(source, "/pond/")}
	if d.New {
		headers = append(headers, "x-amz-metadata-directive: REPLACE", "x-amz-meta-a: 1")
	}
	r := c.ask("PUT", path(to), "", headers...)
	now, there := c.newest(key)
	switch {
	case !ok:
		must(r.status == 404, "copy %s: %d, want 404", source, r.status)
	case v.marker:
		must(r.status == 400, "copy %s: %d, want 400", source, r.status)
	case key == to && there && now.id == v.id && !d.New:
		must(r.status == 400, "copy %s to itself: %d", source, r.status)
	default:
		must(r.status == 200, "copy %s: %d %s", source, r.status, r.body)
		c.above(to, known{data: v.data, etag: v.etag, tag: v.tag}, r)
	}
}

func (c *client) tag(key string, d deed) {
	v, target, ok := c.pick(key, d.Version)
	target = strings.Replace(target, "?", "?tagging&", 1)
	if !strings.Contains(target, "?") {
		target += "?tagging"
	}
	tag, method, status, doc := "", "DELETE", 204, ""
	if d.What == "tag" {
		c.serial++
		tag, method, status = fmt.Sprint(c.serial), "PUT", 200
		doc = "<Tagging><TagSet><Tag><Key>t</Key><Value>" + tag + "</Value></Tag></TagSet></Tagging>"
	}
	r := c.ask(method, target, doc, contentMD5(doc))
	switch {
	case !ok:
		must(r.status == 404, "%s %s: %d, want 404", d.What, target, r.status)
	case v.marker:
		must(r.status == 405, "%s %s: %d, want 405", d.What, target, r.status)
	default:
		must(r.status == status, "%s %s: %d %s", d.What, target, r.status, r.body)
		for i := range c.keys[key] {
			if c.keys[key][i].id == v.id {
				c.keys[key][i].tag = tag
			}
		}
		r = c.ask("GET", target, "")
		must(r.status == 200 && strings.Contains(r.body, "<Value>"+tag+"</Value>") == (tag != ""), "tags of %s: %s, want %q", target, r.body, tag)
	}
}

func (c *client) upload(key, data string) {
	r := c.ask("POST", path(key)+"?uploads", "")
	_, rest, _ := strings.Cut(r.body, "<UploadId>")
	id, _, _ := strings.Cut(rest, "</UploadId>")
	r = c.ask("PUT", path(key)+"?partNumber=7&uploadId="+id, data)
	must(r.status == 200, "part of %s: %d", key, r.status)
	list := "<CompleteMultipartUpload><Part><PartNumber>7</PartNumber><ETag>" + r.header.Get("ETag") + "</ETag></Part></CompleteMultipartUpload>"
	r = c.ask("POST", path(key)+"?uploadId="+id, list)
	must(r.status == 200, "complete %s: %d %s", key, r.status, r.body)
	_, rest, _ = strings.Cut(r.body, "<ETag>&#34;")
	etag, _, _ := strings.Cut(rest, "&#34;")
	c.above(key, known{data: data, etag: etag}, r)
	again := c.ask("POST", path(key)+"?uploadId="+id, list)
	must(again.status == 200 && again.version() == r.version(), "complete %s again: %d %q", key, again.status, again.version())
}

// many deletes the newest version of each key by one request.
func (c *client) many(keys []string) {
	doc := "<Delete>"
	var gone []string
	for _, key := range slices.Compact(keys) {
		if list := c.keys[key]; len(list) > 0 {
			var b bytes.Buffer
			_ = xml.EscapeText(&b, []byte(key))
			doc += "<Object><Key>" + b.String() + "</Key><VersionId>" + list[0].id + "</VersionId></Object>"
			gone = append(gone, key)
		}
	}
	if doc += "</Delete>"; len(gone) == 0 {
		return
	}
	r := c.ask("POST", "/pond?delete", doc, contentMD5(doc))
	must(r.status == 200 && strings.Count(r.body, "<Deleted>") == len(gone), "many: %d %s", r.status, r.body)
	for _, key := range gone {
		c.keys[key] = c.keys[key][1:]
	}
}

// live does what a client is to do, and then looks at all that must be there.
func (c *client) live(todo []deed) (err error) {
	var done []deed
	defer func() {
		if w, ok := recover().(wrong); ok {
			err = fmt.Errorf("%s, %q, after %v: %s", c.name, c.state, done, w)
		}
	}()
	for _, d := range todo {
		done = append(done, d)
		c.do(d)
	}
	c.versions(3)
	c.list(2)
	for _, key := range c.sorted() {
		for i := range c.keys[key] {
			c.get(key, i)
		}
		c.get(key, len(c.keys[key]))
	}
	return nil
}

// TestHistoriesOfSeveralClientsAgreeWithTheirModels lets clients work at once in
// one bucket, whose versioning changes between two times.
func TestHistoriesOfSeveralClientsAgreeWithTheirModels(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.wants(t, 200, "PUT", "/pond", "")
		server := httptest.NewServer(w.api)
		defer server.Close()
		states := [][]string{{"", index.Enabled, index.Suspended}, {index.Enabled, index.Suspended, index.Enabled}}[rapid.IntRange(0, 1).Draw(rt, "states")]
		var clients []*client
		for n := range 3 {
			clients = append(clients, &client{url: server.URL, name: fmt.Sprintf("c%d", n), keys: map[string][]known{}})
		}
		for _, state := range states {
			if state != "" {
				w.versioning(t, state)
			}
			errs := make([]error, len(clients))
			var all sync.WaitGroup
			for n, c := range clients {
				todo := rapid.SliceOfN(deeds, 1, 12).Draw(rt, c.name)
				c.state = state
				all.Go(func() { errs[n] = c.live(todo) })
			}
			all.Wait()
			for _, err := range errs {
				if err != nil {
					rt.Fatal(err)
				}
			}
		}
		if err := w.mill.Lines().SettleAll(t.Context()); err != nil {
			rt.Fatal(err)
		}
		for _, c := range clients {
			if err := c.live(nil); err != nil {
				rt.Fatalf("after the mill: %v", err)
			}
		}
	})
}
