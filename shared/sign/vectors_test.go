package sign

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"karri/shared/fault"
)

// The secrets of the published examples.
var published = Secrets(func(_ context.Context, accessKey, token string) (Key, string, error) {
	secret := map[string]string{
		"AKIAIOSFODNN7EXAMPLE": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"AKIDEXAMPLE":          "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		"SUSPENDED":            "suspended",
		"ASIAEXAMPLE":          "for a while",
	}[accessKey]
	if secret == "" {
		return Key{}, "", fault.New(fault.Missing, "NoSuchKey", "There is no key %s.", accessKey)
	}
	if token != "" && accessKey != "ASIAEXAMPLE" || accessKey == "ASIAEXAMPLE" && token != passing {
		return Key{}, "", TokenInvalid
	}
	state := Active
	if accessKey == "SUSPENDED" {
		state = Inactive
	}
	return Key{Account: "111122223333", ARN: "arn:aws:iam::111122223333:root", State: state}, secret, nil
})

func clockAt(stamp string) func() time.Time {
	at, err := time.Parse(stampForm, stamp)
	if err != nil {
		panic(err)
	}
	return func() time.Time { return at }
}

// read parses a request as a server does; lines end in LF here.
func read(t testing.TB, head, body string) *http.Request {
	t.Helper()
	raw := strings.ReplaceAll(strings.TrimSpace(head), "\n", "\r\n") + "\r\n\r\n" + body
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil {
		t.Fatalf("%v in %q", err, raw)
	}
	return r
}

func s3Verifier(stamp string) *Verifier {
	return &Verifier{Dialect: S3, Region: "us-east-1", Services: []string{"s3"}, Keys: published, Clock: clockAt(stamp)}
}

// mustVerify verifies r and reads its body to the end.
func mustVerify(t testing.TB, v *Verifier, r *http.Request) (Identity, *Body, string) {
	t.Helper()
	who, body, err := v.Verify(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return who, body, string(b)
}

// The examples of "Authenticating Requests: Using the Authorization Header"
// in the S3 reference.
func TestPublishedS3HeaderExamples(t *testing.T) {
	const cred = "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="
	const host = "Host: examplebucket.s3.amazonaws.com\n"
	const empty = "x-amz-content-sha256: " + emptyHash + "\nx-amz-date: 20130524T000000Z\n"
	for name, c := range map[string]struct{ head, body string }{
		"get object": {"GET /test.txt HTTP/1.1\n" + host + "Range: bytes=0-9\n" + empty + cred +
			"host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", ""},
		"put object": {"PUT /test%24file.text HTTP/1.1\n" + host + "Date: Fri, 24 May 2013 00:00:00 GMT\nContent-Length: 21\n" +
			"x-amz-date: 20130524T000000Z\nx-amz-storage-class: REDUCED_REDUNDANCY\n" +
			"x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\n" + cred +
			"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
			"Welcome to Amazon S3."},
		"put object, dollar as sent": {"PUT /test$file.text HTTP/1.1\n" + host + "Date: Fri, 24 May 2013 00:00:00 GMT\nContent-Length: 21\n" +
			"x-amz-date: 20130524T000000Z\nx-amz-storage-class: REDUCED_REDUNDANCY\n" +
			"x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\n" + cred +
			"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
			"Welcome to Amazon S3."},
		"get lifecycle": {"GET /?lifecycle HTTP/1.1\n" + host + empty + cred +
			"host;x-amz-content-sha256;x-amz-date,Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", ""},
		"list objects": {"GET /?max-keys=2&prefix=J HTTP/1.1\n" + host + empty + cred +
			"host;x-amz-content-sha256;x-amz-date,Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", ""},
	} {
		t.Run(name, func(t *testing.T) {
			who, _, body := mustVerify(t, s3Verifier("20130524T000000Z"), read(t, c.head, c.body))
			if who.AccessKey != "AKIAIOSFODNN7EXAMPLE" || who.Account != "111122223333" || who.Service != "s3" || body != c.body {
				t.Errorf("got %+v with %q", who, body)
			}
		})
	}
}

func TestPublishedPresignedExample(t *testing.T) {
	head := "GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
		"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
		"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404 HTTP/1.1\nHost: examplebucket.s3.amazonaws.com"
	if who, _, _ := mustVerify(t, s3Verifier("20130524T235959Z"), read(t, head, "")); !who.Presigned {
		t.Errorf("got %+v", who)
	}
	if _, _, err := s3Verifier("20130525T000001Z").Verify(read(t, head, "")); fault.CodeOf(err) != "AccessDenied" {
		t.Errorf("a day and a second later: %v", err)
	}
}

// The chunked upload of "Transferring Payload in Multiple Chunks", without
// and with a trailer.
var chunkedExamples = map[string]struct{ head, body string }{
	"chunks": {`PUT /examplebucket/chunkObject.txt HTTP/1.1
Host: s3.amazonaws.com
x-amz-date: 20130524T000000Z
x-amz-storage-class: REDUCED_REDUNDANCY
Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9
x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD
Content-Encoding: aws-chunked
x-amz-decoded-content-length: 66560
Content-Length: 66824`,
		"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + strings.Repeat("a", 65536) + "\r\n" +
			"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + strings.Repeat("a", 1024) + "\r\n" +
			"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"},
	"chunks and trailer": {`PUT /examplebucket/chunkObject.txt HTTP/1.1
Host: s3.amazonaws.com
x-amz-date: 20130524T000000Z
x-amz-storage-class: REDUCED_REDUNDANCY
Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e
x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
Content-Encoding: aws-chunked
x-amz-decoded-content-length: 66560
x-amz-trailer: x-amz-checksum-crc32c
Content-Length: 66946`,
		"10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" + strings.Repeat("a", 65536) + "\r\n" +
			"400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" + strings.Repeat("a", 1024) + "\r\n" +
			"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
			"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"},
}

func TestPublishedChunkedExamples(t *testing.T) {
	for name, c := range chunkedExamples {
		t.Run(name, func(t *testing.T) {
			_, body, got := mustVerify(t, s3Verifier("20130524T000000Z"), read(t, c.head, c.body))
			if got != strings.Repeat("a", 66560) || body.Length != 66560 || !body.Framed {
				t.Errorf("got %d bytes, length %d", len(got), body.Length)
			}
			if sum := body.Trailer().Get("x-amz-checksum-crc32c"); strings.Contains(name, "trailer") && sum != "sOO8/Q==" {
				t.Errorf("the trailer is %q", sum)
			}
		})
	}
}

// Cases of the published aws4 test suite, in the dialect of the query services.
func TestPublishedSuite(t *testing.T) {
	const date = "\nX-Amz-Date:20150830T123600Z"
	for name, c := range map[string]struct{ head, body, headers, signature string }{
		"get-vanilla":             {"GET / HTTP/1.1\nHost:example.amazonaws.com" + date, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		"get-vanilla-query":       {"GET / HTTP/1.1\nHost:example.amazonaws.com" + date, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		"query-order-key-case":    {"GET /?Param2=value2&Param1=value1 HTTP/1.1\nHost:example.amazonaws.com" + date, "", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		"empty-query-key":         {"GET /?Param1=value1 HTTP/1.1\nHost:example.amazonaws.com" + date, "", "host;x-amz-date", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
		"query-unreserved":        {"GET /?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz HTTP/1.1\nHost:example.amazonaws.com" + date, "", "host;x-amz-date", "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
		"normalize slash":         {"GET // HTTP/1.1\nHost:example.amazonaws.com" + date, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		"normalize slash-dot":     {"GET /./ HTTP/1.1\nHost:example.amazonaws.com" + date, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		"normalize relative":      {"GET /example/.. HTTP/1.1\nHost:example.amazonaws.com" + date, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		"post-vanilla":            {"POST / HTTP/1.1\nHost:example.amazonaws.com" + date, "", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		"post-x-www-form":         {"POST / HTTP/1.1\nContent-Type:application/x-www-form-urlencoded\nHost:example.amazonaws.com\nContent-Length: 13" + date, "Param1=value1", "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
		"post-header-key-sort":    {"POST / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1:value1" + date, "", "host;my-header1;x-amz-date", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
		"get-header-value-trim":   {"GET / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1: value1\nMy-Header2: \"a   b   c\"" + date, "", "host;my-header1;my-header2;x-amz-date", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
		"get-header-key-repeated": {"GET / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1:value2\nMy-Header1:value2\nMy-Header1:value1" + date, "", "host;my-header1;x-amz-date", "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
	} {
		t.Run(name, func(t *testing.T) {
			v := &Verifier{Dialect: EC2, Region: "us-east-1", Services: []string{"service"}, Keys: published, Clock: clockAt("20150830T123600Z")}
			r := read(t, c.head+"\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders="+
				c.headers+", Signature="+c.signature, c.body)
			if _, _, body := mustVerify(t, v, r); body != c.body {
				t.Errorf("the body is %q", body)
			}
		})
	}
}

// The published examples of version 2: S3's RFC on REST authentication, and
// the EC2 query API.
func TestPublishedVersion2Examples(t *testing.T) {
	const head = "AWS AKIAIOSFODNN7EXAMPLE:"
	bucket := func(r *http.Request) string {
		b, ok := strings.CutSuffix(r.Host, ".s3.amazonaws.com")
		if !ok {
			b, _ = strings.CutSuffix(r.Host, ".s3.us-west-1.amazonaws.com")
		}
		return b
	}
	for name, c := range map[string]struct{ head, date, auth string }{
		"get":    {"GET /photos/puppy.jpg HTTP/1.1\nHost: awsexamplebucket1.us-west-1.s3.amazonaws.com", "Tue, 27 Mar 2007 19:36:42 +0000", "qgk2+6Sv9/oM7G3qLEjTH1a1l1g="},
		"put":    {"PUT /photos/puppy.jpg HTTP/1.1\nContent-Type: image/jpeg\nContent-Length: 0\nHost: awsexamplebucket1.s3.us-west-1.amazonaws.com", "Tue, 27 Mar 2007 21:15:45 +0000", "iqRzw+ileNPu1fhspnRs8nOjjIA="},
		"list":   {"GET /?prefix=photos&max-keys=50&marker=puppy HTTP/1.1\nHost: awsexamplebucket1.s3.us-west-1.amazonaws.com", "Tue, 27 Mar 2007 19:42:41 +0000", "m0WP8eCtspQl5Ahe6L1SozdX9YA="},
		"acl":    {"GET /?acl HTTP/1.1\nHost: awsexamplebucket1.s3.us-west-1.amazonaws.com", "Tue, 27 Mar 2007 19:44:46 +0000", "82ZHiFIjc+WbcwFKGUVEQspPn+0="},
		"bucket": {"GET / HTTP/1.1\nHost: s3.us-west-1.amazonaws.com", "Wed, 28 Mar 2007 01:29:59 +0000", "qGdzdERIC03wnaRNKh6OqZehG9s="},
	} {
		t.Run(name, func(t *testing.T) {
			at, _ := time.Parse(time.RFC1123Z, c.date)
			v := s3Verifier(at.UTC().Format(stampForm))
			v.Bucket = func(r *http.Request) string {
				if strings.HasPrefix(r.Host, "awsexamplebucket1.") {
					return "awsexamplebucket1"
				}
				return bucket(r)
			}
			if name == "bucket" {
				v.Bucket = nil
			}
			who, _, _ := mustVerify(t, v, read(t, c.head+"\nDate: "+c.date+"\nAuthorization: "+head+c.auth, ""))
			if who.Version != 2 || who.Account != "111122223333" {
				t.Errorf("got %+v", who)
			}
		})
	}
}

func TestPublishedQueryVersion2Example(t *testing.T) {
	v := &Verifier{Dialect: EC2, Keys: published, Clock: clockAt("20111003T151930Z")}
	r := read(t, "GET /?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Action=DescribeJobFlows&SignatureMethod=HmacSHA256&SignatureVersion=2&Timestamp=2011-10-03T15%3A19%3A30&Version=2009-03-31&Signature="+
		url.QueryEscape("i91nKc4PWAt0JJIdXwz9HxZCJDdiy6cf/Mj6vPxyYIs=")+" HTTP/1.1\nHost: elasticmapreduce.amazonaws.com", "")
	if who, _, _ := mustVerify(t, v, r); who.Version != 2 {
		t.Errorf("got %+v", who)
	}
}
