package s3_test

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"karri/walrus/index"
)

// versioned returns a world with the bucket pond, which keeps versions.
func versioned(t testing.TB) *world {
	w := newWorld(t)
	w.wants(t, 200, "PUT", "/pond", "")
	w.versioning(t, index.Enabled)
	return w
}

func (w *world) versioning(t testing.TB, state string) {
	t.Helper()
	if _, err := w.index.UpdateBucket(t.Context(), "pond", func(b *index.Bucket) error { b.Versioning = state; return nil }); err != nil {
		t.Fatal(err)
	}
}

// wants does a request and fails unless it is answered with a status.
func (w *world) wants(t testing.TB, status int, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	rec := w.do(method, target, []byte(body), headers...)
	if rec.Code != status {
		t.Fatalf("%s %s: got %d, want %d: %s", method, target, rec.Code, status, rec.Body)
	}
	return rec
}

// refuses does a request and fails unless it is refused with a code.
func (w *world) refuses(t testing.TB, code, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	rec := w.do(method, target, []byte(body), headers...)
	if !strings.Contains(rec.Body.String(), "<Code>"+code+"</Code>") {
		t.Errorf("%s %s: got %d, want %s: %s", method, target, rec.Code, code, rec.Body)
	}
	return rec
}

func (w *world) put(t testing.TB, key, body string, headers ...string) string {
	t.Helper()
	return versionOf(w.wants(t, 200, "PUT", path(key), body, headers...))
}

func versionOf(rec *httptest.ResponseRecorder) string {
	return strings.Join(rec.Result().Header["x-amz-version-id"], "")
}

func header(rec *httptest.ResponseRecorder, name string) string {
	for k, v := range rec.Result().Header {
		if strings.EqualFold(k, name) {
			return strings.Join(v, ",")
		}
	}
	return ""
}

func contentMD5(body string) string {
	sum := md5.Sum([]byte(body))
	return "Content-MD5: " + base64.StdEncoding.EncodeToString(sum[:])
}

type versionsXML struct {
	IsTruncated         bool
	NextKeyMarker       string
	NextVersionIdMarker string
	Items               []struct {
		XMLName   xml.Name
		Key       string
		VersionId string
		IsLatest  bool
		Size      int
		Owner     struct{ DisplayName string }
	} `xml:",any"`
}

// versions lists all versions in pages, each as "key version", with "*" when
// it is the latest and "-" when it is a delete marker.
func (w *world) versions(t testing.TB, max int, query string) (all []string) {
	t.Helper()
	key, version := "", ""
	for range 10_000 {
		q := fmt.Sprintf("/pond?versions&max-keys=%d%s", max, query)
		if key != "" {
			q += "&key-marker=" + url.QueryEscape(key)
		}
		if version != "" {
			q += "&version-id-marker=" + version
		}
		rec := w.wants(t, 200, "GET", q, "")
		var x versionsXML
		if err := xml.Unmarshal(rec.Body.Bytes(), &x); err != nil {
			t.Fatal(err)
		}
		for _, i := range x.Items {
			line := i.Key + " " + i.VersionId
			switch i.XMLName.Local {
			case "Version":
			case "DeleteMarker":
				line += "-"
			default:
				continue
			}
			if i.Owner.DisplayName != "111111111111" {
				t.Fatalf("%s is of %q", line, i.Owner.DisplayName)
			}
			if i.IsLatest {
				line += "*"
			}
			all = append(all, line)
		}
		if key, version = x.NextKeyMarker, x.NextVersionIdMarker; !x.IsTruncated {
			return all
		}
	}
	t.Fatal("the listing does not end")
	return nil
}

func TestVersionsAreKeptAndNamed(t *testing.T) {
	w := newWorld(t)
	w.wants(t, 200, "PUT", "/pond", "")
	if v := w.put(t, "k", "zero"); v != "" {
		t.Errorf("a bucket without versions names %q", v)
	}
	w.versioning(t, index.Enabled)
	one := w.put(t, "k", "one")
	two := w.put(t, "k", "two")
	for version, want := range map[string]string{"": "two", one: "one", two: "two", "null": "zero"} {
		target := "/pond/k"
		if version != "" {
			target += "?versionId=" + version
		}
		rec := w.wants(t, 200, "GET", target, "")
		if rec.Body.String() != want || version != "" && versionOf(rec) != version {
			t.Errorf("%s: %q, version %q", target, rec.Body, versionOf(rec))
		}
	}
	rec := w.wants(t, 204, "DELETE", "/pond/k", "")
	marker := versionOf(rec)
	if header(rec, "x-amz-delete-marker") != "true" || marker == "" {
		t.Errorf("%v", rec.Result().Header)
	}
	rec = w.wants(t, 404, "GET", "/pond/k", "")
	if header(rec, "x-amz-delete-marker") != "true" || versionOf(rec) != marker {
		t.Errorf("%v", rec.Result().Header)
	}
	for _, method := range []string{"GET", "HEAD"} {
		rec = w.wants(t, 405, method, "/pond/k?versionId="+marker, "")
		if header(rec, "x-amz-delete-marker") != "true" || header(rec, "Allow") != "DELETE" || header(rec, "Last-Modified") == "" {
			t.Errorf("%s: %v", method, rec.Result().Header)
		}
	}
	for version, code := range map[string]string{"": "InvalidArgument", "nonsense": "InvalidArgument", "0000000000000001": "NoSuchVersion"} {
		w.refuses(t, code, "GET", "/pond/k?versionId="+version, "")
	}
	if got, want := strings.Join(w.versions(t, 2, ""), ","), fmt.Sprintf("k %s-*,k %s,k %s,k null", marker, two, one); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	rec = w.wants(t, 204, "DELETE", "/pond/k?versionId="+marker, "")
	if header(rec, "x-amz-delete-marker") != "true" || versionOf(rec) != marker {
		t.Errorf("%v", rec.Result().Header)
	}
	w.wants(t, 204, "DELETE", "/pond/k?versionId="+two, "")
	if rec = w.wants(t, 200, "GET", "/pond/k", ""); rec.Body.String() != "one" {
		t.Errorf("%q shows", rec.Body)
	}
	w.versioning(t, index.Suspended)
	if v := w.put(t, "k", "null two"); v != "null" {
		t.Errorf("suspended: %q", v)
	}
	if got, want := strings.Join(w.versions(t, 1, ""), ","), fmt.Sprintf("k null*,k %s", one); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestManyVersionsOfOneKeyAreListedInPages(t *testing.T) {
	w := versioned(t)
	var want []string
	for i := range 1203 {
		v := w.put(t, "a/k", fmt.Sprint(i))
		want = append([]string{"a/k " + v}, want...)
	}
	want[0] += "*"
	b := w.put(t, "b", "")
	for _, max := range []int{1000, 7} {
		got := w.versions(t, max, "")
		if len(got) != 1204 || strings.Join(got[:1203], ",") != strings.Join(want, ",") || got[1203] != "b "+b+"*" {
			t.Errorf("%d at a time: %d versions", max, len(got))
		}
	}
	rec := w.wants(t, 200, "GET", "/pond?versions&delimiter=/", "")
	if s := rec.Body.String(); !strings.Contains(s, "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>") || strings.Count(s, "<Version>") != 1 {
		t.Errorf("%s", s)
	}
	w.refuses(t, "InvalidArgument", "GET", "/pond?versions&version-id-marker="+b, "")
	w.refuses(t, "InvalidArgument", "GET", "/pond?versions&key-marker=b&version-id-marker=x", "")
	w.refuses(t, "InvalidArgument", "GET", "/pond?versions&key-marker=b&version-id-marker=", "")
}

func TestManyVersionsAreDeletedAtOnce(t *testing.T) {
	w := versioned(t)
	one, two := w.put(t, "k", "one"), w.put(t, "k", "two")
	other := w.put(t, "other", "x")
	body := fmt.Sprintf(`<Delete><Object><Key>k</Key><VersionId>%s</VersionId></Object><Object><Key>other</Key></Object>
		<Object><Key>k</Key><VersionId>nonsense</VersionId></Object><Object><Key>k</Key><ETag>"%s"</ETag></Object></Delete>`, two, etagOf([]byte("else")))
	rec := w.wants(t, 200, "POST", "/pond?delete", body, contentMD5(body))
	var x struct {
		Deleted []struct {
			Key, VersionId, DeleteMarkerVersionId string
			DeleteMarker                          bool
		}
		Error []struct{ Key, VersionId, Code string }
	}
	if err := xml.Unmarshal(rec.Body.Bytes(), &x); err != nil {
		t.Fatal(err)
	}
	if len(x.Deleted) != 2 || x.Deleted[0].VersionId != two || x.Deleted[0].DeleteMarker || !x.Deleted[1].DeleteMarker || x.Deleted[1].DeleteMarkerVersionId == "" {
		t.Errorf("%s", rec.Body)
	}
	if len(x.Error) != 2 || x.Error[0].Code != "NoSuchVersion" || x.Error[1].Code != "PreconditionFailed" {
		t.Errorf("%s", rec.Body)
	}
	if got, want := strings.Join(w.versions(t, 9, ""), ","), fmt.Sprintf("k %s*,other %s-*,other %s", one, x.Deleted[1].DeleteMarkerVersionId, other); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	body = fmt.Sprintf(`<Delete><Quiet>true</Quiet><Object><Key>k</Key><VersionId>%s</VersionId></Object></Delete>`, one)
	if rec := w.wants(t, 200, "POST", "/pond?delete", body, contentMD5(body)); strings.Contains(rec.Body.String(), "Deleted>") {
		t.Errorf("not quiet: %s", rec.Body)
	}
}

func TestAVersionIsCopied(t *testing.T) {
	w := versioned(t)
	one := w.put(t, "k", "one")
	w.put(t, "k", "two")
	rec := w.wants(t, 200, "PUT", "/pond/copy", "", "x-amz-copy-source: /pond/k?versionId="+one)
	if header(rec, "x-amz-copy-source-version-id") != one || versionOf(rec) == "" {
		t.Errorf("%v", rec.Result().Header)
	}
	if rec := w.wants(t, 200, "GET", "/pond/copy", ""); rec.Body.String() != "one" {
		t.Errorf("%q", rec.Body)
	}
	w.wants(t, 200, "PUT", "/pond/k", "", "x-amz-copy-source: /pond/k?versionId="+one)
	if rec := w.wants(t, 200, "GET", "/pond/k", ""); rec.Body.String() != "one" {
		t.Errorf("an older version does not come back: %q", rec.Body)
	}
	marker := versionOf(w.wants(t, 204, "DELETE", "/pond/k", ""))
	w.refuses(t, "InvalidRequest", "PUT", "/pond/copy", "", "x-amz-copy-source: /pond/k?versionId="+marker)
	w.refuses(t, "NoSuchKey", "PUT", "/pond/copy", "", "x-amz-copy-source: /pond/k")
	w.refuses(t, "NoSuchVersion", "PUT", "/pond/copy", "", "x-amz-copy-source: /pond/k?versionId=0000000000000001")
	w.refuses(t, "InvalidArgument", "PUT", "/pond/copy", "", "x-amz-copy-source: /pond/k?versionId=x")
}
