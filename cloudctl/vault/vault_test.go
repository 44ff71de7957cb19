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

func TestAKeyIsChangedUnderAVaultThatRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "master.key")
	running, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	old := running.Seal("a", "hush")
	command, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Rotate(); err != nil {
		t.Fatal(err)
	}
	fresh := running.Seal("a", "hush")
	if !command.Current(fresh) || command.Current(old) || running.Keys() != 2 {
		t.Error("the vault that runs goes on to seal under the old key")
	}
	for _, sealed := range [][]byte{old, fresh} {
		for _, v := range []*Vault{running, command} {
			if text, err := v.Unseal("a", sealed); err != nil || text != "hush" {
				t.Errorf("%q, %v", text, err)
			}
		}
	}
	if err := command.Forget(); err != nil {
		t.Fatal(err)
	}
	for _, v := range []*Vault{running, command} {
		if text, err := v.Unseal("a", fresh); err != nil || text != "hush" {
			t.Errorf("%q, %v", text, err)
		}
		v.Current(fresh)
		if _, err := v.Unseal("a", old); err == nil {
			t.Error("what is under the old key opens")
		}
	}
}

// What was sealed before keys had names opens still.
func TestValuesWithoutAName(t *testing.T) {
	v, err := Open(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	for range 600 { // also where the nonce happens to begin as a mark does
		sealed := v.keys[0].aead.Seal(nil, nil, []byte("hush"), []byte("a"))
		if text, err := v.Unseal("a", sealed); err != nil || text != "hush" || v.Current(sealed) && sealed[0] != mark {
			t.Fatalf("%q, %v", text, err)
		}
	}
}

func FuzzUnseal(f *testing.F) {
	v, err := Open(filepath.Join(f.TempDir(), "master.key"))
	if err != nil {
		f.Fatal(err)
	}
	good := v.Seal("a", "hush")
	f.Add(good)
	f.Add([]byte{mark})
	f.Fuzz(func(t *testing.T, b []byte) {
		if text, err := v.Unseal("a", b); err == nil && !bytes.Equal(b, good) {
			t.Errorf("%x opens: %q", b, text)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(make([]byte, 32))
	f.Add([]byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if keys, err := parse(b); err == nil && len(keys) == 0 {
			t.Error("no key and no error")
		}
	})
}
