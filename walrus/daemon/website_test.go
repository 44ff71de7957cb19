package daemon_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"karri/walrus/content/contenttest"
	"karri/walrus/daemon/walrustest"
)

// A visit is a request to a website, and what must come of it.
type visit struct {
	method, path string // GET when ""
	headers      []string
	status       int
	has          []string // in the body, or "Name: value" in the headers
}

func browse(t *testing.T, w *walrustest.Walrus, host string, visits []visit) {
	t.Helper()
	for _, v := range visits {
		if v.method == "" {
			v.method = "GET"
		}
		a := w.Send(t, w.Request(t, v.method, v.path, "", append(v.headers, "Host: "+host)...))
		if a.Status != v.status {
			t.Errorf("%s %s: %d, want %d: %s", v.method, v.path, a.Status, v.status, a.Body)
		}
		for _, h := range v.has {
			name, value, isHeader := strings.Cut(h, ": ")
			isHeader = isHeader && h[0] != '<'
			if isHeader && a.Header.Get(name) != value || !isHeader && !strings.Contains(a.Body, h) {
				t.Errorf("%s %s: no %q in %v %s", v.method, v.path, h, a.Header, a.Body)
			}
		}
	}
}

func public(bucket, actions string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":[` + actions + `],"Resource":["arn:aws:s3:::` + bucket + `/*","arn:aws:s3:::` + bucket + `"]}]}`
}

func TestWebsite(t *testing.T) {
	w := startWithTargets(t)
	site := `<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument><ErrorDocument><Key>oops.html</Key></ErrorDocument>
		<RoutingRules><RoutingRule><Condition><KeyPrefixEquals>old/</KeyPrefixEquals></Condition><Redirect><ReplaceKeyPrefixWith>new/</ReplaceKeyPrefixWith></Redirect></RoutingRule>
		<RoutingRule><Condition><KeyPrefixEquals>away/</KeyPrefixEquals><HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals></Condition><Redirect><HostName>example.com</HostName><HttpRedirectCode>307</HttpRedirectCode></Redirect></RoutingRule></RoutingRules></WebsiteConfiguration>`
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/index.html", body: "home", headers: []string{"Content-Type: text/html"}, status: 200},
		{method: "PUT", path: "/pond/docs/index.html", body: "docs", status: 200},
		{method: "PUT", path: "/pond/away/here", body: "here", status: 200},
		{method: "PUT", path: "/pond/moved", body: "x", headers: []string{"x-amz-website-redirect-location: /docs/"}, status: 200},
		{method: "PUT", path: "/pond/bad", body: "x", headers: []string{"x-amz-website-redirect-location: javascript:x"}, status: 400, code: "InvalidRedirectLocation"},
		{method: "PUT", path: "/pond/copied", headers: []string{"x-amz-copy-source: /pond/moved"}, status: 200},
		{method: "HEAD", path: "/pond/copied", status: 200, has: []string{"X-Amz-Website-Redirect-Location: "}},
		{method: "PUT", path: "/pond/copied", headers: []string{"x-amz-copy-source: /pond/copied", "x-amz-website-redirect-location: http://e.com/"}, status: 200},
		{method: "HEAD", path: "/pond/copied", status: 200, has: []string{"X-Amz-Website-Redirect-Location: http://e.com/"}},
		{method: "HEAD", path: "/pond/moved", status: 200, has: []string{"X-Amz-Website-Redirect-Location: /docs/"}},
	})
	browse(t, w, "pond.web.s3.test", []visit{{path: "/", status: 404, has: []string{"<li>Code: NoSuchWebsiteConfiguration</li>"}}})
	browse(t, w, "none.web.s3.test", []visit{{path: "/", status: 404, has: []string{"<li>Code: NoSuchBucket</li>", "X-Amz-Error-Code: NoSuchBucket"}}})
	browse(t, w, "karri-images.web.s3.test", []visit{{path: "/", status: 404, has: []string{"<li>Code: NoSuchBucket</li>"}}})
	play(t, w, []ask{{method: "PUT", path: "/pond?website", body: site, status: 200}})
	browse(t, w, "pond.web.s3.test", []visit{{path: "/", status: 403, has: []string{"<h1>403 Forbidden</h1>", "<li>Code: AccessDenied</li>"}}})

	play(t, w, []ask{{method: "PUT", path: "/pond?policy", body: public("pond", `"s3:GetObject"`), status: 204}})
	browse(t, w, "pond.web.s3.test", []visit{
		{path: "/", status: 200, has: []string{"home", "Content-Type: text/html"}},
		{method: "HEAD", path: "/", status: 200, has: []string{"Content-Length: 4"}},
		{path: "/", headers: []string{"Range: bytes=1-2"}, status: 206, has: []string{"om"}},
		{path: "/docs/", status: 200, has: []string{"docs"}},
		{path: "/docs", status: 302, has: []string{"Location: /docs/"}},
		{path: "/moved", status: 301, has: []string{"Location: /docs/"}},
		{path: "/old/a b?x=y", status: 301, has: []string{"Location: http://pond.web.s3.test/new/a%20b"}},
		{path: "/none", status: 403, has: []string{"<li>Code: AccessDenied</li>"}}, // who may not list is not told what is missing
		{path: "/away/here", status: 200, has: []string{"here"}},
		{method: "PUT", path: "/x", status: 405, has: []string{"<li>Code: MethodNotAllowed</li>", "Allow: GET, HEAD"}},
		{path: "/?versioning", status: 200, has: []string{"home"}},
	})

	play(t, w, []ask{{method: "PUT", path: "/pond?policy", body: public("pond", `"s3:GetObject","s3:ListBucket"`), status: 204}})
	browse(t, w, "pond.web.s3.test", []visit{
		{path: "/%3Cnone%3E", status: 404, has: []string{"<h1>404 Not Found</h1>", "<li>Key: &lt;none&gt;</li>", "<li>Code: NoSuchKey</li>", "Content-Type: text/html; charset=utf-8"}},
		{method: "HEAD", path: "/none", status: 404, has: []string{"X-Amz-Error-Code: NoSuchKey"}},
		{path: "/away/gone", status: 307, has: []string{"Location: http://example.com/away/gone"}},
		{path: "/new/", status: 404, has: []string{"<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>"}},
	})
	play(t, w, []ask{{method: "PUT", path: "/pond/oops.html", body: "<b>oops</b>", headers: []string{"Content-Type: text/html"}, status: 200}})
	browse(t, w, "pond.web.s3.test", []visit{
		{path: "/none", headers: []string{"Range: bytes=0-0", "If-None-Match: *"}, status: 404, has: []string{"<b>oops</b>", "Content-Type: text/html"}},
		{path: "/", headers: []string{"If-None-Match: *"}, status: 304},
	})

	all := "<WebsiteConfiguration><RedirectAllRequestsTo><HostName>example.com</HostName><Protocol>https</Protocol></RedirectAllRequestsTo></WebsiteConfiguration>"
	play(t, w, []ask{{method: "PUT", path: "/pond?website", body: all, status: 200}})
	browse(t, w, "pond.web.s3.test:80", []visit{{path: "/a/b", status: 301, has: []string{"Location: https://example.com/a/b"}}})
}

// TestADamagedPageIsNotWhole reads a page, and an error page, whose bytes turn
// out to be damaged when the answer has begun.
func TestADamagedPageIsNotWhole(t *testing.T) {
	w := startWithTargets(t)
	data := contenttest.Random(2 << 20)
	site := `<WebsiteConfiguration><IndexDocument><Suffix>k</Suffix></IndexDocument><ErrorDocument><Key>k</Key></ErrorDocument></WebsiteConfiguration>`
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200}, {method: "PUT", path: "/pond/k", body: string(data), status: 200},
		{method: "PUT", path: "/pond?website", body: site, status: 200},
		{method: "PUT", path: "/pond?policy", body: public("pond", `"s3:GetObject","s3:ListBucket"`), status: 204},
	})
	path := pieceFile(t, w.State)
	bad, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad[len(data)-1] ^= 1
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	for page, status := range map[string]int{"/": 200, "/none": 404} {
		res, err := http.DefaultTransport.RoundTrip(w.Request(t, "GET", page, "", "Host: pond.web.s3.test"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err == nil || res.StatusCode != status || !bytes.HasPrefix(data, got) {
			t.Errorf("%s: %s, %d bytes, %v", page, res.Status, len(got), err)
		}
	}
}
