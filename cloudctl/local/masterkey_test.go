package local

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/account"
	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/shared/config"
)

// chest is a cloud with many secrets.
func chest(t *testing.T, dir, file string) (*account.Book, account.Secret) {
	t.Helper()
	b, err := OpenBookWith(t.Context(), dir, file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Store.Close)
	key, err := b.RootKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = b.Store.InTx(t.Context(), func(tx *store.Tx) error {
		for i := range 2*perStep + 3 {
			id := fmt.Sprintf("hook-%05d", i)
			if err := tx.Add(&store.Webhook{ID: id, Sealed: b.Vault.Seal(id, "hush"), Created: time.Now()}); err != nil {
				return err
			}
		}
		return tx.Add(&store.MFADevice{Serial: "s", Account: key.Account, Sealed: b.Vault.Seal("s", "seed"), Tags: store.Labels{}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b, key
}

// Rotation that was cut off in any of its steps is finished by the next one,
// and every secret opens all the time.
func TestTheMasterKeyIsChanged(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(t.TempDir(), "elsewhere.key")
	b, key := chest(t, dir, file)
	if _, err := os.Stat(MasterKeyFile(dir)); err == nil {
		t.Error("there is a key in the state folder")
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	command, err := vault.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	// It ended after the first transaction.
	if err := command.Rotate(); err != nil {
		t.Fatal(err)
	}
	err = b.Store.InTx(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Sealed(nil, 10)
		if err == nil {
			_, err = sealRows(tx, command, rows)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		if got, err := b.Vault.Unseal("hook-00003", sealed(t, b.Store, "hook-00003")); err != nil || got != "hush" {
			t.Fatal(got, err)
		}
		if got, err := b.Vault.Unseal(key.AccessKey, sealed(t, b.Store, key.AccessKey)); err != nil || got != key.Secret {
			t.Fatal(err)
		}
	}
	check()
	var out bytes.Buffer
	if err := rotateMasterKey(t.Context(), config.Program{}, []string{"--state", dir, "--master-key-file", file}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), fmt.Sprint(2*perStep+3+2-10, " secrets")) || !strings.Contains(out.String(), "1 keys") {
		t.Error(out.String())
	}
	check()
	after, err := os.ReadFile(file)
	if err != nil || bytes.Contains(after, before) {
		t.Error("the old key is there", err)
	}
	if is, err := behind(t.Context(), b.Store, b.Vault); err != nil || is {
		t.Error("something is under the old key", err)
	}
	if n, err := Rotate(t.Context(), b.Store, b.Vault, true); err != nil || n != 2*perStep+3+2 || b.Vault.Keys() != 2 {
		t.Error(n, err, b.Vault.Keys())
	}
	check()
}

func sealed(t *testing.T, s *store.Store, name string) (found []byte) {
	t.Helper()
	err := s.View(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Sealed(nil, 5000)
		for _, r := range rows {
			if r.Name == name {
				found = r.Sealed
			}
		}
		return err
	})
	if err != nil || found == nil {
		t.Fatal(err)
	}
	return found
}
