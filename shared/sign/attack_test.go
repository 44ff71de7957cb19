package sign

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"karri/shared/fault"
)

var (
	user = Credentials{AccessKey: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	noon = time.Date(2026, 8, 30, 12, 0, 0, 0, time.UTC)
)

// serve answers 200 with the identity and content of what v accepts, else the
// public code, as a door would: it reads to io.EOF before it says yes.
func serve(t testing.TB, v *Verifier) net.Addr {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, body, err := v.Verify(r)
		var content []byte
		if err == nil {
			content, err = io.ReadAll(body)
		}
		if err != nil {
			http.Error(w, fault.CodeOf(err), http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, "ok %s %q", who.Account, content)
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr()
}

// send writes raw bytes to a socket and returns status and text of the answer.
func send(t testing.TB, to net.Addr, raw string) (int, string) {
	t.Helper()
	c, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		return 0, err.Error()
	}
	c.(*net.TCPConn).CloseWrite() // a body announced too long ends here
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err.Error() // closed without an answer: refused
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(text))
}

// raw returns the bytes of r, which a client signed.
func raw(t testing.TB, r *http.Request) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func request(t testing.TB, method, url, body string, headers ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	r.Header.Set("User-Agent", "test")
	return r
}

func signed(t testing.TB, s Scope, method, url, body string, headers ...string) string {
	t.Helper()
	r := request(t, method, url, body, headers...)
	if err := Request(r, user, s, ""); err != nil {
		t.Fatal(err)
	}
	return raw(t, r)
}

// An attack changes the bytes of an honest request.
type attack struct {
	name     string
	old, new string // replaced once; old must be there
	code     string
}

func run(t *testing.T, to net.Addr, honest string, attacks []attack) {
	t.Helper()
	if status, text := send(t, to, honest); status != 200 || !strings.HasPrefix(text, "ok 111122223333") {
		t.Fatalf("CONTROL: %d %s\n%s", status, text, honest)
	}
	for _, a := range attacks {
		if !strings.Contains(honest, a.old) {
			t.Fatalf("%s: %q is not in the honest request\n%s", a.name, a.old, honest)
		}
		status, text := send(t, to, strings.Replace(honest, a.old, a.new, 1))
		if status == 200 || !strings.HasPrefix(text, a.code) {
			t.Errorf("%s: got %d %s, want %s", a.name, status, text, a.code)
		}
	}
	if status, text := send(t, to, honest); status != 200 {
		t.Errorf("CONTROL after: %d %s", status, text)
	}
}

func signatureOf(raw string) string {
	_, after, _ := strings.Cut(raw, "Signature=")
	return after[:64]
}

// flip changes the last digit of a signature.
func flip(sig string) string {
	if sig[len(sig)-1] == '0' {
		return sig[:len(sig)-1] + "1"
	}
	return sig[:len(sig)-1] + "0"
}

func atNoon() *Verifier {
	return &Verifier{Dialect: S3, Region: "us-east-1", Services: []string{"s3"}, Keys: published, Clock: func() time.Time { return noon }}
}

var s3Scope = Scope{Region: "us-east-1", Service: "s3", At: noon}

func TestAttacksOnSignedHeaders(t *testing.T) {
	honest := signed(t, s3Scope, "PUT", "http://bucket.example/key?versionId=7", "the content", "X-Amz-Acl", "private")
	sig := signatureOf(honest)
	_, line, _ := strings.Cut(honest, "Authorization: ")
	line, _, _ = strings.Cut(line, "\r\n")
	hash := hashHex([]byte("the content"))
	run(t, serve(t, atNoon()), honest, []attack{
		{"truncated signature", sig, sig[:63], "AuthorizationHeaderMalformed"},
		{"no signature", "Signature=" + sig, "Signature=", "AuthorizationHeaderMalformed"},
		{"extended signature", sig, sig + "0", "AuthorizationHeaderMalformed"},
		{"upper-case signature", sig, strings.ToUpper(sig), "AuthorizationHeaderMalformed"},
		{"changed signature", sig, flip(sig), "SignatureDoesNotMatch"},
		{"zero signature", sig, strings.Repeat("0", 64), "SignatureDoesNotMatch"},
		{"two signatures", "Signature=" + sig, "Signature=" + sig + ", Signature=" + sig, "AuthorizationHeaderMalformed"},
		{"two credentials", "Credential=", "Credential=a/20260830/us-east-1/s3/aws4_request, Credential=", "AuthorizationHeaderMalformed"},
		{"unknown part", "Signature=", "Extra=1, Signature=", "AuthorizationHeaderMalformed"},
		{"two Authorization headers", "Authorization: ", "Authorization: " + line + "\r\nAuthorization: ", "InvalidArgument"},
		{"Basic", line, "Basic dXNlcjpwYXNz", "InvalidArgument"},
		{"Bearer", line, "Bearer eyJhbGciOiJub25lIn0.e30.", "InvalidArgument"},
		{"version 4A", "AWS4-HMAC-SHA256 ", "AWS4-ECDSA-P256-SHA256 ", "InvalidArgument"},
		{"empty Authorization", line, "", "InvalidArgument"},
		{"scope of another day", "/20260830/", "/20260829/", "AuthorizationHeaderMalformed"},
		{"scope of another region", "/us-east-1/", "/eu-west-1/", "AuthorizationHeaderMalformed"},
		{"scope of another service", "/s3/", "/ec2/", "AuthorizationHeaderMalformed"},
		{"another terminator", "/aws4_request", "/aws5_request", "AuthorizationHeaderMalformed"},
		{"unknown key", "AKIDEXAMPLE", "AKIDOTHER", "InvalidAccessKeyId"},
		{"other key", "AKIDEXAMPLE", "AKIAIOSFODNN7EXAMPLE", "SignatureDoesNotMatch"},
		{"date moved", "X-Amz-Date: 20260830T120000Z", "X-Amz-Date: 20260830T120001Z", "SignatureDoesNotMatch"},
		{"date too old", "X-Amz-Date: 20260830T120000Z", "X-Amz-Date: 20260830T114459Z", "RequestTimeTooSkewed"},
		{"date too new", "X-Amz-Date: 20260830T120000Z", "X-Amz-Date: 20260830T121501Z", "RequestTimeTooSkewed"},
		{"two dates", "X-Amz-Date:", "X-Amz-Date: 20260830T120000Z\r\nX-Amz-Date:", "AccessDenied"},
		{"no date", "X-Amz-Date: 20260830T120000Z\r\n", "", "AccessDenied"},
		{"body changed", "the content", "The content", "XAmzContentSHA256Mismatch"},
		{"hash and body changed", hash, hashHex([]byte("x")), "SignatureDoesNotMatch"},
		{"hash made unsigned", hash, UnsignedPayload, "SignatureDoesNotMatch"},
		{"hash dropped", "X-Amz-Content-Sha256: " + hash + "\r\n", "", ""},
		{"hash twice", "X-Amz-Content-Sha256: ", "X-Amz-Content-Sha256: " + hash + "\r\nX-Amz-Content-Sha256: ", ""},
		{"query changed", "versionId=7", "versionId=8", "SignatureDoesNotMatch"},
		{"query added", "versionId=7", "versionId=7&acl", "SignatureDoesNotMatch"},
		{"query dropped", "?versionId=7", "", "SignatureDoesNotMatch"},
		{"path changed", "PUT /key", "PUT /kez", "SignatureDoesNotMatch"},
		{"path with dots", "PUT /key", "PUT /x/../key", "SignatureDoesNotMatch"},
		{"path with two slashes", "PUT /key", "PUT //key", "SignatureDoesNotMatch"},
		{"method changed", "PUT ", "POST ", "SignatureDoesNotMatch"},
		{"host changed", "Host: bucket.example", "Host: other.example", "SignatureDoesNotMatch"},
		{"signed header changed", "X-Amz-Acl: private", "X-Amz-Acl: public-read", "SignatureDoesNotMatch"},
		{"signed header dropped", "X-Amz-Acl: private\r\n", "", "SignatureDoesNotMatch"},
		{"signed header doubled", "X-Amz-Acl: private", "X-Amz-Acl: private\r\nX-Amz-Acl: public-read", "SignatureDoesNotMatch"},
		{"unsigned x-amz header", "User-Agent", "X-Amz-Copy-Source: /a/b\r\nUser-Agent", "AccessDenied"},
		{"header and query", "?versionId=7", "?versionId=7&X-Amz-Signature=" + sig, "InvalidArgument"},
		{"header and version 2 query", "?versionId=7", "?versionId=7&AWSAccessKeyId=AKIDEXAMPLE", "InvalidArgument"},
		{"token", "User-Agent", "X-Amz-Security-Token: t\r\nUser-Agent", "AccessDenied"},
		{"trusted proxy headers", sig + "\r\n", flip(sig) + "\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-User: root\r\n", "SignatureDoesNotMatch"},
		{"signed headers out of order", "SignedHeaders=host;", "SignedHeaders=zost;host;", "AuthorizationHeaderMalformed"},
		{"Content-Length and chunked", "Content-Length: 11", "Content-Length: 11\r\nTransfer-Encoding: chunked", ""},
		{"two lengths", "Content-Length: 11", "Content-Length: 11\r\nContent-Length: 12", ""},
		{"space before colon", "X-Amz-Acl: ", "X-Amz-Acl : ", ""},
		{"signed length", "Content-Length: 11", "Content-Length: +11", ""},
		{"folded header", "X-Amz-Acl: private", "X-Amz-Acl: private\r\n public-read", "SignatureDoesNotMatch"},
	})
}

func TestAttacksOnPresigned(t *testing.T) {
	to := serve(t, atNoon())
	r := request(t, "GET", "http://bucket.example/key?response-content-type=text%2Fplain", "")
	s := s3Scope
	s.At = noon.Add(-time.Hour)
	url, err := Presign(r, user, s, 2*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	target := strings.TrimPrefix(url, "http://bucket.example")
	honest := "GET " + target + " HTTP/1.1\r\nHost: bucket.example\r\n\r\n"
	sig := signatureOf(strings.Replace(honest, "X-Amz-Signature=", "Signature=", 1))
	at := func(v *Verifier, to time.Time) *Verifier { v.Clock = func() time.Time { return to }; return v }
	run(t, to, honest, []attack{
		{"expiry raised", "Expires=7200", "Expires=7201", "SignatureDoesNotMatch"},
		{"expiry doubled", "X-Amz-Expires=7200", "X-Amz-Expires=7200&X-Amz-Expires=9000", "AuthorizationQueryParametersError"},
		{"expiry negative", "Expires=7200", "Expires=-7200", "AuthorizationQueryParametersError"},
		{"expiry with a sign", "Expires=7200", "Expires=%2B7200", "AuthorizationQueryParametersError"},
		{"expiry zero", "Expires=7200", "Expires=0", "AuthorizationQueryParametersError"},
		{"expiry over seven days", "Expires=7200", "Expires=604801", "AuthorizationQueryParametersError"},
		{"expiry overflows", "Expires=7200", "Expires=18446744073709551617", "AuthorizationQueryParametersError"},
		{"expiry overflows a duration", "Expires=7200", "Expires=9223372037", "AuthorizationQueryParametersError"},
		{"expiry dropped", "&X-Amz-Expires=7200", "", "AuthorizationQueryParametersError"},
		{"signature doubled", "X-Amz-Signature=", "X-Amz-Signature=" + sig + "&X-Amz-Signature=", "AuthorizationQueryParametersError"},
		{"signature changed", sig, flip(sig), "SignatureDoesNotMatch"},
		{"signature dropped", "&X-Amz-Signature=" + sig, "", "AuthorizationQueryParametersError"},
		{"method swapped", "GET ", "DELETE ", "SignatureDoesNotMatch"},
		{"object swapped", "/key?", "/other?", "SignatureDoesNotMatch"},
		{"bucket swapped", "Host: bucket.", "Host: others.", "SignatureDoesNotMatch"},
		{"parameter added", "/key?", "/key?acl&", "SignatureDoesNotMatch"},
		{"x-amz header added", "Host:", "X-Amz-Acl: public-read\r\nHost:", "AccessDenied"},
		{"Authorization added", "Host:", "Authorization: AWS AKIDEXAMPLE:c2ln\r\nHost:", "InvalidArgument"},
		{"token", "X-Amz-Date", "X-Amz-Security-Token=t&X-Amz-Date", "InvalidToken"},
		{"other day's scope", "%2F20260830%2F", "%2F20260829%2F", "AuthorizationHeaderMalformed"},
		{"later date", "X-Amz-Date=20260830T110000Z", "X-Amz-Date=20260830T110001Z", "SignatureDoesNotMatch"},
		{"other algorithm", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", "AuthorizationQueryParametersError"},
		{"hidden by a semicolon", "/key?", "/key?a;b&", "AuthorizationQueryParametersError"},
		{"broken escape", "/key?", "/key?a=%zz&", "AuthorizationQueryParametersError"},
	})
	for _, c := range []struct {
		at   time.Time
		code string
	}{
		{noon.Add(time.Hour), "ok"}, {noon.Add(time.Hour + time.Second), "AccessDenied"},
		{s.At.Add(-MaxSkew), "ok"}, {s.At.Add(-MaxSkew - time.Second), "AccessDenied"},
	} {
		if _, text := send(t, serve(t, at(atNoon(), c.at)), honest); !strings.HasPrefix(text, c.code) {
			t.Errorf("at %s: %s, want %s", c.at, text, c.code)
		}
	}
}
