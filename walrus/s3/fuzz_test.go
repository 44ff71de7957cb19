package s3

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=-5", "bytes=5-", "bytes=0-9223372036854775808", "bytes=1-0", "bytes=", "bytes=0-1,3-4", "bytes=-", "lines=1-2", "bytes=99999999999999999999-"} {
		f.Add(s, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		off, n, ok, err := parseRange(header, size)
		if ok && (err != nil || off < 0 || n <= 0 || off+n > size) {
			t.Errorf("%q of %d: %d+%d %v", header, size, off, n, err)
		}
		if ok && exact(header, off, n) {
			off2, n2, ok2, _ := parseRange(header, size)
			if off2 != off || n2 != n || !ok2 {
				t.Errorf("%q is not what it was", header)
			}
		}
	})
}

func TestRanges(t *testing.T) {
	for _, c := range []struct {
		header string
		size   int64
		off, n int64
		ok     bool
		fails  bool
	}{
		{"bytes=0-0", 10, 0, 1, true, false},
		{"bytes=2-100", 10, 2, 8, true, false},
		{"bytes=9-", 10, 9, 1, true, false},
		{"bytes=-3", 10, 7, 3, true, false},
		{"bytes=-30", 10, 0, 10, true, false},
		{"bytes=-0", 10, 0, 0, false, true},
		{"bytes=10-", 10, 0, 0, false, true},
		{"bytes=0-", 0, 0, 0, false, true},
		{"bytes=3-2", 10, 0, 0, false, false},
		{"bytes=a-b", 10, 0, 0, false, false},
		{"bytes=0-1,4-5", 10, 0, 0, false, false},
		{"octets=0-1", 10, 0, 0, false, false},
	} {
		off, n, ok, err := parseRange(c.header, c.size)
		if off != c.off || n != c.n || ok != c.ok || (err != nil) != c.fails {
			t.Errorf("%s of %d: %d %d %v %v", c.header, c.size, off, n, ok, err)
		}
	}
}

func FuzzXML(f *testing.F) {
	for _, s := range []string{"<Delete><Object><Key>k</Key></Object></Delete>", "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>", "<a><b></a>", "<Delete/><Delete/>", "<!DOCTYPE x [<!ENTITY e 'v'>]><Delete>&e;</Delete>", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = parseXML(b, &deleteXML{})
		_ = parseXML(b, &completeXML{})
		_ = parseXML(b, &createBucketXML{})
	})
}

func FuzzLocate(f *testing.F) {
	for _, s := range []string{"/pond/k", "/pond//a/../b", "/pond/%2F%00", "/%zz", "/", "//", "/pond/%ff"} {
		f.Add(s, "pond.s3.test:80", "pond/k%20?versionId=null")
	}
	f.Fuzz(func(t *testing.T, path, host, source string) {
		r, err := http.NewRequest(http.MethodPut, "http://h"+path, nil)
		if err != nil {
			return
		}
		r.Host = host
		r.Header.Set(copySource, source)
		c := &call{API: New(Config{Domains: []string{"s3.test"}}), r: r, w: httptest.NewRecorder(), query: r.URL.Query()}
		if c.locate() == nil && (len(c.key) > maxKey || c.bucket != "" && !validName(c.bucket)) {
			t.Errorf("%q: bucket %q, key %q", path, c.bucket, c.key)
		}
		if bucket, key, _, err := c.source(); err == nil && (!validName(bucket) || key == "" || len(key) > maxKey) {
			t.Errorf("%q: %q %q", source, bucket, key)
		}
		_, _ = c.dispatch()
	})
}

// TestEveryOperationHasAName holds the table of operations together: what
// selects an operation must be known as a sub-resource that does.
func TestEveryOperationHasAName(t *testing.T) {
	for s, o := range operations {
		if o.Name == "" || o.Run == nil {
			t.Errorf("%+v is not defined", s)
		}
		if use, known := subresources[s.sub]; s.sub != "" && (!known || use != selects) {
			t.Errorf("%s: the sub-resource %q selects nothing", o.Name, s.sub)
		}
	}
	if len(Names()) < 45 {
		t.Errorf("%d operations", len(Names()))
	}
}
