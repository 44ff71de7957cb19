package daemon_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/shared/sign"
	"karri/walrus/daemon/walrustest"
)

// A browser fills in forms and sends them.
type browser struct {
	t *testing.T
	w *walrustest.Walrus
}

// send posts fields, in the order of their names, and then a file.
func (b browser) send(fields map[string]string, file string) walrustest.Answer {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		_ = w.WriteField(name, fields[name])
	}
	to, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="dir/a b.txt"`}, "Content-Type": {"text/plain"}})
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = io.WriteString(to, file)
	_ = w.WriteField("submit", "ignored, it comes after the file")
	_ = w.Close()
	return b.w.Send(b.t, b.w.Request(b.t, "POST", "/pond", body.String(), "Content-Type: "+w.FormDataContentType()))
}

func policyOf(life time.Duration, conditions ...string) string {
	doc := fmt.Sprintf(`{"expiration": %q, "conditions": [%s]}`, time.Now().Add(life).UTC().Format("2006-01-02T15:04:05.000Z"), strings.Join(conditions, ", "))
	return base64.StdEncoding.EncodeToString([]byte(doc))
}

// signed adds to fields a policy with conditions, and the signature of a user.
func signed(u walrustest.User, fields map[string]string, life time.Duration, conditions ...string) map[string]string {
	f := maps.Clone(fields)
	at := time.Now().UTC()
	f["x-amz-algorithm"], f["x-amz-date"] = "AWS4-HMAC-SHA256", at.Format("20060102T150405Z")
	f["x-amz-credential"] = u.AccessKey + "/" + at.Format("20060102") + "/us-east-1/s3/aws4_request"
	for _, name := range []string{"x-amz-algorithm", "x-amz-date", "x-amz-credential"} {
		conditions = append(conditions, fmt.Sprintf(`{%q: %q}`, name, f[name]))
	}
	f["policy"] = policyOf(life, conditions...)
	h := hmac.New(sha256.New, sign.DeriveKey(u.Secret, at.Format("20060102"), "us-east-1", "s3"))
	h.Write([]byte(f["policy"]))
	f["x-amz-signature"] = hex.EncodeToString(h.Sum(nil))
	return f
}

const (
	toPond  = `{"bucket": "pond"}`
	anyKey  = `["starts-with", "$key", "up/"]`
	tiny    = `["content-length-range", 2, 10]`
	anyType = `["starts-with", "$Content-Type", "text/"]`
)

func TestAFormIsUploaded(t *testing.T) {
	w := start(t)
	w.Do(t, ann, "PUT", "/pond", "")
	b := browser{t, w}
	fields := map[string]string{"key": "up/${filename}", "Content-Type": "text/plain", "x-amz-meta-from": "${filename}", "acl": "public-read", "success_action_status": "201",
		"tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>", "x-ignore-this": "x"}
	more := []string{toPond, anyKey, anyType, `["eq", "$acl", "public-read"]`, `["starts-with", "$x-amz-meta-from", ""]`, `{"success_action_status": "201"}`, `["starts-with", "$tagging", ""]`}
	a := b.send(signed(ann, fields, time.Minute, more...), "hello")
	etag := fmt.Sprintf(`"%x"`, md5.Sum([]byte("hello")))
	if a.Status != 201 || a.Element("Key") != "up/a b.txt" || a.Element("Bucket") != "pond" || a.Header.Get("ETag") != etag || !strings.HasSuffix(a.Header.Get("Location"), "/pond/up/a%20b.txt") {
		t.Fatalf("%+v", a)
	}
	got := w.Send(t, w.Request(t, "GET", "/pond/up/a%20b.txt", ""))
	if got.Body != "hello" || got.Header.Get("Content-Type") != "text/plain" || got.Header.Get("X-Amz-Meta-From") != "a b.txt" {
		t.Errorf("the public reads %+v", got)
	}
	if a := w.Do(t, ann, "GET", "/pond/up/a%20b.txt?tagging", ""); !strings.Contains(a.Body, "<Key>a</Key><Value>1</Value>") {
		t.Errorf("%s", a.Body)
	}
	large := strings.Repeat("0123456789abcdef", 200_000)
	if a := b.send(signed(ann, map[string]string{"key": "up/large"}, time.Minute, toPond, anyKey), large); a.Status != 204 {
		t.Fatalf("%+v", a)
	}
	if a := w.Do(t, ann, "GET", "/pond/up/large", ""); a.Body != large {
		t.Errorf("%d bytes", len(a.Body))
	}
	a = b.send(signed(ann, map[string]string{"key": "up/r", "success_action_redirect": "https://site.example/done?x=1"}, time.Minute, toPond, anyKey, `["starts-with", "$success_action_redirect", "https://site.example/"]`), "ok")
	if want := "https://site.example/done?x=1&bucket=pond&key=up%2Fr&etag=%22"; a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), want) {
		t.Errorf("%+v", a)
	}
	h := hmac.New(sha1.New, []byte(ann.Secret))
	p := policyOf(time.Minute, toPond, anyKey)
	h.Write([]byte(p))
	a = b.send(map[string]string{"key": "up/old", "policy": p, "AWSAccessKeyId": ann.AccessKey, "signature": base64.StdEncoding.EncodeToString(h.Sum(nil))}, "v2")
	if a.Status != 204 {
		t.Errorf("version 2: %+v", a)
	}
}

func TestFormsThatAreRefused(t *testing.T) {
	w := start(t)
	w.Do(t, ann, "PUT", "/pond", "")
	b := browser{t, w}
	key := map[string]string{"key": "up/x"}
	with := func(f map[string]string, name, value string) map[string]string {
		f = maps.Clone(f)
		if f[name] = value; value == "" {
			delete(f, name)
		}
		return f
	}
	good := signed(ann, key, time.Minute, toPond, anyKey, tiny)
	for _, c := range []struct {
		what, code, text string
		fields           map[string]string
		file             string
	}{
		{"nobody", "AccessDenied", "Access Denied", key, "hello"},
		{"somebody else", "AccessDenied", "Access Denied", signed(bob, key, time.Minute, toPond, anyKey), "hello"},
		{"no key", "InvalidArgument", "named 'key'", with(good, "key", ""), "hello"},
		{"expired", "AccessDenied", "Invalid according to Policy: Policy expired.", signed(ann, key, -time.Second, toPond, anyKey), "hello"},
		{"other key", "AccessDenied", "Invalid according to Policy: Policy Condition failed", signed(ann, map[string]string{"key": "down/x"}, time.Minute, toPond, anyKey), "hello"},
		{"other bucket", "AccessDenied", "Invalid according to Policy: Policy Condition failed", signed(ann, key, time.Minute, `{"bucket": "lake"}`, anyKey), "hello"},
		{"a field too many", "AccessDenied", "Invalid according to Policy: Extra input fields: x-amz-meta-a", with(good, "x-amz-meta-a", "1"), "hello"},
		{"acl too many", "AccessDenied", "Extra input fields: acl", with(good, "acl", "public-read"), "hello"},
		{"bucket not spoken of", "AccessDenied", "Extra input fields: bucket", signed(ann, key, time.Minute, anyKey), "hello"},
		{"too large", "EntityTooLarge", "", good, "hello, hello"},
		{"too small", "EntityTooSmall", "", good, "h"},
		{"policy changed", "SignatureDoesNotMatch", "", with(good, "policy", policyOf(time.Hour, toPond, anyKey)), "hello"},
		{"no policy", "InvalidArgument", "named 'policy'", with(good, "policy", ""), "hello"},
		{"no signature", "InvalidArgument", "named 'x-amz-signature'", with(good, "x-amz-signature", ""), "hello"},
		{"unknown key", "InvalidAccessKeyId", "", with(good, "x-amz-credential", strings.Replace(good["x-amz-credential"], ann.AccessKey, "AKIANOBODY", 1)), "hello"},
		{"what is not here", "NotImplemented", "", signed(ann, with(key, "x-amz-mfa", "1"), time.Minute, toPond, anyKey, `{"x-amz-mfa": "1"}`), "hello"},
		{"bad checksum", "BadDigest", "", signed(ann, with(key, "x-amz-checksum-crc32", "AAAAAA=="), time.Minute, toPond, anyKey, `["starts-with", "$x-amz-checksum-crc32", ""]`), "hello"},
		{"header split", "InvalidArgument", "", signed(ann, with(key, "Content-Type", "a\r\nb: c"), time.Minute, toPond, anyKey, `["starts-with", "$Content-Type", ""]`), "hello"},
	} {
		if a := b.send(c.fields, c.file); a.Code() != c.code || !strings.Contains(a.Element("Message"), c.text) {
			t.Errorf("%s: %d %s, want %s %q", c.what, a.Status, a.Body, c.code, c.text)
		}
	}
	if a := w.Do(t, ann, "GET", "/pond?list-type=2", ""); a.Element("KeyCount") != "0" {
		t.Errorf("something was put: %s", a.Body)
	}
	if a := w.Send(t, w.Request(t, "POST", "/pond", "key=up/x", "Content-Type: application/x-www-form-urlencoded")); a.Status != 412 {
		t.Errorf("%+v", a)
	}
	if a := w.Send(t, w.Request(t, "POST", "/pond", "--x\r\n", "Content-Type: multipart/form-data; boundary=x")); a.Code() != "MalformedPOSTRequest" && a.Code() != "IncorrectNumberOfFilesInPostRequest" {
		t.Errorf("%+v", a)
	}
	w.Do(t, ann, "PUT", "/pond?acl", "", "x-amz-acl: public-read-write")
	if a := b.send(key, "hello"); a.Status != 204 {
		t.Errorf("a form of anybody in a bucket for everybody: %+v", a)
	}
}
