package daemon_test

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

var ann, bob = walrustest.Ann, walrustest.Bob

// An ask is one request of Ann's, or of another's, and what must come of it.
type ask struct {
	who     walrustest.User // zero: Ann
	method  string
	path    string
	body    string
	headers []string
	status  int
	code    string   // of the error
	has     []string // in the body, or "Name: value" in the headers
}

func play(t *testing.T, w *walrustest.Walrus, asks []ask) {
	t.Helper()
	for i, a := range asks {
		if a.who.AccessKey == "" {
			a.who = ann
		}
		got := w.Do(t, a.who, a.method, a.path, a.body, a.headers...)
		what := fmt.Sprintf("%d: %s %s %v", i, a.method, a.path, a.headers)
		if got.Status != a.status || got.Code() != a.code {
			t.Errorf("%s: got %d %s, want %d %s\n%s", what, got.Status, got.Code(), a.status, a.code, got.Body)
		}
		if got.Header.Get("X-Amz-Request-Id") == "" || got.Header.Get("X-Amz-Id-2") == "" {
			t.Errorf("%s: no request ids", what)
		}
		for _, h := range a.has {
			name, value, isHeader := strings.Cut(h, ": ")
			if isHeader && got.Header.Get(name) != value || !isHeader && !strings.Contains(got.Body, h) {
				t.Errorf("%s: no %q in %v %s", what, h, got.Header, got.Body)
			}
		}
	}
}

func start(t *testing.T) *walrustest.Walrus {
	return walrustest.Start(t, walrustest.StartCloud(t), daemon.Config{Domains: []string{"s3.test"}})
}

func TestBuckets(t *testing.T) {
	play(t, start(t), []ask{
		{method: "GET", path: "/", status: 200, has: []string{"<Buckets></Buckets>"}},
		{method: "PUT", path: "/pond", status: 200, has: []string{"Location: /pond"}},
		{method: "PUT", path: "/pond", status: 409, code: "BucketAlreadyOwnedByYou"},
		{who: bob, method: "PUT", path: "/pond", status: 409, code: "BucketAlreadyExists"},
		{who: bob, method: "GET", path: "/pond", status: 403, code: "AccessDenied"},
		{who: bob, method: "PUT", path: "/pond/k", status: 403, code: "AccessDenied"},
		{who: bob, method: "DELETE", path: "/pond", status: 403, code: "AccessDenied"},
		{who: bob, method: "GET", path: "/", status: 200, has: []string{"<Buckets></Buckets>"}},
		{method: "GET", path: "/", status: 200, has: []string{"<Name>pond</Name>"}},
		{method: "HEAD", path: "/pond", status: 200, has: []string{"X-Amz-Bucket-Region: us-east-1"}},
		{method: "HEAD", path: "/none", status: 404},
		{method: "GET", path: "/none", status: 404, code: "NoSuchBucket", has: []string{"<BucketName>none</BucketName>", "<Resource>/none</Resource>"}},
		{method: "GET", path: "/pond?location", status: 200, has: []string{"<LocationConstraint"}},
		{method: "GET", path: "/pond?versioning", status: 200, has: []string{"<VersioningConfiguration"}},
		{method: "GET", path: "/pond?policy", status: 404, code: "NoSuchBucketPolicy"},
		{method: "GET", path: "/pond?cors", status: 404, code: "NoSuchCORSConfiguration"},
		{method: "GET", path: "/pond?object-lock", status: 404, code: "ObjectLockConfigurationNotFoundError"},
		{method: "GET", path: "/pond?acl", status: 200, has: []string{"FULL_CONTROL", "xsi:type=\"CanonicalUser\""}},
		{method: "PUT", path: "/pond?policy", body: "{}", status: 400, code: "MalformedPolicy"},
		{method: "PUT", path: "/pond?accelerate", body: "<x/>", status: 501, code: "NotImplemented"},
		{method: "GET", path: "/pond?analytics", status: 501, code: "NotImplemented"},
		{method: "GET", path: "/pond?acl&policy", status: 400, code: "InvalidArgument"},
		{method: "DELETE", path: "/pond?policy", status: 204},
		{method: "PATCH", path: "/pond", status: 405, code: "MethodNotAllowed"},
		{method: "POST", path: "/pond", status: 412, code: "PreconditionFailed"},
		{method: "GET", path: "/pond?unheard-of=1", status: 200},
		{method: "PUT", path: "/europe", body: "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>", status: 400, code: "InvalidLocationConstraint"},
		{method: "PUT", path: "/europe", body: "<CreateBucketConfiguration", status: 400, code: "MalformedXML"},
		{method: "PUT", path: "/here", body: "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>", status: 200},
		{method: "GET", path: "/?max-buckets=1", status: 200, has: []string{"<Name>here</Name>", "<ContinuationToken>"}},
		{method: "PUT", path: "/pond/k", body: "x", status: 200},
		{method: "DELETE", path: "/pond", status: 409, code: "BucketNotEmpty"},
		{method: "DELETE", path: "/pond/k", status: 204},
		{method: "DELETE", path: "/pond", status: 204},
		{method: "DELETE", path: "/pond", status: 404, code: "NoSuchBucket"},
	})
}

func TestBucketNames(t *testing.T) {
	w := start(t)
	for _, name := range []string{"ab", "Pond", "a_b", "-ab", "ab-", "a..b", "192.168.1.1", "xn--ab", "a-s3alias", strings.Repeat("a", 64), "karri-images", "%2e%2e"} {
		play(t, w, []ask{{method: "PUT", path: "/" + name, status: 400, code: "InvalidBucketName"}})
	}
	for _, name := range []string{"abc", "a.b.c", "1-2", strings.Repeat("a", 63)} {
		play(t, w, []ask{{method: "PUT", path: "/" + name, status: 200}})
	}
	play(t, w, []ask{{method: "GET", path: "/karri-images", status: 404, code: "NoSuchBucket"}})
}

func TestObjects(t *testing.T) {
	sum := md5.Sum([]byte("hello"))
	md5Header := "Content-MD5: " + base64.StdEncoding.EncodeToString(sum[:])
	etag := fmt.Sprintf("%x", sum)
	play(t, start(t), []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "GET", path: "/pond/k", status: 404, code: "NoSuchKey", has: []string{"<Key>k</Key>"}},
		{method: "HEAD", path: "/pond/k", status: 404},
		{method: "PUT", path: "/pond/k", body: "hello", headers: []string{md5Header, "Content-Type: text/plain", "x-amz-meta-Colour: red", "Cache-Control: no-store"}, status: 200, has: []string{`Etag: "` + etag + `"`}},
		{method: "GET", path: "/pond/k", status: 200, has: []string{"hello", "Content-Type: text/plain", "X-Amz-Meta-Colour: red", "Cache-Control: no-store", "Content-Length: 5", `Etag: "` + etag + `"`, "Accept-Ranges: bytes"}},
		{method: "HEAD", path: "/pond/k", status: 200, has: []string{"Content-Length: 5"}},
		{method: "GET", path: "/pond/k?response-content-type=a/b&response-cache-control=x", status: 200, has: []string{"Content-Type: a/b", "Cache-Control: x"}},
		{method: "GET", path: "/pond/k", headers: []string{"Range: bytes=1-3"}, status: 206, has: []string{"ell", "Content-Range: bytes 1-3/5", "Content-Length: 3"}},
		{method: "GET", path: "/pond/k", headers: []string{"Range: bytes=-2"}, status: 206, has: []string{"lo", "Content-Range: bytes 3-4/5"}},
		{method: "GET", path: "/pond/k", headers: []string{"Range: bytes=5-"}, status: 416, code: "InvalidRange", has: []string{"Content-Range: bytes */5"}},
		{method: "GET", path: "/pond/k", headers: []string{"Range: lines=1-2"}, status: 200},
		{method: "GET", path: "/pond/k", headers: []string{`If-Match: "other"`}, status: 412, code: "PreconditionFailed"},
		{method: "GET", path: "/pond/k", headers: []string{`If-None-Match: "` + etag + `"`}, status: 304, has: []string{`Etag: "` + etag + `"`}},
		{method: "GET", path: "/pond/k", headers: []string{"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"}, status: 304},
		{method: "GET", path: "/pond/k", headers: []string{"If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"}, status: 412, code: "PreconditionFailed"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"If-None-Match: *"}, status: 412, code: "PreconditionFailed"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{`If-Match: "other"`}, status: 412, code: "PreconditionFailed"},
		{method: "PUT", path: "/pond/none", body: "x", headers: []string{`If-Match: "other"`}, status: 404, code: "NoSuchKey"},
		{method: "PUT", path: "/pond/k", body: "bello", headers: []string{md5Header}, status: 400, code: "BadDigest"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"Content-MD5: abc"}, status: 400, code: "InvalidDigest"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-acl: public"}, status: 400, code: "InvalidArgument"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-server-side-encryption: aws:kms"}, status: 501, code: "NotImplemented"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-unheard-of: 1"}, status: 501, code: "NotImplemented"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-expected-bucket-owner: 222222222222"}, status: 403, code: "AccessDenied"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-meta-a: " + strings.Repeat("m", 2048)}, status: 400, code: "MetadataTooLarge"},
		{method: "GET", path: "/pond/k", status: 200, has: []string{"hello"}},
		{method: "GET", path: "/pond/k?versionId=abc", status: 400, code: "InvalidArgument"},
		{method: "GET", path: "/pond/k?versionId=null", status: 200},
		{method: "GET", path: "/pond/k?partNumber=1", status: 206},
		{method: "GET", path: "/pond/k?partNumber=2", status: 416, code: "InvalidPartNumber"},
		{method: "GET", path: "/pond/k?tagging", status: 200, has: []string{"<TagSet></TagSet>"}},
		{method: "GET", path: "/pond/k?torrent", status: 501, code: "NotImplemented"},
		{method: "PUT", path: "/pond/" + strings.Repeat("k", 1025), body: "x", status: 400, code: "KeyTooLongError"},
		{method: "DELETE", path: "/pond/k", status: 204},
		{method: "DELETE", path: "/pond/k", status: 204},
	})
}

func TestLists(t *testing.T) {
	w := start(t)
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}})
	for _, key := range []string{"a", "b/1", "b/2", "c"} {
		play(t, w, []ask{{method: "PUT", path: "/pond/" + key, body: "x", status: 200}})
	}
	play(t, w, []ask{
		{method: "GET", path: "/pond?delimiter=/&max-keys=2", status: 200, has: []string{"<IsTruncated>true</IsTruncated>", "<NextMarker>b/</NextMarker>", "<CommonPrefixes><Prefix>b/</Prefix>"}},
		{method: "GET", path: "/pond?delimiter=/&marker=b/", status: 200, has: []string{"<Key>c</Key>", "<IsTruncated>false</IsTruncated>"}},
		{method: "GET", path: "/pond?max-keys=0", status: 200, has: []string{"<IsTruncated>false</IsTruncated>"}},
		{method: "GET", path: "/pond?max-keys=-1", status: 400, code: "InvalidArgument"},
		{method: "GET", path: "/pond?max-keys=x", status: 400, code: "InvalidArgument"},
		{method: "GET", path: "/pond?max-keys=5000", status: 200, has: []string{"<MaxKeys>1000</MaxKeys>", "<Owner>"}},
		{method: "GET", path: "/pond?encoding-type=base64", status: 400, code: "InvalidArgument"},
		{method: "GET", path: "/pond?list-type=3", status: 400, code: "InvalidArgument"},
		{method: "GET", path: "/pond?list-type=2&continuation-token=junk", status: 400, code: "InvalidArgument"},
		{method: "GET", path: "/pond?list-type=2&start-after=b/1&prefix=b/", status: 200, has: []string{"<KeyCount>1</KeyCount>", "<Key>b/2</Key>", "<StartAfter>b/1</StartAfter>"}},
		{method: "GET", path: "/pond?list-type=2&fetch-owner=true&max-keys=1", status: 200, has: []string{"<Owner>", "<NextContinuationToken>"}},
		{method: "GET", path: "/pond?versions&max-keys=2", status: 200, has: []string{"<VersionId>null</VersionId>", "<NextKeyMarker>b/1</NextKeyMarker>", "<IsLatest>true</IsLatest>"}},
		{method: "GET", path: "/pond?versions&key-marker=b/1&version-id-marker=null", status: 200, has: []string{"<Key>b/2</Key>", "<IsTruncated>false</IsTruncated>"}},
		{who: bob, method: "GET", path: "/pond?versions", status: 403, code: "AccessDenied"},
	})
}

func TestCopies(t *testing.T) {
	play(t, start(t), []ask{
		{method: "PUT", path: "/pond", status: 200},
		{who: bob, method: "PUT", path: "/lake", status: 200},
		{method: "PUT", path: "/pond/a%20b%2Fc", body: strings.Repeat("data", 20_000), headers: []string{"x-amz-meta-m: 1"}, status: 200},
		{method: "PUT", path: "/pond/two", headers: []string{"x-amz-copy-source: /pond/a%20b%2Fc"}, status: 200, has: []string{"<CopyObjectResult", "<ChecksumCRC64NVME>"}},
		{method: "HEAD", path: "/pond/two", status: 200, has: []string{"Content-Length: 80000", "X-Amz-Meta-M: 1"}},
		{method: "PUT", path: "/pond/two", headers: []string{"x-amz-copy-source: pond/two"}, status: 400, code: "InvalidRequest"},
		{method: "PUT", path: "/pond/two", headers: []string{"x-amz-copy-source: pond/two", "x-amz-metadata-directive: REPLACE", "x-amz-meta-n: 2"}, status: 200},
		{method: "DELETE", path: "/pond/a%20b%2Fc", status: 204},
		{method: "GET", path: "/pond/two", status: 200, has: []string{"datadata", "X-Amz-Meta-N: 2", "X-Amz-Meta-M: "}},
		{method: "PUT", path: "/pond/three", headers: []string{"x-amz-copy-source: pond/none"}, status: 404, code: "NoSuchKey"},
		{method: "PUT", path: "/pond/three", headers: []string{"x-amz-copy-source: pond"}, status: 400, code: "InvalidArgument"},
		{method: "PUT", path: "/pond/three", headers: []string{"x-amz-copy-source: pond/two", "x-amz-copy-source-if-match: x"}, status: 412, code: "PreconditionFailed"},
		{method: "PUT", path: "/pond/three", headers: []string{"x-amz-copy-source: pond/two", "x-amz-checksum-algorithm: SHA1"}, status: 200, has: []string{"<ChecksumSHA1>"}},
		{who: bob, method: "PUT", path: "/lake/mine", headers: []string{"x-amz-copy-source: pond/two"}, status: 403, code: "AccessDenied"},
		{method: "PUT", path: "/pond/mine", headers: []string{"x-amz-copy-source: karri-images/ami-1"}, status: 404, code: "NoSuchBucket"},
	})
}

func TestChecksums(t *testing.T) {
	play(t, start(t), []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/k", body: "123456789", headers: []string{"x-amz-checksum-crc32c: 4waSgw==", "x-amz-sdk-checksum-algorithm: CRC32C"}, status: 200, has: []string{"X-Amz-Checksum-Crc32c: 4waSgw==", "X-Amz-Checksum-Type: FULL_OBJECT"}},
		{method: "HEAD", path: "/pond/k", headers: []string{"x-amz-checksum-mode: ENABLED"}, status: 200, has: []string{"X-Amz-Checksum-Crc32c: 4waSgw=="}},
		{method: "HEAD", path: "/pond/k", status: 200, has: []string{"X-Amz-Checksum-Crc32c: "}},
		{method: "GET", path: "/pond/k", headers: []string{"x-amz-checksum-mode: ENABLED", "Range: bytes=0-1"}, status: 206, has: []string{"X-Amz-Checksum-Crc32c: "}},
		{method: "PUT", path: "/pond/k", body: "12345678x", headers: []string{"x-amz-checksum-crc32c: 4waSgw=="}, status: 400, code: "BadDigest"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-checksum-crc32c: 4waSgwx=="}, status: 400, code: "InvalidRequest"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-checksum-crc32c: 4waSgw==", "x-amz-checksum-crc32: y/Q5Jg=="}, status: 400, code: "InvalidRequest"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-sdk-checksum-algorithm: CRC32"}, status: 400, code: "InvalidRequest"},
		{method: "PUT", path: "/pond/d", body: "123456789", status: 200, has: []string{"X-Amz-Checksum-Crc64nvme: rosUhgp5mIg="}},
	})
}

func TestDeleteMany(t *testing.T) {
	w := start(t)
	body := "<Delete><Object><Key>a</Key></Object><Object><Key>b&amp;/..</Key></Object><Object><Key>c</Key><VersionId>x</VersionId></Object></Delete>"
	sum := md5.Sum([]byte(body))
	proof := "Content-MD5: " + base64.StdEncoding.EncodeToString(sum[:])
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/a", body: "x", status: 200},
		{method: "PUT", path: "/pond/c", body: "x", status: 200},
		{method: "POST", path: "/pond?delete", body: body, status: 400, code: "InvalidRequest"},
		{method: "POST", path: "/pond?delete", body: body + " ", headers: []string{proof}, status: 400, code: "BadDigest"},
		{who: bob, method: "POST", path: "/pond?delete", body: body, headers: []string{proof}, status: 403, code: "AccessDenied"},
		{method: "HEAD", path: "/pond/a", status: 200},
	})
	a := w.Do(t, ann, "POST", "/pond?delete", body, proof)
	if a.Status != 200 || !strings.Contains(a.Body, "<Deleted><Key>a</Key></Deleted>") || !strings.Contains(a.Body, "<Error><Key>c</Key><VersionId>x</VersionId><Code>NoSuchVersion</Code>") {
		t.Errorf("%+v", a)
	}
	play(t, w, []ask{{method: "HEAD", path: "/pond/a", status: 404}, {method: "HEAD", path: "/pond/c", status: 200}})
}

func TestOddKeysStayWhatTheyAre(t *testing.T) {
	w := start(t)
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}})
	for _, raw := range []string{"a//b", "../x", "a/../b", "%252F", "a%2Fb%2F", "a+b", "a%20b", "%C3%BC", ".", "..", "end/", "%3Fq", "a%26b%3Dc", "%00", "a;b", "~", "*"} {
		play(t, w, []ask{
			{method: "PUT", path: "/pond/" + raw, body: raw, status: 200},
			{method: "GET", path: "/pond/" + raw, status: 200, has: []string{raw}},
			{method: "GET", path: "/" + raw, headers: []string{"Host: pond.s3.test"}, status: 200, has: []string{raw}},
		})
	}
	list := w.Do(t, ann, "GET", "/pond?list-type=2&encoding-type=url", "")
	for _, key := range []string{"<Key>a//b</Key>", "<Key>../x</Key>", "<Key>%252F</Key>", "<Key>a%2Bb</Key>", "<Key>a%20b</Key>", "<Key>%00</Key>"} {
		if !strings.Contains(list.Body, key) {
			t.Errorf("no %s in %s", key, list.Body)
		}
	}
	play(t, w, []ask{{method: "PUT", path: "/pond/%FF", body: "x", status: 400, code: "InvalidURI"}})
}

func TestAnonymousAndForged(t *testing.T) {
	w := start(t)
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}, {method: "PUT", path: "/pond/k", body: "x", status: 200}})
	for _, path := range []string{"/", "/pond", "/pond/k"} {
		if a := w.Send(t, w.Request(t, http.MethodGet, path, "")); a.Status != 403 || a.Code() != "AccessDenied" {
			t.Errorf("%s: %+v", path, a)
		}
	}
	forged := ann
	forged.Secret = "wrong"
	unknown := ann
	unknown.AccessKey = "AKIAUNKNOWN000000000"
	play(t, w, []ask{
		{who: forged, method: "GET", path: "/pond/k", status: 403, code: "SignatureDoesNotMatch"},
		{who: unknown, method: "GET", path: "/pond/k", status: 403, code: "InvalidAccessKeyId"},
	})
	if a := w.Send(t, w.Request(t, http.MethodOptions, "/pond/k", "", "Origin: http://x", "Access-Control-Request-Method: GET")); a.Code() != "AccessForbidden" {
		t.Errorf("%+v", a)
	}
}
