package daemon

import (
	"path/filepath"
	"testing"

	"karri/walrus/content"
	"karri/walrus/content/contenttest"
	"karri/walrus/index"
)

func TestIndexAndContentBelongTogether(t *testing.T) {
	dir := t.TempDir()
	open := func(rows, bytes string) (*content.Files, *index.Store, error) {
		t.Helper()
		files, err := content.OpenFiles(filepath.Join(dir, bytes), content.FilesOptions{Reserve: 1})
		if err != nil {
			t.Fatal(err)
		}
		x, err := index.Open(filepath.Join(dir, rows), index.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = pair(t.Context(), files, x)
		t.Cleanup(func() { _ = x.Close() })
		return files, x, err
	}
	files, x, err := open("rows", "bytes")
	if err != nil {
		t.Fatal(err)
	}
	contenttest.Put(t, files, []byte("kept"))
	_ = x.Close()
	_, x, err = open("rows", "bytes")
	if err != nil {
		t.Errorf("the second start: %v", err)
	}
	_ = x.Close()
	if _, _, err := open("none", "bytes"); err == nil {
		t.Error("a new index beside old bytes starts")
	}
	if _, _, err := open("other rows", "other bytes"); err != nil {
		t.Error(err)
	}
	if _, _, err := open("rows", "third bytes"); err == nil {
		t.Error("an index beside no bytes starts")
	}
	// The first start died between the two names.
	half, err := content.OpenFiles(filepath.Join(dir, "half"), content.FilesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := half.SetIdentity("half"); err != nil {
		t.Fatal(err)
	}
	if _, y, err := open("half rows", "half"); err != nil {
		t.Error(err)
	} else if id, _ := y.Identity(t.Context()); id != "half" {
		t.Errorf("the name is %q", id)
	}
}
