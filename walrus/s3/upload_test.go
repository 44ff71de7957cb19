package s3_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"karri/walrus/index"
)

func crc32c(b string) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.Checksum([]byte(b), crc32.MakeTable(crc32.Castagnoli)))
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// parts uploads bodies as parts, each with its CRC32C, and returns the list of them.
func (w *world) parts(t testing.TB, key, id string, bodies ...string) string {
	t.Helper()
	list := "<CompleteMultipartUpload>"
	for i, body := range bodies {
		rec := w.wants(t, 200, "PUT", fmt.Sprintf("%s?uploadId=%s&partNumber=%d", path(key), id, i+1), body, "x-amz-checksum-crc32c: "+b64(crc32c(body)))
		list += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag><ChecksumCRC32C>%s</ChecksumCRC32C></Part>", i+1, header(rec, "ETag"), b64(crc32c(body)))
	}
	return list + "</CompleteMultipartUpload>"
}

// TestPartsProveAChecksumThatTheUploadDidNotName completes as clients do that
// name no algorithm when they begin, and send and expect a checksum all the same.
func TestPartsProveAChecksumThatTheUploadDidNotName(t *testing.T) {
	w := versioned(t)
	big := strings.Repeat("x", 5<<20)
	composite := b64(crc32c(string(crc32c(big)) + string(crc32c("end"))))
	whole := b64(crc32c(big + "end"))
	for _, c := range []struct {
		begin, said, kept, kind string
		status                  int
	}{
		{"", composite, composite + "-2", "COMPOSITE", 200},
		{"", composite + "-2", composite + "-2", "COMPOSITE", 200},
		{"", whole, whole, "FULL_OBJECT", 200},
		{"", b64(crc32c("other")), "", "", 400},
		{"x-amz-checksum-algorithm: CRC32C", composite, composite + "-2", "COMPOSITE", 200},
		{"x-amz-checksum-algorithm: CRC32C", whole, "", "", 400},
		{"x-amz-checksum-algorithm: CRC32", composite, "", "", 400},
	} {
		var headers []string
		if c.begin != "" {
			headers = append(headers, c.begin)
		}
		id := w.begin(t, "k", headers...)
		if strings.HasSuffix(c.begin, "CRC32") {
			w.refuses(t, "InvalidRequest", "PUT", "/pond/k?partNumber=1&uploadId="+id, "x", "x-amz-checksum-crc32c: "+b64(crc32c("x")))
			continue
		}
		rec := w.wants(t, c.status, "POST", "/pond/k?uploadId="+id, w.parts(t, "k", id, big, "end"), "x-amz-checksum-crc32c: "+c.said)
		if c.status != 200 {
			continue
		}
		if want := "<ChecksumCRC32C>" + c.kept; !strings.Contains(rec.Body.String(), want+"<") || !strings.Contains(rec.Body.String(), c.kind) {
			t.Errorf("%v: %s", c, rec.Body)
		}
		rec = w.wants(t, 200, "HEAD", "/pond/k", "", "x-amz-checksum-mode: ENABLED")
		if header(rec, "x-amz-checksum-crc32c") != c.kept || header(rec, "x-amz-checksum-type") != c.kind {
			t.Errorf("%v: %v", c, rec.Result().Header)
		}
	}
	id := w.begin(t, "k")
	list := w.parts(t, "k", id, "end")
	w.refuses(t, "InvalidPart", "POST", "/pond/k?uploadId="+id, strings.ReplaceAll(list, b64(crc32c("end")), b64(crc32c("x"))))
	w.refuses(t, "InvalidRequest", "POST", "/pond/k?uploadId="+id, list, "x-amz-checksum-crc32c: "+whole, "x-amz-checksum-crc32: AAAAAA==")
	w.wants(t, 200, "POST", "/pond/k?uploadId="+id, list, "x-amz-checksum-crc32c: "+b64(crc32c("end")), "x-amz-checksum-type: FULL_OBJECT")
	id = w.begin(t, "k", "x-amz-checksum-algorithm: CRC32C")
	w.refuses(t, "InvalidRequest", "POST", "/pond/k?uploadId="+id, w.parts(t, "k", id, "end"), "x-amz-checksum-type: FULL_OBJECT")
}

func TestACompletionIsRepeatedAfterItsObjectWasOverwritten(t *testing.T) {
	w := versioned(t)
	id := w.begin(t, "k")
	list := w.parts(t, "k", id, "end")
	rec := w.wants(t, 200, "POST", "/pond/k?uploadId="+id, list)
	v := versionOf(rec)
	w.put(t, "k", "over")
	if rec = w.wants(t, 200, "POST", "/pond/k?uploadId="+id, list); versionOf(rec) != v {
		t.Errorf("%v", rec.Result().Header)
	}
	w.wants(t, 204, "DELETE", "/pond/k", "")
	w.wants(t, 200, "POST", "/pond/k?uploadId="+id, list)
	w.refuses(t, "NoSuchUpload", "POST", "/pond/k?uploadId="+id, strings.ReplaceAll(list, `<ETag>"`, `<ETag>"00`))
	w.wants(t, 204, "DELETE", "/pond/k?versionId="+v, "")
	w.refuses(t, "NoSuchUpload", "POST", "/pond/k?uploadId="+id, list)
}

func TestConditionsOfDeletes(t *testing.T) {
	for _, versioning := range []string{"", index.Enabled, index.Suspended} {
		w := versioned(t)
		if versioning == "" {
			w = newWorld(t)
			w.wants(t, 200, "PUT", "/pond", "")
		} else {
			w.versioning(t, versioning)
		}
		w.put(t, "k", "x")
		w.refuses(t, "PreconditionFailed", "DELETE", "/pond/k", "", `If-Match: "00"`)
		w.wants(t, 200, "HEAD", "/pond/k", "")
		w.wants(t, 204, "DELETE", "/pond/k", "", `If-Match: "`+etagOf([]byte("x"))+`"`)
		w.refuses(t, "NoSuchKey", "DELETE", "/pond/k", "", "If-Match: *")
		w.put(t, "k", "y", "If-None-Match: *")
		w.refuses(t, "PreconditionFailed", "PUT", "/pond/k", "y", "If-None-Match: *")
		w.wants(t, 204, "DELETE", "/pond/k", "", "If-Match: *")
	}
}

func TestCopiesOfOneselfAndOfHalves(t *testing.T) {
	w := versioned(t)
	w.put(t, "k", "x", "x-amz-meta-a: 1", "x-amz-website-redirect-location: /there", "x-amz-storage-class: REDUCED_REDUNDANCY")
	self := "x-amz-copy-source: /pond/k"
	w.wants(t, 200, "PUT", "/pond/k", "", self) // class and redirection go
	w.refuses(t, "InvalidRequest", "PUT", "/pond/k", "", self)
	w.refuses(t, "InvalidRequest", "PUT", "/pond/k", "", self, "x-amz-storage-class: STANDARD")
	w.wants(t, 200, "PUT", "/pond/k", "", self, "x-amz-website-redirect-location: http://else.example/")
	w.refuses(t, "InvalidRedirectLocation", "PUT", "/pond/k", "", self, "x-amz-website-redirect-location: else")
	w.refuses(t, "InvalidArgument", "PUT", "/pond/k", "", self, "x-amz-metadata-directive: KEEP")
	w.wants(t, 200, "PUT", "/pond/copy", "", self, "x-amz-checksum-algorithm: SHA256")
	rec := w.wants(t, 200, "HEAD", "/pond/copy", "", "x-amz-checksum-mode: ENABLED")
	if header(rec, "x-amz-checksum-sha256") == "" || header(rec, "x-amz-meta-a") != "1" || header(rec, "x-amz-website-redirect-location") != "" {
		t.Errorf("%v", rec.Result().Header)
	}
	w.wants(t, 200, "PUT", "/pond/k", "", self, "x-amz-metadata-directive: REPLACE", "x-amz-meta-b: 2")
	if rec := w.wants(t, 200, "HEAD", "/pond/k", ""); header(rec, "x-amz-meta-b") != "2" || header(rec, "x-amz-meta-a") != "" {
		t.Errorf("%v", rec.Result().Header)
	}
	id := w.begin(t, "parts")
	for _, bad := range []string{"bytes=0-1", "bytes=1-0", "0-0", "bytes=0-", "bytes=-1"} {
		w.refuses(t, "InvalidArgument", "PUT", "/pond/parts?partNumber=1&uploadId="+id, "", self, "x-amz-copy-source-range: "+bad)
	}
	w.wants(t, 200, "PUT", "/pond/parts?partNumber=1&uploadId="+id, "", self, "x-amz-copy-source-range: bytes=0-0")
}
