package vault

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestASecretComesBackOnlyUnderItsNameAndKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "master.key")
	v, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	sealed := v.Seal("AKIA1", "hush")
	if bytes.Contains(sealed, []byte("hush")) {
		t.Error("it lies open")
	}
	again, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := again.Unseal("AKIA1", sealed); err != nil || s != "hush" {
		t.Errorf("after a restart: %q, %v", s, err)
	}
	if _, err := v.Unseal("AKIA2", sealed); err == nil {
		t.Error("it opens under another name")
	}
	other, err := Open(filepath.Join(t.TempDir(), "other.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Unseal("AKIA1", sealed); err == nil {
		t.Error("it opens under another key")
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

func TestAShortMasterKeyIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(file, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil {
		t.Error("it is taken")
	}
}

// A command on cloudctl's machine may run while the daemon starts for the
// first time: what one of them seals the other must open.
func TestTwoFirstStartsEndWithOneMasterKey(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		var all [4]*Vault
		var wg sync.WaitGroup
		for i := range all {
			wg.Go(func() {
				v, err := Open(filepath.Join(dir, "master.key"))
				if err != nil {
					t.Error(err)
				}
				all[i] = v
			})
		}
		wg.Wait()
		for _, v := range all {
			if s, err := v.Unseal("AKIA1", all[0].Seal("AKIA1", "hush")); err != nil || s != "hush" {
				t.Fatalf("%q, %v", s, err)
			}
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
			t.Fatalf("left are %v, %v", files, err)
		}
	}
}
