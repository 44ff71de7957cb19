package s3_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"karri/walrus/index"
)

// locking returns a world whose bucket pond has object lock.
func locking(t testing.TB) *world {
	w := versioned(t)
	if _, err := w.index.UpdateBucket(t.Context(), "pond", func(b *index.Bucket) error { b.Locked = true; return nil }); err != nil {
		t.Fatal(err)
	}
	return w
}

func days(n int) string {
	return time.Now().Add(time.Duration(n) * 24 * time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
}

func retention(mode string, until int) string {
	return fmt.Sprintf("<Retention><Mode>%s</Mode><RetainUntilDate>%s</RetainUntilDate></Retention>", mode, days(until))
}

const bypass = "x-amz-bypass-governance-retention: true"

func TestLockedVersionsStay(t *testing.T) {
	w := locking(t)
	locked := func(mode string, until int) []string {
		return []string{contentMD5("x"), "x-amz-object-lock-mode: " + mode, "x-amz-object-lock-retain-until-date: " + days(until)}
	}
	g := w.put(t, "g", "x", locked("GOVERNANCE", 1)...)
	k := w.put(t, "k", "x", locked("COMPLIANCE", 1)...)
	h := w.put(t, "h", "x", contentMD5("x"), "x-amz-object-lock-legal-hold: ON")
	rec := w.wants(t, 200, "HEAD", "/pond/g", "")
	if header(rec, "x-amz-object-lock-mode") != "GOVERNANCE" || !strings.HasPrefix(header(rec, "x-amz-object-lock-retain-until-date"), days(1)[:10]) {
		t.Errorf("%v", rec.Result().Header)
	}
	if rec := w.wants(t, 200, "HEAD", "/pond/h", ""); header(rec, "x-amz-object-lock-legal-hold") != "ON" {
		t.Errorf("%v", rec.Result().Header)
	}
	for key, v := range map[string]string{"g": g, "k": k, "h": h} {
		w.refuses(t, "AccessDenied", "DELETE", "/pond/"+key+"?versionId="+v, "")
		w.wants(t, 204, "DELETE", "/pond/"+key, "") // a marker hides it
		w.put(t, key, "over")
		body := fmt.Sprintf("<Delete><Object><Key>%s</Key><VersionId>%s</VersionId></Object></Delete>", key, v)
		if rec := w.wants(t, 200, "POST", "/pond?delete", body, contentMD5(body)); !strings.Contains(rec.Body.String(), "<Code>AccessDenied</Code>") {
			t.Errorf("%s: %s", key, rec.Body)
		}
	}
	w.refuses(t, "AccessDenied", "DELETE", "/pond/k?versionId="+k, "", bypass)
	w.refuses(t, "AccessDenied", "DELETE", "/pond/h?versionId="+h, "", bypass)
	w.wants(t, 204, "DELETE", "/pond/g?versionId="+g, "", bypass)
	const off = "<LegalHold><Status>OFF</Status></LegalHold>"
	w.wants(t, 200, "PUT", "/pond/h?legal-hold&versionId="+h, off, contentMD5(off))
	w.wants(t, 204, "DELETE", "/pond/h?versionId="+h, "")
	w.ahead = 25 * time.Hour
	w.wants(t, 204, "DELETE", "/pond/k?versionId="+k, "")
}

func TestRetentionIsNotWeakened(t *testing.T) {
	w := locking(t)
	w.put(t, "k", "x")
	set := func(status int, doc string, headers ...string) {
		t.Helper()
		w.wants(t, status, "PUT", "/pond/k?retention", doc, append(headers, contentMD5(doc))...)
	}
	w.refuses(t, "NoSuchObjectLockConfiguration", "GET", "/pond/k?retention", "")
	set(200, retention("GOVERNANCE", 5))
	if rec := w.wants(t, 200, "GET", "/pond/k?retention", ""); !strings.Contains(rec.Body.String(), "<Mode>GOVERNANCE</Mode><RetainUntilDate>"+days(5)[:10]) {
		t.Errorf("%s", rec.Body)
	}
	set(200, retention("GOVERNANCE", 6))
	set(403, retention("GOVERNANCE", 5))
	set(403, retention("COMPLIANCE", 6))
	set(403, "<Retention/>")
	set(200, retention("GOVERNANCE", 2), bypass)
	set(200, "<Retention/>", bypass)
	set(400, retention("GOVERNANCE", -1))
	set(400, retention("OTHER", 1))
	set(400, "<Retention><Mode>GOVERNANCE</Mode></Retention>")
	set(200, retention("COMPLIANCE", 2))
	set(403, retention("COMPLIANCE", 1), bypass)
	set(403, retention("GOVERNANCE", 3), bypass)
	set(403, "<Retention/>", bypass)
	set(200, retention("COMPLIANCE", 3))
	w.ahead = 4 * 24 * time.Hour
	set(200, "<Retention/>")
	w.refuses(t, "InvalidRequest", "PUT", "/pond/k?retention", retention("COMPLIANCE", 9))
	if rec := w.wants(t, 200, "GET", "/pond/k?legal-hold", ""); !strings.Contains(rec.Body.String(), "<Status>OFF</Status>") {
		t.Errorf("%s", rec.Body)
	}
}

func TestLocksAreAskedForRightly(t *testing.T) {
	w := locking(t)
	until := "x-amz-object-lock-retain-until-date: " + days(1)
	w.refuses(t, "InvalidArgument", "PUT", "/pond/k", "x", contentMD5("x"), until)
	w.refuses(t, "InvalidArgument", "PUT", "/pond/k", "x", contentMD5("x"), "x-amz-object-lock-mode: GOVERNANCE")
	w.refuses(t, "InvalidArgument", "PUT", "/pond/k", "x", contentMD5("x"), "x-amz-object-lock-mode: FIRM", until)
	w.refuses(t, "InvalidArgument", "PUT", "/pond/k", "x", contentMD5("x"), "x-amz-object-lock-mode: GOVERNANCE", "x-amz-object-lock-retain-until-date: "+days(-1))
	w.refuses(t, "InvalidArgument", "PUT", "/pond/k", "x", contentMD5("x"), "x-amz-object-lock-mode: GOVERNANCE", "x-amz-object-lock-retain-until-date: soon")
	w.refuses(t, "InvalidArgument", "PUT", "/pond/k", "x", contentMD5("x"), "x-amz-object-lock-legal-hold: on")
	w.refuses(t, "InvalidRequest", "PUT", "/pond/k", "x", "x-amz-object-lock-mode: GOVERNANCE", until)
	other := versioned(t)
	other.refuses(t, "InvalidRequest", "PUT", "/pond/k", "x", contentMD5("x"), "x-amz-object-lock-mode: GOVERNANCE", until)
	other.put(t, "k", "x")
	other.refuses(t, "InvalidRequest", "GET", "/pond/k?retention", "")
	other.refuses(t, "InvalidRequest", "GET", "/pond/k?legal-hold", "")
	doc := retention("GOVERNANCE", 1)
	other.refuses(t, "InvalidRequest", "PUT", "/pond/k?retention", doc, contentMD5(doc))
}

func TestTheBucketsRetentionIsTheDefault(t *testing.T) {
	w := locking(t)
	const doc = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>3</Days></DefaultRetention></Rule></ObjectLockConfiguration>"
	w.wants(t, 200, "PUT", "/pond?object-lock", doc, contentMD5(doc))
	w.refuses(t, "InvalidRequest", "PUT", "/pond/k", "x")
	w.put(t, "k", "x", contentMD5("x"))
	w.put(t, "g", "x", contentMD5("x"), "x-amz-object-lock-mode: GOVERNANCE", "x-amz-object-lock-retain-until-date: "+days(1))
	w.wants(t, 200, "PUT", "/pond/copy", "", "x-amz-copy-source: /pond/g")
	id := w.begin(t, "parts")
	rec := w.wants(t, 200, "PUT", "/pond/parts?partNumber=1&uploadId="+id, "x")
	w.wants(t, 200, "POST", "/pond/parts?uploadId="+id, "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"+header(rec, "ETag")+"</ETag></Part></CompleteMultipartUpload>")
	for key, want := range map[string]string{"k": "COMPLIANCE " + days(3)[:10], "g": "GOVERNANCE " + days(1)[:10], "copy": "COMPLIANCE " + days(3)[:10], "parts": "COMPLIANCE " + days(3)[:10]} {
		rec := w.wants(t, 200, "HEAD", "/pond/"+key, "")
		if got := header(rec, "x-amz-object-lock-mode") + " " + header(rec, "x-amz-object-lock-retain-until-date"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}
