package rest

import (
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/shared/audit"
	"karri/shared/pki"
	"karri/shared/token"
)

// Whoever is not believed is in the audit log by the name that he gave, as one
// that was only claimed.
func TestARefusedComponentIsNamedAsClaimed(t *testing.T) {
	root := newRoot(t)
	cluster := credentials(t, root, clusterID)
	h := serve(t, root, cluster, "127.0.0.1:0")
	var mu sync.Mutex
	var noted []audit.Line
	h.inner.Audit = func(l *audit.Line) {
		mu.Lock()
		defer mu.Unlock()
		noted = append(noted, *l)
	}
	// A token alone, without a certificate.
	name := pki.Identity{Role: pki.Walrus}.String()
	text, err := token.Sign(cluster().Key, name, "boot", token.ID(), token.Request{Method: "GET", Path: "/v1/faults/x", Body: token.Streamed}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+h.addr+"/v1/faults/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+text)
	naked := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer naked.CloseIdleConnections()
	res, err := naked.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	// Another cloud's cloudctl, which believes in this one.
	other := *credentials(t, newRoot(t), cloudID)()
	other.Root = root.Root
	strange := NewClient(func() *pki.Credentials { return &other }, clusterID, h.addr, nil)
	defer strange.Close()
	if err := strange.Call(t.Context(), "GET", "/v1/faults/x", nil, nil, nil); err == nil {
		t.Error("a component of another cloud was let in")
	}
	mu.Lock()
	defer mu.Unlock()
	i := slices.IndexFunc(noted, func(l audit.Line) bool { return l.Action == "connect" })
	if i < 0 {
		t.Fatalf("no line of who was turned away: %+v", noted)
	}
	if l := noted[i]; l.Claimed != cloudID.String() || l.ARN != "" || l.Auth != "" || l.Kind != "anonymous" || l.Code != UnknownComponent || l.Source != "127.0.0.1" {
		t.Errorf("%+v", l)
	}
	i = slices.IndexFunc(noted, func(l audit.Line) bool { return l.Claimed == name })
	if i < 0 || noted[i].ARN != "" || noted[i].Code == "" || noted[i].Kind != "anonymous" {
		t.Errorf("no line of the token alone: %+v", noted)
	}
	for _, l := range noted {
		if l.ARN == cloudID.String() || l.ARN != "" && l.Claimed != "" || strings.Contains(l.Claimed, " ") {
			t.Errorf("%+v", l)
		}
	}
}
