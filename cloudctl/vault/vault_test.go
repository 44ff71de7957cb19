package vault

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
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
	if err := command.Rotate(time.Time{}); err != nil {
		t.Fatal(err)
	}
	fresh := running.Seal("a", "hush")
	if !command.Current(fresh) || command.Current(old) || len(running.Older()) != 1 {
		t.Error("the vault that runs goes on to seal under the old key")
	}
	for _, sealed := range [][]byte{old, fresh} {
		for _, v := range []*Vault{running, command} {
			if text, err := v.Unseal("a", sealed); err != nil || text != "hush" {
				t.Errorf("%q, %v", text, err)
			}
		}
	}
	if n, err := command.Forget(func(time.Time) bool { return true }); n != 1 || err != nil {
		t.Fatal(n, err)
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

// Each key says until when it is needed, and goes alone; the one that seals
// stays whatever is said.
func TestKeysAreNeededForATime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "master.key")
	v, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	var sealed [][]byte
	at := func(n int64) time.Time { return time.Unix(n, 0).UTC() }
	for i := range int64(3) {
		sealed = append(sealed, v.Seal("a", "hush"))
		if err := v.Rotate(at(10 + i)); err != nil {
			t.Fatal(err)
		}
	}
	other, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := other.Older(); !slices.Equal(got, []time.Time{at(10), at(11), at(12)}) {
		t.Fatal(got)
	}
	if n, err := other.Forget(func(until time.Time) bool { return !until.After(at(11)) }); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	v.Older() // sees the file
	for i, opens := range []bool{false, false, true} {
		if _, err := v.Unseal("a", sealed[i]); (err == nil) != opens {
			t.Errorf("%d: %v", i, err)
		}
	}
	if n, err := v.Forget(func(time.Time) bool { return true }); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if err := v.Retire(at(5)); err != nil || len(v.Older()) != 0 {
		t.Error(err, v.Older())
	}
	if n, err := v.Forget(func(time.Time) bool { return true }); n != 0 || err != nil {
		t.Fatal(n, err)
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
	f.Add([]byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= until 2026-11-23T06:00:00Z\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if keys, err := parse(b); err == nil && len(keys) == 0 {
			t.Error("no key and no error")
		}
	})
}
