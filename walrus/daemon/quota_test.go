package daemon_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"karri/shared/bucket"
	"karri/shared/pki"
	"karri/walrus/daemon/walrustest"
)

func TestQuotasRefuse(t *testing.T) {
	w := start(t)
	admin := w.As(t, pki.Identity{Role: pki.Cloudctl})
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pool", status: 200},
		{method: "PUT", path: "/pond/a", body: "hello", status: 200},
	})
	if err := admin.SetQuota(t.Context(), "pond", bucket.Amount{Bytes: 10, Objects: 3}); err != nil {
		t.Fatal(err)
	}
	play(t, w, []ask{
		{method: "PUT", path: "/pond/b", body: "sixish", status: 403, code: "QuotaExceeded"},
		{method: "PUT", path: "/pond/b", body: "five.", status: 200},
		{method: "PUT", path: "/pond/c", body: "x", status: 403, code: "QuotaExceeded"},
		{method: "PUT", path: "/pond/c", body: "", status: 200},
		{method: "PUT", path: "/pond/d", body: "", status: 403, code: "QuotaExceeded"}, // too many
		{method: "PUT", path: "/pond/a", body: "hallo", status: 200},                   // no larger
		{method: "PUT", path: "/pond/e", headers: []string{"x-amz-copy-source: /pond/a"}, status: 403, code: "QuotaExceeded"},
		{method: "DELETE", path: "/pond/a", status: 204},
		{method: "PUT", path: "/pond/a", body: "again", status: 200},
		{method: "PUT", path: "/pool/a", body: strings.Repeat("x", 100), status: 200},
	})
	id := w.Do(t, ann, "POST", "/pond/big?uploads", "").Element("UploadId")
	play(t, w, []ask{
		{method: "PUT", path: "/pond/big?partNumber=1&uploadId=" + id, body: "x", status: 403, code: "QuotaExceeded"},
		{method: "DELETE", path: "/pond/big?uploadId=" + id, status: 204},
	})
	held, err := admin.Describe(t.Context(), "", "pond")
	if err != nil || len(held) != 1 || held[0].Used != (bucket.Amount{Objects: 3, Bytes: 10}) || held[0].Quota != (bucket.Amount{Objects: 3, Bytes: 10}) || held[0].Owner != "111111111111" {
		t.Errorf("pond: %+v %v", held, err)
	}
	if err := admin.SetShare(t.Context(), "111111111111", bucket.Amount{Bytes: 115}); err != nil {
		t.Fatal(err)
	}
	if err := admin.SetShare(t.Context(), bucket.SystemAccount, bucket.Amount{Bytes: 1}); err == nil {
		t.Error("the cloud's own account is bounded")
	}
	play(t, w, []ask{
		{method: "PUT", path: "/pool/b", body: "sixish", status: 403, code: "QuotaExceeded"},
		{method: "PUT", path: "/pool/b", body: "five.", status: 200},
		{who: bob, method: "PUT", path: "/bobs", status: 200},
		{who: bob, method: "PUT", path: "/bobs/a", body: strings.Repeat("x", 200), status: 200},
	})
	s, err := admin.Share(t.Context(), "111111111111")
	if err != nil || s.Used != (bucket.Amount{Objects: 5, Bytes: 115, Buckets: 2}) || s.Quota != (bucket.Amount{Bytes: 115}) {
		t.Errorf("ann: %+v %v", s, err)
	}
	if err := admin.SetShare(t.Context(), "111111111111", bucket.Amount{Buckets: 2}); err != nil {
		t.Fatal(err)
	}
	play(t, w, []ask{{method: "PUT", path: "/puddle", status: 400, code: "TooManyBuckets"}})
	if _, err := w.As(t, pki.Identity{Role: pki.Blockstore, Zone: "z"}).Describe(t.Context(), "", ""); err == nil {
		t.Error("a blockstore may ask for all buckets")
	}
}

// unread is a body that tells whether it was read.
type unread struct{ read bool }

func (u *unread) Read([]byte) (int, error) { u.read = true; return 0, io.ErrUnexpectedEOF }

func TestWhatIsOverAQuotaIsNotRead(t *testing.T) {
	w := start(t)
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}})
	if err := w.As(t, pki.Identity{Role: pki.Cloudctl}).SetQuota(t.Context(), "pond", bucket.Amount{Bytes: 10}); err != nil {
		t.Fatal(err)
	}
	body := &unread{}
	r := w.Request(t, "PUT", "/pond/k", "", "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD", "Expect: 100-continue")
	r.Body, r.ContentLength = io.NopCloser(body), 1<<30
	w.Sign(t, walrustest.Ann, r)
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: 1 << 40}}
	defer client.CloseIdleConnections()
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); res.StatusCode != 403 || !strings.Contains(string(b), "QuotaExceeded") || body.read {
		t.Errorf("%d %s, read: %v", res.StatusCode, b, body.read)
	}
}
