package mill

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"karri/walrus/index"
	"karri/walrus/index/indextest"
	"karri/walrus/seal"
)

func masterKeys(t *testing.T, path string, names ...string) {
	t.Helper()
	text := ""
	for i, n := range names {
		text += fmt.Sprintf("%s:%s\n", n, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{byte(i)}, 32)))
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(time.Duration(len(names)) * time.Second)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestRewrap(t *testing.T) {
	x, _, plain := pond(t)
	path := filepath.Join(t.TempDir(), "keys")
	masterKeys(t, path, "one")
	ring, err := seal.OpenRing(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.UpdateBucket(t.Context(), "pond", func(b *index.Bucket) error { b.Versioning = index.Enabled; return nil }); err != nil {
		t.Fatal(err)
	}
	customer, err := seal.ParseCustomerKey("AES256", base64.StdEncoding.EncodeToString(make([]byte, 32)), "cLyPS3KoaSFGi/joRB3OUQ==")
	if err != nil {
		t.Fatal(err)
	}
	var sealed []*index.Object
	for range 3 { // versions of one key
		o := indextest.Object("pond", "sealed", "bytes")
		o.Seal, _ = ring.New()
		put(t, x, o)
		sealed = append(sealed, o)
	}
	if _, err := x.Delete(t.Context(), "pond", "sealed", "", index.Condition{}); err != nil {
		t.Fatal(err)
	}
	mine := indextest.Object("pond", "customer", "bytes")
	mine.Seal, _ = customer.New()
	put(t, x, mine)
	r := &Rewrapper{Buckets: x, Objects: x, Ring: ring}
	if n, err := r.Pass(t.Context()); n != 0 || err != nil {
		t.Errorf("with one key: %d, %v", n, err)
	}
	masterKeys(t, path, "one", "two")
	if changed, err := ring.Reload(); !changed || err != nil {
		t.Fatal(changed, err)
	}
	for _, want := range []int{3, 0} {
		if n, err := r.Pass(t.Context()); n != want || err != nil {
			t.Errorf("%d instead of %d, %v", n, want, err)
		}
	}
	for _, o := range sealed {
		now, err := x.Object(t.Context(), "pond", "sealed", o.Version)
		if err != nil || now.Seal.By != "two" || now.ID != o.ID || now.ETag != o.ETag || now.Pieces[0].ID != o.Pieces[0].ID {
			t.Errorf("%+v, %v", now, err)
		}
	}
	if now, err := x.Object(t.Context(), "pond", plain.Key, ""); err != nil || now.Seal != nil {
		t.Errorf("%+v, %v", now, err)
	}
}
