package s3_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestTags(t *testing.T) {
	w := versioned(t)
	one := w.put(t, "k", "one", "x-amz-tagging: a=1&b=2%20")
	two := w.put(t, "k", "two")
	tags := func(target string) string {
		t.Helper()
		var all []string
		_, rest, _ := strings.Cut(w.wants(t, 200, "GET", target, "").Body.String(), "<TagSet>")
		for _, tag := range strings.Split(rest, "</Tag>")[:strings.Count(rest, "</Tag>")] {
			all = append(all, strings.NewReplacer("<Tag>", "", "<Key>", "", "</Key>", "=", "<Value>", "", "</Value>", "").Replace(tag))
		}
		return strings.Join(all, "&")
	}
	if got := tags("/pond/k?tagging&versionId=" + one); got != "a=1&b=2 " {
		t.Errorf("%q", got)
	}
	if got := tags("/pond/k?tagging"); got != "" {
		t.Errorf("%q", got)
	}
	const doc = `<Tagging><TagSet><Tag><Key>c</Key><Value>3</Value></Tag></TagSet></Tagging>`
	rec := w.wants(t, 200, "PUT", "/pond/k?tagging", doc, contentMD5(doc))
	if versionOf(rec) != two || tags("/pond/k?tagging&versionId="+two) != "c=3" {
		t.Errorf("%v", rec.Result().Header)
	}
	for target, want := range map[string]string{"/pond/k?versionId=" + one: "2", "/pond/k": "1"} {
		if n := header(w.wants(t, 200, "HEAD", target, ""), "x-amz-tagging-count"); n != want {
			t.Errorf("%s has %q tags", target, n)
		}
	}
	w.wants(t, 200, "PUT", "/pond/copy", "", "x-amz-copy-source: /pond/k")
	w.wants(t, 200, "PUT", "/pond/other", "", "x-amz-copy-source: /pond/k", "x-amz-tagging-directive: REPLACE", "x-amz-tagging: d=4")
	if a, b := tags("/pond/copy?tagging"), tags("/pond/other?tagging"); a != "c=3" || b != "d=4" {
		t.Errorf("%q, %q", a, b)
	}
	w.wants(t, 204, "DELETE", "/pond/k?tagging&versionId="+one, "")
	if got := tags("/pond/k?tagging&versionId=" + one); got != "" {
		t.Errorf("%q", got)
	}
	w.refuses(t, "InvalidArgument", "PUT", "/pond/copy", "", "x-amz-copy-source: /pond/k", "x-amz-tagging-directive: some")
	w.refuses(t, "InvalidTag", "PUT", "/pond/k", "", "x-amz-tagging: aws:x=1")
	w.refuses(t, "InvalidArgument", "PUT", "/pond/k", "", "x-amz-tagging: a=1&a=2")
	many := ""
	for i := range 11 {
		many += fmt.Sprintf("<Tag><Key>%d</Key><Value/></Tag>", i)
	}
	many = "<Tagging><TagSet>" + many + "</TagSet></Tagging>"
	w.refuses(t, "BadRequest", "PUT", "/pond/k?tagging", many, contentMD5(many))
	w.refuses(t, "NoSuchKey", "GET", "/pond/none?tagging", "")
	w.refuses(t, "NoSuchVersion", "GET", "/pond/k?tagging&versionId=0000000000000001", "")
	marker := versionOf(w.wants(t, 204, "DELETE", "/pond/k", ""))
	w.refuses(t, "MethodNotAllowed", "GET", "/pond/k?tagging&versionId="+marker, "")
	w.refuses(t, "MethodNotAllowed", "PUT", "/pond/k?tagging&versionId="+marker, doc, contentMD5(doc))
	w.refuses(t, "NoSuchKey", "PUT", "/pond/k?tagging", doc, contentMD5(doc))
}

func TestAttributes(t *testing.T) {
	w := versioned(t)
	v := w.put(t, "k", "hello", "x-amz-storage-class: REDUCED_REDUNDANCY", "x-amz-checksum-crc32c: mnG7TA==")
	all := "x-amz-object-attributes: ETag,Checksum,ObjectParts, StorageClass,ObjectSize"
	rec := w.wants(t, 200, "GET", "/pond/k?attributes&versionId="+v, "", all)
	for _, want := range []string{"<ETag>5d41402abc4b2a76b9719d911017c592</ETag>", "<ChecksumCRC32C>mnG7TA==</ChecksumCRC32C><ChecksumType>FULL_OBJECT</ChecksumType>",
		"<StorageClass>REDUCED_REDUNDANCY</StorageClass>", "<ObjectSize>5</ObjectSize>"} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("no %s in %s", want, rec.Body)
		}
	}
	if strings.Contains(rec.Body.String(), "ObjectParts") || versionOf(rec) != v || header(rec, "Last-Modified") == "" {
		t.Errorf("%v %s", rec.Result().Header, rec.Body)
	}
	if rec := w.wants(t, 200, "GET", "/pond/k?attributes", "", "x-amz-object-attributes: ObjectSize"); strings.Contains(rec.Body.String(), "ETag") {
		t.Errorf("%s", rec.Body)
	}
	w.refuses(t, "InvalidRequest", "GET", "/pond/k?attributes", "")
	w.refuses(t, "InvalidArgument", "GET", "/pond/k?attributes", "", "x-amz-object-attributes: Everything")
	w.refuses(t, "NoSuchKey", "GET", "/pond/none?attributes", "", all)
	w.refuses(t, "InvalidStorageClass", "PUT", "/pond/k", "", "x-amz-storage-class: MARBLE")
	w.put(t, "parts", "", "x-amz-storage-class: STANDARD")
	for _, list := range []string{"list-type=2", "versions"} {
		if s := w.wants(t, 200, "GET", "/pond?"+list, "").Body.String(); strings.Count(s, ">REDUCED_REDUNDANCY<") != 1 || strings.Count(s, ">STANDARD<") != 1 {
			t.Errorf("%s", s)
		}
	}
	if c := header(w.wants(t, 200, "HEAD", "/pond/k", ""), "x-amz-storage-class"); c != "REDUCED_REDUNDANCY" {
		t.Errorf("%q", c)
	}
}

func TestAttributesOfParts(t *testing.T) {
	w := versioned(t)
	id := w.begin(t, "k", "x-amz-checksum-algorithm: CRC32C")
	big := strings.Repeat("x", 5<<20)
	list := ""
	for n, body := range []string{big, big, "end"} {
		rec := w.wants(t, 200, "PUT", fmt.Sprintf("/pond/k?uploadId=%s&partNumber=%d", id, 2*n+1), body)
		list += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", 2*n+1, header(rec, "ETag"))
	}
	w.wants(t, 200, "POST", "/pond/k?uploadId="+id, "<CompleteMultipartUpload>"+list+"</CompleteMultipartUpload>")
	rec := w.wants(t, 200, "GET", "/pond/k?attributes", "", "x-amz-object-attributes: ObjectParts", "x-amz-max-parts: 1", "x-amz-part-number-marker: 1")
	for _, want := range []string{"<PartsCount>3</PartsCount><PartNumberMarker>1</PartNumberMarker><NextPartNumberMarker>3</NextPartNumberMarker><MaxParts>1</MaxParts><IsTruncated>true</IsTruncated><Part><ChecksumCRC32C>",
		"<PartNumber>3</PartNumber><Size>5242880</Size></Part></ObjectParts>"} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("no %s in %s", want, rec.Body)
		}
	}
	w.refuses(t, "InvalidArgument", "GET", "/pond/k?attributes", "", "x-amz-object-attributes: ObjectParts", "x-amz-max-parts: -1")
	rec = w.wants(t, 206, "GET", "/pond/k?partNumber=5", "", "x-amz-checksum-mode: ENABLED")
	if header(rec, "x-amz-checksum-crc32c") != b64(crc32c("end")) || header(rec, "x-amz-mp-parts-count") != "3" || rec.Body.String() != "end" {
		t.Errorf("%v", rec.Result().Header)
	}
}

// begin begins an upload.
func (w *world) begin(t testing.TB, key string, headers ...string) string {
	t.Helper()
	_, rest, _ := strings.Cut(w.wants(t, 200, "POST", path(key)+"?uploads", "", headers...).Body.String(), "<UploadId>")
	id, _, _ := strings.Cut(rest, "</UploadId>")
	return id
}
