//go:build real && rados

package daemon_test

import (
	"os"
	"testing"

	"karri/walrus/content/contenttest"
	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

// TestOverRADOS serves objects of all sizes out of the pool that
// KARRI_TEST_RADOS names: rados://POOL/NAMESPACE?conf=FILE.
func TestOverRADOS(t *testing.T) {
	address := os.Getenv("KARRI_TEST_RADOS")
	if address == "" {
		t.Skip("KARRI_TEST_RADOS names no pool")
	}
	cloud := walrustest.StartCloud(t)
	conf := daemon.Config{Content: address}
	conf.State = t.TempDir()
	w := walrustest.Start(t, cloud, conf)
	w.Do(t, ann, "PUT", "/pond", "")
	sizes := map[string]int{"inline": 100, "whole": 300_000, "striped": 9 << 20}
	for name, size := range sizes {
		data := string(contenttest.Random(size))
		if a := w.Do(t, ann, "PUT", "/pond/"+name, data, sse+": AES256"); a.Status != 200 {
			t.Fatalf("%s: %+v", name, a)
		}
	}
	w.Stop()
	w = walrustest.Start(t, cloud, conf) // the pool and the index know each other
	for name, size := range sizes {
		if a := w.Do(t, ann, "GET", "/pond/"+name, ""); a.Body != string(contenttest.Random(size)) {
			t.Errorf("%s: %d, %d bytes", name, a.Status, len(a.Body))
		}
		if a := w.Do(t, ann, "DELETE", "/pond/"+name, ""); a.Status != 204 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}
