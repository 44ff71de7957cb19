package sign

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"karri/shared/fault"
)

// passing is the token of the key ASIAEXAMPLE.
const passing = "session/token+1=="

var session = Credentials{AccessKey: "ASIAEXAMPLE", Secret: "for a while", Token: passing}

func TestSessionsByHeader(t *testing.T) {
	for service, v := range map[string]*Verifier{"s3": atNoon(), "ec2": ec2AtNoon()} {
		r := request(t, "POST", "http://cloud.example/b", "Action=X", "Content-Type", "application/x-www-form-urlencoded")
		if err := Request(r, session, Scope{"us-east-1", service, noon}, ""); err != nil {
			t.Fatal(err)
		}
		wrong := map[string]string{"s3": "InvalidToken", "ec2": "AuthFailure"}[service]
		unsigned := map[string]string{"s3": "AccessDenied", "ec2": "SignatureDoesNotMatch"}[service]
		twice := map[string]string{"s3": "InvalidArgument", "ec2": "InvalidParameterCombination"}[service]
		run(t, serve(t, v), raw(t, r), []attack{
			{"other token", passing, "session/token+2==", wrong},
			{"empty token", passing, "", wrong},
			{"long token", passing, strings.Repeat("x", MaxToken+1), wrong},
			{"unsigned token", ";x-amz-security-token", "", unsigned},
			{"no token", "X-Amz-Security-Token: " + passing + "\r\n", "", "SignatureDoesNotMatch"},
			{"two tokens", "X-Amz-Security-Token: ", "X-Amz-Security-Token: x\r\nX-Amz-Security-Token: ", twice},
			{"token in the query too", "POST /b ", "POST /b?X-Amz-Security-Token=x ", twice},
		})
	}
}

func TestSessionsByQuery(t *testing.T) {
	r := request(t, "GET", "http://cloud.example/b/k", "")
	if _, err := Presign(r, session, Scope{"us-east-1", "s3", noon}, time.Minute); err != nil {
		t.Fatal(err)
	}
	escaped := url.QueryEscape(passing)
	run(t, serve(t, atNoon()), raw(t, r), []attack{
		{"other token", escaped, "x", "InvalidToken"},
		{"token twice", "X-Amz-Security-Token=", "X-Amz-Security-Token=a&X-Amz-Security-Token=", "InvalidArgument"},
		{"token in a header too", "Host:", "X-Amz-Security-Token: " + passing + "\r\nHost:", "InvalidArgument"},
		{"no token", "X-Amz-Security-Token=" + escaped + "&", "", "InvalidToken"},
		{"other key", "ASIAEXAMPLE", "AKIDEXAMPLE", "InvalidToken"},
	})
}

func TestSessionsByVersion2(t *testing.T) {
	sum := func(text string) string {
		h := hmac.New(sha1.New, []byte(session.Secret))
		io.WriteString(h, text)
		return base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	to := serve(t, atNoon())
	end := strconv.FormatInt(noon.Add(time.Minute).Unix(), 10)
	escaped := url.QueryEscape(passing)
	run(t, to, "GET /b/k?AWSAccessKeyId=ASIAEXAMPLE&x-amz-security-token="+escaped+"&Expires="+end+"&Signature="+
		url.QueryEscape(sum("GET\n\n\n"+end+"\nx-amz-security-token:"+passing+"\n/b/k"))+" HTTP/1.1\r\nHost: h\r\n\r\n", []attack{
		{"other token", escaped, "x", "InvalidToken"},
		{"no token", "x-amz-security-token", "x-amz-other", "InvalidToken"},
		{"token twice", "?", "?X-Amz-Security-Token=a&", "InvalidArgument"},
	})
	const date = "Sun, 30 Aug 2026 12:00:00 +0000"
	run(t, to, "GET /b/k HTTP/1.1\r\nHost: h\r\nDate: "+date+"\r\nx-amz-security-token: "+passing+"\r\nAuthorization: AWS ASIAEXAMPLE:"+
		sum("GET\n\n\n"+date+"\nx-amz-security-token:"+passing+"\n/b/k")+"\r\n\r\n", []attack{
		{"other token", passing, "x", "InvalidToken"},
	})
	ps, err := parsePairs("AWSAccessKeyId=ASIAEXAMPLE&SignatureVersion=2&SignatureMethod=HmacSHA256&SecurityToken=" + escaped + "&Action=X&Timestamp=2026-08-30T12:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha256.New, []byte(session.Secret))
	io.WriteString(h, "GET\ncloud.example\n/\n"+ps.canonical("", false))
	run(t, serve(t, ec2AtNoon()), "GET /?"+ps.canonical("", false)+"&Signature="+url.QueryEscape(base64.StdEncoding.EncodeToString(h.Sum(nil)))+
		" HTTP/1.1\r\nHost: cloud.example\r\n\r\n", []attack{
		{"other token", "SecurityToken=" + escaped, "SecurityToken=x", "AuthFailure"},
		{"token twice", "SecurityToken=", "SecurityToken=x&SecurityToken=", "AuthFailure"},
	})
}

// A key that was remembered ends with its session, whatever its keeper said.
func TestASessionEnds(t *testing.T) {
	for _, c := range []struct {
		service, keeper, verifier string
		d                         *Dialect
	}{
		{"s3", "ExpiredToken", "ExpiredToken", S3}, {"ec2", "RequestExpired", "RequestExpired", EC2}, {"sts", "ExpiredToken", "ExpiredToken", Query},
	} {
		end := noon.Add(time.Second)
		now, keeper := noon, error(nil)
		v := &Verifier{Dialect: c.d, Region: "us-east-1", Services: []string{c.service}, Clock: func() time.Time { return now },
			Keys: Secrets(func(context.Context, string, string) (Key, string, error) {
				return Key{Account: "111122223333", State: Active, Expires: &end}, session.Secret, keeper
			})}
		try := func(want string) {
			t.Helper()
			r := request(t, http.MethodPost, "http://cloud.example/", "Action=X", "Content-Type", "application/x-www-form-urlencoded")
			if err := Request(r, session, Scope{"us-east-1", c.service, noon}, ""); err != nil {
				t.Fatal(err)
			}
			if _, _, err := v.Verify(r); want == "" && err != nil || want != "" && fault.CodeOf(err) != want {
				t.Errorf("%s: %v, want %q", c.service, err, want)
			}
		}
		try("")
		now = end
		try(c.verifier)
		now, keeper = noon, TokenExpired
		try(c.keeper)
	}
}
