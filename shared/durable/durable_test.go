package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestAFailedWriteLeavesTheOldBytesAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Write(path, 0o600, func(w io.Writer) error {
		_, _ = w.Write([]byte("new"))
		return errors.New("cut")
	})
	if err == nil {
		t.Fatal("the failure was not told")
	}
	b, _ := os.ReadFile(path)
	entries, _ := os.ReadDir(dir)
	st, _ := os.Stat(path)
	if string(b) != "old" || len(entries) != 1 || st.Mode() != 0o600 {
		t.Errorf("%q %v %v", b, entries, st.Mode())
	}
}

func TestSweepRemovesOnlyTemporaries(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{".tmp-x-1", "x", ".keep"} {
		if err := os.WriteFile(filepath.Join(dir, n), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(dir); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2 {
		t.Errorf("%v", entries)
	}
}
