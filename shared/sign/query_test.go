package sign

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

func ec2AtNoon() *Verifier {
	return &Verifier{Dialect: EC2, Region: "us-east-1", Services: []string{"ec2", "sts"}, Keys: published, Clock: func() time.Time { return noon }}
}

func TestAttacksOnQueryServices(t *testing.T) {
	to := serve(t, ec2AtNoon())
	const form = "Action=RunInstances&MinCount=1&Version=2016-11-15"
	honest := signed(t, Scope{"us-east-1", "ec2", noon}, "POST", "http://cloud.example/", form, "Content-Type", "application/x-www-form-urlencoded")
	sig := signatureOf(honest)
	run(t, to, honest, []attack{
		{"body changed", "MinCount=1", "MinCount=9", "SignatureDoesNotMatch"},
		{"query added", "POST / ", "POST /?MinCount=9 ", "SignatureDoesNotMatch"},
		{"signature changed", sig, flip(sig), "SignatureDoesNotMatch"},
		{"signature short", sig, sig[1:], "IncompleteSignature"},
		{"old", "20260830T120000Z", "20260830T114459Z", "RequestExpired"},
		{"new", "20260830T120000Z", "20260830T121501Z", "RequestExpired"},
		{"region", "/us-east-1/", "/us-west-2/", "SignatureDoesNotMatch"},
		{"service", "/ec2/", "/s3/", "SignatureDoesNotMatch"},
		{"allowed but other service", "/ec2/", "/sts/", "SignatureDoesNotMatch"},
		{"unknown key", "AKIDEXAMPLE", "AKIDOTHER", "AuthFailure"},
		{"token", "User-Agent", "X-Amz-Security-Token: t\r\nUser-Agent", "SignatureDoesNotMatch"},
		{"hash header", "User-Agent", "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\nUser-Agent", "SignatureDoesNotMatch"},
		{"mixed", "POST / ", "POST /?X-Amz-Signature=x ", "InvalidParameterCombination"},
		{"none", "Authorization: ", "X-Other: ", "MissingAuthenticationToken"},
		{"Basic", "AWS4-HMAC-SHA256 ", "Basic ", "IncompleteSignature"},
	})
}

// v2 returns form signed with version 2 for method and host.
func v2(method, host, algorithm, form string, newHash func() hash.Hash) string {
	ps, err := parsePairs("AWSAccessKeyId=AKIDEXAMPLE&SignatureVersion=2&SignatureMethod=" + algorithm + "&" + form)
	if err != nil {
		panic(err)
	}
	text := ps.canonical("", false)
	h := hmac.New(newHash, []byte(user.Secret))
	io.WriteString(h, method+"\n"+host+"\n/\n"+text)
	return text + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(h.Sum(nil)))
}

func TestAttacksOnVersion2Queries(t *testing.T) {
	to := serve(t, ec2AtNoon())
	get := func(q string) string { return "GET /?" + q + " HTTP/1.1\r\nHost: cloud.example:8773\r\n\r\n" }
	const action = "Action=DescribeInstances&Filter.1.Value.1=a%20b%2A~&"
	for _, c := range []struct {
		name    string
		newHash func() hash.Hash
	}{{"HmacSHA1", sha1.New}, {"HmacSHA256", sha256.New}} {
		run(t, to, get(v2("GET", "cloud.example:8773", c.name, action+"Timestamp=2026-08-30T12:00:00Z", c.newHash)), []attack{
			{"parameter changed", "a%20b", "a%20c", "SignatureDoesNotMatch"},
			{"parameter added", "/?", "/?DryRun=false&", "SignatureDoesNotMatch"},
			{"host", "Host: cloud", "Host: claud", "SignatureDoesNotMatch"},
			{"path", "GET /", "GET /x", "SignatureDoesNotMatch"},
			{"old", "12%3A00%3A00Z", "11%3A44%3A59Z", "RequestExpired"},
			{"future", "12%3A00%3A00Z", "12%3A15%3A01Z", "RequestExpired"},
			{"method of signature", "SignatureMethod=" + c.name, "SignatureMethod=HmacMD5", "IncompleteSignature"},
			{"version 1", "SignatureVersion=2", "SignatureVersion=1", "IncompleteSignature"},
			{"empty signature", "Signature=", "Signature=&X=", "IncompleteSignature"},
			{"two signatures", "&Signature=", "&Signature=x&Signature=", "IncompleteSignature"},
			{"two keys", "AWSAccessKeyId=", "AWSAccessKeyId=x&AWSAccessKeyId=", "IncompleteSignature"},
			{"timestamp and expiry", "/?", "/?Expires=2026-08-30T13:00:00Z&", "IncompleteSignature"},
			{"token", "/?", "/?SecurityToken=x&", "AuthFailure"},
			{"body", "\r\n\r\n", "\r\nContent-Length: 1\r\n\r\nx", "IncompleteSignature"},
			{"method", "GET ", "HEAD ", ""},
		})
	}
	run(t, to, get(v2("GET", "cloud.example:8773", "HmacSHA256", action+"Expires=2026-08-30T12:00:01Z", sha256.New)), []attack{
		{"expiry raised", "Expires=2026", "Expires=2036", "IncompleteSignature"},
		{"expired", "00%3A01Z", "00%3A00Z", "SignatureDoesNotMatch"},
	})
	form := v2("POST", "cloud.example", "HmacSHA256", action+"Timestamp=2026-08-30T12:00:00Z", sha256.New)
	run(t, to, fmt.Sprintf("POST / HTTP/1.1\r\nHost: cloud.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(form), form), []attack{
		{"form changed", "a%20b", "a%20c", "SignatureDoesNotMatch"},
		{"query beside the form", "POST /", "POST /?DryRun=true", "IncompleteSignature"},
		{"header too", "Host:", "Authorization: AWS4-HMAC-SHA256 x\r\nHost:", "InvalidParameterCombination"},
	})
}

func TestAttacksOnVersion2Objects(t *testing.T) {
	sum := func(text string) string {
		h := hmac.New(sha1.New, []byte(user.Secret))
		io.WriteString(h, text)
		return base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	to := serve(t, atNoon())
	const date = "Sun, 30 Aug 2026 12:00:00 +0000"
	run(t, to, "PUT /b/k?acl HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nDate: "+date+"\r\nx-amz-acl: private\r\nAuthorization: AWS AKIDEXAMPLE:"+
		sum("PUT\n\n\n"+date+"\nx-amz-acl:private\n/b/k?acl")+"\r\n\r\nabc", []attack{
		{"header changed", "private", "public-read", "SignatureDoesNotMatch"},
		{"header added", "Host:", "x-amz-copy-source: a\r\nHost:", "SignatureDoesNotMatch"},
		{"sub-resource changed", "?acl", "?policy", "SignatureDoesNotMatch"},
		{"sub-resource added", "?acl", "?acl&versionId=1", "SignatureDoesNotMatch"},
		{"unknown sub-resource", "?acl", "?acl&somethingNew", "NotImplemented"},
		{"path", "/b/k", "/b/l", "SignatureDoesNotMatch"},
		{"old", "12:00:00 +0000", "11:44:59 +0000", "RequestTimeTooSkewed"},
		{"no date", "Date:", "X:", "AccessDenied"},
		{"no signature", "AKIDEXAMPLE:", "AKIDEXAMPLE ", "AuthorizationHeaderMalformed"},
		{"token", "Host:", "x-amz-security-token: a\r\nHost:", "InvalidToken"},
	})
	// A name that another begins with comes before it, though '-' sorts before ':'.
	run(t, to, "PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nDate: "+date+"\r\nx-amz-copy-source: a/b\r\nx-amz-copy-source-if-match: e\r\nAuthorization: AWS AKIDEXAMPLE:"+
		sum("PUT\n\n\n"+date+"\nx-amz-copy-source:a/b\nx-amz-copy-source-if-match:e\n/b/k")+"\r\n\r\n", []attack{
		{"source", "a/b", "a/c", "SignatureDoesNotMatch"},
	})
	end := fmt.Sprint(noon.Add(time.Minute).Unix())
	run(t, to, "GET /b/k?AWSAccessKeyId=AKIDEXAMPLE&Expires="+end+"&Signature="+url.QueryEscape(sum("GET\n\n\n"+end+"\n/b/k"))+" HTTP/1.1\r\nHost: h\r\n\r\n", []attack{
		{"expiry raised", end, end + "0", "SignatureDoesNotMatch"},
		{"expired", end, "1", "AccessDenied"},
		{"expiry negative", end, "-1", "AuthorizationQueryParametersError"},
		{"expiry doubled", "Expires=" + end, "Expires=" + end + "&Expires=" + end, "AuthorizationQueryParametersError"},
		{"object", "/b/k", "/b/l", "SignatureDoesNotMatch"},
		{"method", "GET", "DELETE", "SignatureDoesNotMatch"},
		{"signature missing", "&Signature=", "&S=", "AuthorizationQueryParametersError"},
		{"header as a parameter", "?AWS", "?x-amz-acl=public-read&AWS", "SignatureDoesNotMatch"},
		{"type as a parameter", "?AWS", "?content-type=text/html&AWS", "SignatureDoesNotMatch"},
		{"token as a parameter", "?AWS", "?x-amz-security-token=a&AWS", "InvalidToken"},
	})
	run(t, to, "PUT /b/k?x-amz-acl=private&content-type=a%2Fb&AWSAccessKeyId=AKIDEXAMPLE&Expires="+end+"&Signature="+
		url.QueryEscape(sum("PUT\n\na/b\n"+end+"\nx-amz-acl:private\n/b/k"))+" HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", []attack{
		{"lifted header changed", "acl=private", "acl=public-read", "SignatureDoesNotMatch"},
		{"lifted header overruled", "Host:", "x-amz-acl: public-read\r\nHost:", "SignatureDoesNotMatch"},
		{"lifted type overruled", "Host:", "Content-Type: text/html\r\nHost:", "SignatureDoesNotMatch"},
	})
}

const odd = "abzAZ019 -._~!$&'()*+,:=@/%é"

func oddText(rnd *rand.Rand, from string) string {
	rs := []rune(from)
	var b strings.Builder
	for range 1 + rnd.IntN(8) {
		b.WriteRune(rs[rnd.IntN(len(rs))])
	}
	return b.String()
}

// The signer of the SDK is the oracle: what it signs is accepted as a server
// reads it, and refused with one digit changed.
func TestTheSDKsSignaturesAreAccepted(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	creds := aws.Credentials{AccessKeyID: user.AccessKey, SecretAccessKey: user.Secret}
	for i := range 2000 {
		v, service := atNoon(), "s3"
		if i%2 == 1 {
			v, service = ec2AtNoon(), "ec2"
		}
		body := oddText(rnd, odd)
		r := request(t, []string{"GET", "PUT", "POST"}[rnd.IntN(3)], "http://h.example:8080/", body)
		r.URL.Path = "/" + oddText(rnd, odd)
		r.URL.RawPath = encode(r.URL.Path, true)
		q := url.Values{}
		for range rnd.IntN(4) {
			q.Add(oddText(rnd, odd), oddText(rnd, odd))
		}
		r.URL.RawQuery = q.Encode()
		r.Header.Set("X-Amz-Meta-A", "  "+oddText(rnd, "ab  c")+"  x")
		signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
		hash := hashHex([]byte(body))
		presigned := i%3 == 0
		if presigned && service == "s3" {
			hash = UnsignedPayload
		}
		var err error
		if presigned {
			r.URL.RawQuery += "&X-Amz-Expires=60"
			var signed string
			var headers http.Header
			if signed, headers, err = signer.PresignHTTP(context.Background(), creds, r, hash, service, "us-east-1", noon); err == nil {
				r, err = http.NewRequest(r.Method, signed, strings.NewReader(body))
			}
			if err == nil {
				r.Header = headers
			}
		} else {
			if service == "s3" {
				r.Header.Set("X-Amz-Content-Sha256", hash)
			}
			err = signer.SignHTTP(context.Background(), creds, r, hash, service, "us-east-1", noon)
		}
		if err != nil {
			t.Fatal(err)
		}
		wire := raw(t, r)
		if err := tryRaw(v, wire); err != nil {
			t.Fatalf("%d: %v\n%s", i, err, wire)
		}
		sig := signatureOf(wire)
		if err := tryRaw(v, strings.Replace(wire, sig, flip(sig), 1)); err == nil {
			t.Fatalf("%d: accepted with another signature\n%s", i, wire)
		}
	}
}

// tryRaw verifies a request as a server reads it from the wire.
func tryRaw(v *Verifier, wire string) error {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		return err
	}
	_, body, err := v.Verify(r)
	if err == nil {
		_, err = io.Copy(io.Discard, body)
	}
	return err
}

// Comparison in constant time is held in the source: every comparison of a
// computed signature goes through hmac.Equal.
func TestSignaturesAreComparedByHmacEqualAlone(t *testing.T) {
	for _, file := range []string{"sign.go", "v4.go", "v2.go", "chunked.go", "client.go"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(b), "\n") {
			compares := strings.Contains(line, "==") || strings.Contains(line, "!=") || strings.Contains(line, "bytes.Equal")
			if compares && (strings.Contains(line, "want") && strings.Contains(line, "ignature") || strings.Contains(line, "Sum(nil)") || strings.Contains(line, "signString(")) {
				t.Errorf("%s:%d compares a signature: %s", file, n+1, line)
			}
		}
		if bytes.Contains(b, []byte("reflect.DeepEqual")) {
			t.Errorf("%s uses reflect.DeepEqual", file)
		}
	}
}

func FuzzAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260830/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + emptyHash)
	f.Add("AWS AKIDEXAMPLE:c2lnbmF0dXJl")
	f.Add("Basic x")
	f.Fuzz(func(t *testing.T, auth string) {
		for _, v := range []*Verifier{atNoon(), ec2AtNoon()} {
			r := &http.Request{Method: "GET", URL: &url.URL{Path: "/k"}, Host: "h", Header: http.Header{"Authorization": {auth},
				"X-Amz-Date": {"20260830T120000Z"}, "X-Amz-Content-Sha256": {emptyHash}}}
			if who, _, err := v.Verify(r); err == nil {
				t.Errorf("%q is accepted as %+v", auth, who)
			}
		}
	})
}

func FuzzPresigned(f *testing.F) {
	f.Add("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260830%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260830T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=" + emptyHash)
	f.Add("AWSAccessKeyId=AKIDEXAMPLE&Expires=1788091300&Signature=x")
	f.Add("AWSAccessKeyId=AKIDEXAMPLE&SignatureVersion=2&SignatureMethod=HmacSHA1&Timestamp=2026-08-30T12:00:00Z&Signature=x")
	f.Fuzz(func(t *testing.T, query string) {
		for _, v := range []*Verifier{atNoon(), ec2AtNoon()} {
			r := &http.Request{Method: "GET", URL: &url.URL{Path: "/k", RawQuery: query}, Host: "h", Header: http.Header{}}
			if who, _, err := v.Verify(r); err == nil && !who.Anonymous {
				t.Errorf("%q is accepted as %+v", query, who)
			}
		}
	})
}
