package index_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"karri/walrus/index"
)

// oldObject writes a row as it was before there were versions.
func oldObject(t *testing.T, db *pebble.DB, bucket, key string, seq uint64, size int) {
	t.Helper()
	k := append([]byte("o"+bucket+"\x00"+key+"\x00\x01"), binary.BigEndian.AppendUint64(nil, ^seq)...)
	v := binary.AppendUvarint([]byte{1}, uint64(size))
	v = binary.AppendVarint(v, time.Unix(1e9, 5).UnixNano())
	v = append(binary.AppendUvarint(v, 3), "tag"...)
	v = append(v, fmt.Sprintf(`{"id":"id-%s","pieces":[{"id":"p-%s","size":%d}],"meta":{"a":"b"},"checksum":{"algorithm":"CRC32","value":"AAAA"}}`, key, key, size)...)
	if err := db.Set(k, v, nil); err != nil {
		t.Fatal(err)
	}
}

// TestRowsOfBeforeStay opens a store whose object rows had no versions, after a
// crash in the middle of an earlier opening too.
func TestRowsOfBeforeStay(t *testing.T) {
	disk := vfs.NewCrashableMem()
	db, err := pebble.Open("", &pebble.Options{FS: disk, FormatMajorVersion: pebble.FormatNewest})
	if err != nil {
		t.Fatal(err)
	}
	const many = 2500
	for _, name := range []string{"ant", "bee"} {
		row := fmt.Sprintf(`{"name":%q,"owner":"ann","region":"us-east-1","created":"2026-01-01T00:00:00Z"}`, name)
		if err := db.Set([]byte("b"+name), []byte(row), nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range many {
		oldObject(t, db, "ant", fmt.Sprintf("k%04d", i), uint64(1e18+i), 2)
	}
	oldObject(t, db, "bee", "zero", 7, 5)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		x := open(t, disk, "")
		o, err := x.Object(t.Context(), "ant", "k0007", "")
		if err != nil || o.ID != "id-k0007" || o.Size != 2 || o.ETag != "tag" || o.Version != index.Null || !o.Modified.Equal(time.Unix(1e9, 5)) ||
			o.Pieces[0].ID != "p-k0007" || o.Meta["a"] != "b" || o.Checksum.Value != "AAAA" || o.Algorithm != "CRC32" {
			t.Errorf("%+v %v", o, err)
		}
		if u, err := x.Usage(t.Context(), "ant"); err != nil || u != (index.Usage{Objects: many, Bytes: 2 * many}) {
			t.Errorf("%+v %v", u, err)
		}
		page, err := x.List(t.Context(), "ant", index.Query{Max: many + 1})
		if err != nil || len(page.Items) != many || page.Items[many-1].Key != "k2499" {
			t.Errorf("%d listed, %v", len(page.Items), err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		x = open(t, disk, "")
		o.Size, o.ID = 3, "new"
		o.Pieces = nil
		if err := x.Put(t.Context(), o, index.Condition{}); err != nil {
			t.Error(err)
		}
		if _, err := x.Delete(t.Context(), "ant", "k0007", index.Null, index.Condition{}); err != nil {
			t.Error(err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		disk = disk.CrashClone(vfs.CrashCloneCfg{})
		half(t, disk)
	}
}

// set writes a row past the index.
func set(t *testing.T, disk vfs.FS, key, value string) {
	t.Helper()
	db, err := pebble.Open("", &pebble.Options{FS: disk, FormatMajorVersion: pebble.FormatNewest})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Set([]byte(key), []byte(value), nil); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// half takes the store back to the middle of its renewal: some rows have the
// new form, others not, and the store does not say what it is.
func half(t *testing.T, disk *vfs.MemFS) {
	db, err := pebble.Open("", &pebble.Options{FS: disk, FormatMajorVersion: pebble.FormatNewest})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Delete([]byte("!format"), nil); err != nil {
		t.Fatal(err)
	}
	oldObject(t, db, "ant", "k0007", 1e18+7, 2)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
