package rest

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"karri/shared/audit"
	"karri/shared/pki"
)

// Who reads the audit log all the time finds nothing new in it of his own.
func TestReadingTheAuditLogDoesNotMakeItLonger(t *testing.T) {
	root := newRoot(t)
	cloud, cluster := credentials(t, root, cloudID), credentials(t, root, clusterID)
	h := serve(t, root, cluster, "127.0.0.1:0")
	var mu sync.Mutex
	var noted []string
	h.inner.Audit = func(l *audit.Line) {
		mu.Lock()
		defer mu.Unlock()
		noted = append(noted, l.Action+" "+l.Code)
	}
	h.inner.Handle("GET", "/v1/log", Roles(pki.Cloudctl), func(_ http.ResponseWriter, r *http.Request) error {
		Unaudited(r.Context())
		return nil
	})
	c := NewClient(cloud, clusterID, h.addr, nil)
	defer c.Close()
	other := NewClient(credentials(t, root, pki.Identity{Role: pki.Walrus}), clusterID, h.addr, nil)
	defer other.Close()
	if err := c.Call(t.Context(), "GET", "/v1/log", nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	_ = c.Call(t.Context(), "GET", "/v1/faults/x", nil, nil, nil)
	_ = other.Call(t.Context(), "GET", "/v1/log", nil, nil, nil)
	mu.Lock()
	defer mu.Unlock()
	noted = slices.DeleteFunc(noted, func(l string) bool { return l == "GET /v1/log WrongBoot" }) // how clients learn whom they speak to
	if want := []string{"GET /v1/faults/{kind} Busy", "GET /v1/log NotForYou"}; !slices.Equal(noted, want) {
		t.Errorf("noted %q, want %q", noted, want)
	}
}
