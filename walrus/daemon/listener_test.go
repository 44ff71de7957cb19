package daemon_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/sign"
	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

// raw sends the head of a request, and says what came back before any of its
// body was sent.
func raw(t *testing.T, w *walrustest.Walrus, u walrustest.User, expect bool) string {
	t.Helper()
	r := w.Request(t, "PUT", "/pond/k", "")
	if err := sign.Request(r, sign.Credentials{AccessKey: u.AccessKey, Secret: u.Secret}, sign.Scope{Region: "us-east-1", Service: "s3", At: time.Now()}, sign.UnsignedPayload); err != nil {
		t.Fatal(err)
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "PUT /pond/k HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000000000\r\n", w.Host)
	for name, values := range r.Header {
		fmt.Fprintf(&head, "%s: %s\r\n", name, values[0])
	}
	if expect {
		head.WriteString("Expect: 100-continue\r\n")
	}
	head.WriteString("\r\n")
	conn, err := net.Dial("tcp", w.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Write(head.Bytes()); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func TestABodyIsNotReadBeforeItIsAllowed(t *testing.T) {
	w := start(t)
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}})
	forged := ann
	forged.Secret = "wrong"
	for name, u := range map[string]walrustest.User{"forged": forged, "another's": bob} {
		for _, expect := range []bool{true, false} {
			if got := raw(t, w, u, expect); got != "HTTP/1.1 403 Forbidden" {
				t.Errorf("%s, expect %v: %s", name, expect, got)
			}
		}
	}
	if got := raw(t, w, ann, true); got != "HTTP/1.1 100 Continue" {
		t.Errorf("the owner: %s", got)
	}
}

func TestABodyThatIsCutOffIsNotStored(t *testing.T) {
	w := start(t)
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}})
	r := w.Request(t, "PUT", "/pond/k", "")
	if err := sign.Request(r, sign.Credentials{AccessKey: ann.AccessKey, Secret: ann.Secret}, sign.Scope{Region: "us-east-1", Service: "s3", At: time.Now()}, sign.UnsignedPayload); err != nil {
		t.Fatal(err)
	}
	cut, end := io.Pipe()
	r.Body, r.ContentLength = cut, 1<<20
	go func() {
		_, _ = end.Write(make([]byte, 200_000))
		_ = end.CloseWithError(io.ErrClosedPipe)
	}()
	if res, err := http.DefaultTransport.RoundTrip(r); err == nil {
		_ = res.Body.Close()
		t.Errorf("a body that was cut off: %s", res.Status)
	}
	play(t, w, []ask{{method: "HEAD", path: "/pond/k", status: 404}})
}

func TestASuspendedKeyIsRefused(t *testing.T) {
	cloud := walrustest.StartCloud(t)
	w := walrustest.Start(t, cloud, daemon.Config{KeyRefresh: time.Millisecond, KeyStale: time.Hour})
	play(t, w, []ask{{method: "GET", path: "/", status: 200}})
	cloud.Suspend(ann)
	for began := time.Now(); w.Do(t, ann, "GET", "/", "").Status == 200; {
		if time.Since(began) > time.Minute {
			t.Fatal("a suspended key goes on")
		}
	}
	play(t, w, []ask{
		{method: "GET", path: "/", status: 403, code: "InvalidAccessKeyId"},
		{who: bob, method: "GET", path: "/", status: 200},
	})
	cloud.SetAway(true) // what was learned last counts, not what was known before
	play(t, w, []ask{{method: "GET", path: "/", status: 403, code: "InvalidAccessKeyId"}})
}

func TestNobodyIsKnownWhenCloudctlIsAway(t *testing.T) {
	cloud := walrustest.StartCloud(t)
	w := walrustest.Start(t, cloud, daemon.Config{})
	cloud.SetAway(true)
	play(t, w, []ask{{method: "GET", path: "/", status: 503, code: "ServiceUnavailable"}})
	cloud.SetAway(false)
	play(t, w, []ask{{method: "GET", path: "/", status: 200}})
}

// TestWhichComponentMayWhat holds each kind of component to its buckets.
func TestWhichComponentMayWhat(t *testing.T) {
	w := start(t)
	all := w.As(t, pki.Identity{Role: pki.Cloudctl})
	for _, name := range []string{"karri-images", "karri-snapshots-a", "karri-snapshots-b"} {
		if err := all.Make(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if _, err := all.Put(t.Context(), name, "k", strings.NewReader("x"), 1); err != nil {
			t.Fatal(err)
		}
	}
	cluster, block := w.As(t, pki.Identity{Role: pki.Clusterctl, Zone: "a"}), w.As(t, pki.Identity{Role: pki.Blockstore, Zone: "a"})
	for _, c := range []struct {
		store *bucket.Client
		name  string
		read  bool
		write bool
	}{
		{cluster, "karri-images", true, false}, {cluster, "karri-snapshots-a", false, false},
		{block, "karri-images", false, false}, {block, "karri-snapshots-a", true, true}, {block, "karri-snapshots-b", true, false},
	} {
		_, err := c.store.Head(t.Context(), c.name, "k")
		if (err == nil) != c.read || !c.read && fault.KindOf(err) != fault.Denied {
			t.Errorf("%s: read: %v", c.name, err)
		}
		_, err = c.store.Put(t.Context(), c.name, "k", strings.NewReader("y"), 1)
		if (err == nil) != c.write || !c.write && fault.CodeOf(err) != "AccessDenied" {
			t.Errorf("%s: write: %v", c.name, err)
		}
	}
	if _, err := block.For(ann.Account).Head(t.Context(), "karri-snapshots-a", "k"); fault.KindOf(err) != fault.Denied {
		t.Errorf("blockstore asks with an account's rights: %v", err)
	}
}
