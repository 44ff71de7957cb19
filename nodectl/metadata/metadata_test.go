package metadata

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/shared/id"
	"karri/shared/wire"
)

var update = flag.Bool("update", false, "write the golden file anew")

const (
	vpcA = id.VPC("vpc-0000000000000000a")
	vpcB = id.VPC("vpc-0000000000000000b")
)

func instance(n int, vpc id.VPC, m wire.MetadataOptions) wire.Instance {
	return wire.Instance{
		Account: "123456789012", Reservation: "r-00000000000000001", Index: n, Want: wire.Running, Launched: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Type: "t1.nano", Image: wire.Image{ID: "ami-00000000000000001"}, KeyName: "mine", PublicKey: "ssh-ed25519 AAAA mine", UserData: []byte("#!/bin/sh\x00\xff\n"),
		Groups: []string{"default", "web"}, Metadata: m, Volumes: map[id.Volume]wire.Attachment{"vol-00000000000000001": {Want: wire.Attached, Device: "/dev/sdf"}},
		Interfaces: []wire.Interface{{ID: id.Interface(fmt.Sprintf("eni-0000000000000000%d", n)), VPC: vpc, Subnet: "subnet-00000000000000001", CIDR: netip.MustParsePrefix("10.0.0.0/24"),
			MAC: fmt.Sprintf("02:00:00:00:00:%02x", n), Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(10 + n)}), Hostname: fmt.Sprintf("ip-10-0-0-%d", 10+n),
			Public: netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}), Groups: []id.Group{"sg-00000000000000001", "sg-00000000000000002"}}},
	}
}

func book() wire.NodeOrders {
	v1 := wire.MetadataOptions{Enabled: true, HopLimit: 1}
	v2 := wire.MetadataOptions{Enabled: true, HopLimit: 1, TokensRequired: true}
	plain := instance(4, vpcA, v1)
	plain.UserData, plain.PublicKey, plain.Interfaces[0].Public = nil, "", netip.Addr{}
	gone := instance(6, vpcA, v1)
	gone.Want = wire.Gone
	return wire.NodeOrders{
		Instances: map[id.Instance]wire.Instance{
			"i-00000000000000001": instance(1, vpcA, v1),
			"i-00000000000000002": instance(1, vpcB, v1), // the same address in another network
			"i-00000000000000003": instance(3, vpcA, v2),
			"i-00000000000000004": plain,
			"i-00000000000000005": instance(5, vpcA, wire.MetadataOptions{}),
			"i-00000000000000006": gone,
		},
		Networks: map[id.VPC]wire.Network{
			vpcA: {CIDR: netip.MustParsePrefix("10.0.0.0/16"), Domain: "us-east-1.compute.internal"},
			vpcB: {CIDR: netip.MustParsePrefix("10.0.0.0/16"), Domain: "us-east-1.compute.internal"},
		},
	}
}

type client struct {
	t   *testing.T
	s   *Service
	now time.Time
}

func newClient(t *testing.T) *client {
	c := &client{t: t, now: time.Unix(1_800_000_000, 0)}
	c.again(filepath.Join(t.TempDir(), "state", "key"))
	return c
}

func (c *client) again(key string) {
	s, err := New(Options{Orders: book, KeyFile: key, Zone: "us-east-1a", Region: "us-east-1", Now: func() time.Time { return c.now }})
	if err != nil {
		c.t.Fatal(err)
	}
	c.s = s
}

// do asks as the guest 10.0.0.(10+n) of a VPC; headers are name, value pairs.
func (c *client) do(vpc id.VPC, n int, method, path string, headers ...string) *httptest.ResponseRecorder {
	c.t.Helper()
	r := httptest.NewRequest(method, "/", nil)
	u, err := url.ParseRequestURI(path)
	if err != nil {
		c.t.Fatal(err)
	}
	r.URL, r.Host, r.RemoteAddr = u, "169.254.169.254", fmt.Sprintf("10.0.0.%d:40000", 10+n)
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	c.s.handler(vpc).ServeHTTP(w, r)
	return w
}

func (c *client) token(vpc id.VPC, n int) string {
	c.t.Helper()
	w := c.do(vpc, n, "PUT", tokenPath, ttlHeader, "60")
	if w.Code != 200 || w.Header().Get(ttlHeader) != "60" {
		c.t.Fatal(w.Code, w.Body)
	}
	return w.Body.String()
}

func TestWhole(t *testing.T) {
	c := newClient(t)
	var b strings.Builder
	var walk func(path string)
	walk = func(path string) {
		w := c.do(vpcA, 1, "GET", path)
		if w.Code != 200 {
			t.Errorf("%s: %d", path, w.Code)
			return
		}
		fmt.Fprintf(&b, "%s %s %q\n", path, w.Header().Get("Content-Type"), w.Body)
		if !strings.HasSuffix(path, "/") {
			return
		}
		for _, name := range strings.Split(w.Body.String(), "\n") {
			if n, _, key := strings.Cut(name, "="); key {
				name = n + "/"
			}
			walk(path + name)
		}
	}
	walk("/latest/")
	golden := filepath.Join("testdata", "whole.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != b.String() {
		t.Errorf("the tree is now (%v):\n%s", err, b.String())
	}
}

func TestPages(t *testing.T) {
	c := newClient(t)
	for _, x := range []struct {
		n      int
		path   string
		status int
		body   string
	}{
		{1, "/latest/meta-data/instance-id", 200, "i-00000000000000001"},
		{1, "/2009-04-04/meta-data/instance-id", 200, "i-00000000000000001"},
		{1, "/2021-03-23/meta-data/placement/availability-zone", 200, "us-east-1a"},
		{1, "/1999-01-01/meta-data/instance-id", 404, ""},
		{1, "/latest", 200, "dynamic/\nmeta-data/\nuser-data"},
		{1, "/latest/meta-data/public-keys/", 200, "0=mine"},
		{1, "/latest/meta-data/public-keys", 200, "0=mine"},
		{1, "/latest/meta-data/public-keys/0", 200, "openssh-key"},
		{1, "/latest/meta-data/public-keys/0/openssh-key", 200, "ssh-ed25519 AAAA mine\n"},
		{1, "/latest/user-data", 200, "#!/bin/sh\x00\xff\n"},
		{1, "/latest/meta-data/public-hostname", 200, "ec2-198-51-100-1.us-east-1.compute.internal"},
		{4, "/latest/user-data", 404, ""},
		{4, "/latest/meta-data/public-keys/", 404, ""},
		{4, "/latest/meta-data/public-ipv4", 404, ""},
		{4, "/latest", 200, "dynamic/\nmeta-data/"},
		{1, "/latest/meta-data/instance-id/", 404, ""},
		{1, "/latest/meta-data/iam/", 404, ""},
		{1, "/latest/meta-data//instance-id", 404, ""},
		{1, "//latest/meta-data/instance-id", 404, ""},
		{1, "/latest/meta-data/../user-data", 404, ""},
		{1, "/latest/meta-data/%2e%2e/user-data", 404, ""},
		{1, "/latest/meta-data/instance%2Did", 404, ""},
		{1, "/latest/meta-data/placement%2Fregion", 404, ""},
		{1, "/latest/%00keys", 404, ""},
		{1, "/latest/meta-data/public-keys//", 404, ""},
		{1, "/latest/api/token", 404, ""},
		{9, "/latest/meta-data/instance-id", 404, ""}, // no such guest
		{6, "/latest/meta-data/instance-id", 404, ""}, // gone
		{5, "/latest/meta-data/instance-id", 403, ""}, // switched off
	} {
		w := c.do(vpcA, x.n, "GET", x.path)
		if w.Code != x.status || x.status == 200 && w.Body.String() != x.body {
			t.Errorf("%d %s: %d %q, want %d %q", x.n, x.path, w.Code, w.Body, x.status, x.body)
		}
	}
	if w := c.do(vpcB, 1, "GET", "/latest/meta-data/instance-id"); w.Body.String() != "i-00000000000000002" {
		t.Error("the same address in another network:", w.Body)
	}
	if w := c.do(vpcA, 1, "HEAD", "/latest/meta-data/instance-id"); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "19" {
		t.Error("HEAD:", w.Code, w.Body, w.Header())
	}
	root := c.do(vpcA, 1, "GET", "/").Body.String()
	if !strings.Contains(root, "2009-04-04\n") || !strings.Contains(root, "2021-03-23\n") || !strings.HasSuffix(root, "\nlatest") {
		t.Error(root)
	}
	var doc map[string]any
	if err := json.Unmarshal(c.do(vpcA, 1, "GET", "/latest/dynamic/instance-identity/document").Body.Bytes(), &doc); err != nil ||
		doc["instanceId"] != "i-00000000000000001" || doc["region"] != "us-east-1" || doc["accountId"] != "123456789012" {
		t.Error(doc, err)
	}
}

func TestTokens(t *testing.T) {
	c := newClient(t)
	const page = "/latest/meta-data/instance-id"
	good, others := c.token(vpcA, 3), c.token(vpcA, 1)
	long := c.do(vpcA, 3, "PUT", tokenPath, ttlHeader, "21600").Body.String()
	flipped := []byte(good)
	flipped[20] ^= 1
	for _, x := range []struct {
		name    string
		n       int
		headers []string
		status  int
	}{
		{"with its token", 3, []string{tokenHeader, good}, 200},
		{"with a long token", 3, []string{tokenHeader, long}, 200},
		{"without", 3, nil, 401},
		{"empty", 3, []string{tokenHeader, ""}, 401},
		{"another instance's", 3, []string{tokenHeader, others}, 401},
		{"altered", 3, []string{tokenHeader, string(flipped)}, 401},
		{"with something after it", 3, []string{tokenHeader, good + "A"}, 401},
		{"padded", 3, []string{tokenHeader, good + "="}, 401},
		{"two", 3, []string{tokenHeader, good, tokenHeader, good}, 401},
		{"v1 without", 1, nil, 200},
		{"v1 with a wrong one", 1, []string{tokenHeader, good}, 401},
	} {
		if w := c.do(vpcA, x.n, "GET", page, x.headers...); w.Code != x.status {
			t.Errorf("%s: %d, want %d", x.name, w.Code, x.status)
		}
	}
	if w := c.do(vpcB, 1, "GET", page, tokenHeader, others); w.Code != 401 {
		t.Error("a token of the same address in another network:", w.Code)
	}
	c.again(c.s.opt.KeyFile)
	if w := c.do(vpcA, 3, "GET", page, tokenHeader, good); w.Code != 200 {
		t.Error("after a restart:", w.Code)
	}
	c.now = c.now.Add(60 * time.Second)
	if w := c.do(vpcA, 3, "GET", page, tokenHeader, good); w.Code != 401 {
		t.Error("after its time:", w.Code)
	}
	c.again(filepath.Join(t.TempDir(), "key"))
	if w := c.do(vpcA, 3, "GET", page, tokenHeader, long); w.Code != 401 {
		t.Error("on another host:", w.Code)
	}
}

func TestPutIsStrict(t *testing.T) {
	c := newClient(t)
	for _, x := range []struct {
		name, path string
		headers    []string
		status     int
	}{
		{"good", tokenPath, []string{ttlHeader, "21600"}, 200},
		{"least", tokenPath, []string{ttlHeader, "1"}, 200},
		{"no time", tokenPath, nil, 400},
		{"nought", tokenPath, []string{ttlHeader, "0"}, 400},
		{"negative", tokenPath, []string{ttlHeader, "-1"}, 400},
		{"signed", tokenPath, []string{ttlHeader, "+60"}, 400},
		{"too long", tokenPath, []string{ttlHeader, "21601"}, 400},
		{"far too long", tokenPath, []string{ttlHeader, "99999999999999999999"}, 400},
		{"words", tokenPath, []string{ttlHeader, "an hour"}, 400},
		{"twice", tokenPath, []string{ttlHeader, "60", ttlHeader, "60"}, 400},
		{"by a proxy", tokenPath, []string{ttlHeader, "60", "X-Forwarded-For", "1.2.3.4"}, 403},
		{"by a shy proxy", tokenPath, []string{ttlHeader, "60", "X-Forwarded-For", ""}, 403},
		{"under another name", tokenPath, []string{ttlHeader, "60", "Host", "evil.example"}, 403},
		{"elsewhere", "/latest/meta-data/instance-id", []string{ttlHeader, "60"}, 404},
		{"quoted", "/latest/api%2Ftoken", []string{ttlHeader, "60"}, 404},
	} {
		if w := c.do(vpcA, 1, "PUT", x.path, x.headers...); w.Code != x.status {
			t.Errorf("%s: %d, want %d", x.name, w.Code, x.status)
		}
	}
	for host, status := range map[string]int{"169.254.169.254:80": 200, "instance-data": 200, "instance-data.us-east-1.compute.internal": 200,
		"evil.example": 403, "169.254.169.254.evil.example": 403, "169.254.169.254:8080": 403, "127.0.0.1": 403, "": 403} {
		if w := c.do(vpcA, 1, "GET", "/latest/user-data", "Host", host); w.Code != status {
			t.Errorf("host %q: %d, want %d", host, w.Code, status)
		}
	}
	for _, m := range []string{"POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"} {
		if w := c.do(vpcA, 1, m, "/latest/user-data"); w.Code != 405 {
			t.Errorf("%s: %d", m, w.Code)
		}
	}
	if w := c.do(vpcA, 5, "PUT", tokenPath, ttlHeader, "60"); w.Code != 403 {
		t.Error("token of an instance whose metadata is off:", w.Code)
	}
}

// The server itself, over a socket: it ends with its context, and bounds what
// one network's guests may hold.
func TestServeEndsWithItsContext(t *testing.T) {
	c := newClient(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.s.Serve(ctx, vpcA, l) }()
	resp, err := http.Get("http://" + l.Addr().String() + "/latest/user-data")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 404 { // 127.0.0.1 is no guest
		t.Error(resp.Status)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func FuzzRequest(f *testing.F) {
	for _, p := range []string{"/latest/meta-data/", "/", "//", "/latest/../etc/passwd", "/latest/meta-data/public-keys/0", "latest", "", "/latest/\x00keys"} {
		f.Add("GET", p, "", "60")
	}
	f.Add("PUT", tokenPath, "", "60")
	f.Add("GET", "/latest/user-data", "AAAA", "")
	key := filepath.Join(f.TempDir(), "key")
	s, err := New(Options{Orders: book, KeyFile: key})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, path, token, ttl string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.URL.Path, r.Host, r.RemoteAddr = method, path, "169.254.169.254", "10.0.0.13:1"
		r.Header[tokenHeader], r.Header[ttlHeader] = []string{token}, []string{ttl}
		w := httptest.NewRecorder()
		s.handler(vpcA).ServeHTTP(w, r)
		if w.Code == 200 && method != "PUT" || w.Code >= 500 {
			t.Errorf("%s %q with token %q: %d %q", method, path, token, w.Code, w.Body)
		}
	})
}
