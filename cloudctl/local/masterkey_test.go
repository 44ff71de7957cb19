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
	"karri/cloudctl/session"
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

// cutOff begins a rotation that ends after the first transaction.
func cutOff(t *testing.T, s *store.Store, command *vault.Vault) {
	t.Helper()
	if err := command.Rotate(time.Now()); err != nil {
		t.Fatal(err)
	}
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Sealed(nil, 10)
		if err == nil {
			_, err = sealRows(tx, command, rows)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
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
	cutOff(t, b.Store, command)
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
	if err := rotateMasterKey(t.Context(), config.Program{}, []string{"--state", dir, "--master-key-file", file, "--drop-old"}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), fmt.Sprint(2*perStep+3+2-10, " secrets")) || strings.Contains(out.String(), "older") {
		t.Error(out.String())
	}
	check()
	after, err := os.ReadFile(file)
	if err != nil || bytes.Contains(after, before) {
		t.Error("the old key is there", err)
	}
	if is, err := Behind(t.Context(), b.Store, b.Vault); err != nil || is {
		t.Error("something is under the old key", err)
	}
	out.Reset()
	if err := rotateMasterKey(t.Context(), config.Program{}, []string{"--state", dir, "--master-key-file", file}, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), fmt.Sprint(2*perStep+3+2, " secrets")) || strings.Count(out.String(), "An older key opens the sessions") != 1 {
		t.Error(out.String())
	}
	check()
}

// Whoever has a session goes on with it when the master key is changed, and
// again changed; the old keys go by themselves when the sessions have ended, also
// where the daemon was killed in between.
func TestSessionsOutliveTheMasterKey(t *testing.T) {
	dir := t.TempDir()
	b, key := chest(t, dir, MasterKeyFile(dir))
	now := time.Now().Truncate(time.Second)
	desk := &session.Desk{Store: b.Store, Vault: b.Vault, Clock: func() time.Time { return now }}
	give := func() session.Credentials {
		t.Helper()
		c, err := desk.Issue(session.Claims{Kind: "root", Account: key.Account, Holder: key.Account}, session.Longest)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	opens := func(c session.Credentials) bool {
		_, err := desk.Open(c.AccessKey, c.Token)
		return err == nil
	}
	tidy := func(want int) {
		t.Helper()
		if n, err := DropOld(t.Context(), b.Store, b.Vault, now); n != want || err != nil {
			t.Errorf("%d keys are dropped, not %d: %v", n, want, err)
		}
	}
	first, under := give(), sealed(t, b.Store, key.AccessKey)
	if _, err := Rotate(t.Context(), b.Store, b.Vault, now, false); err != nil {
		t.Fatal(err)
	}
	now = now.Add(10 * time.Hour)
	second := give()
	if _, err := Rotate(t.Context(), b.Store, b.Vault, now, false); err != nil {
		t.Fatal(err)
	}
	now = now.Add(25 * time.Hour)
	tidy(0)
	if !opens(first) || !opens(second) {
		t.Error("a session ended with the master key")
	}
	now = now.Add(time.Hour + time.Minute) // the first has ended by itself
	// A rotation that was cut off left something under the key that is dropped.
	err := b.Store.InTx(t.Context(), func(tx *store.Tx) error { return tx.Reseal(store.SealedRow{Name: key.AccessKey}, under) })
	if err != nil {
		t.Fatal(err)
	}
	tidy(1)
	if got, err := b.Vault.Unseal(key.AccessKey, sealed(t, b.Store, key.AccessKey)); err != nil || got != key.Secret {
		t.Error("a secret went with the key", err)
	}
	if !opens(second) {
		t.Error("the second session ended with the first one's key")
	}
	now = now.Add(10 * time.Hour)
	tidy(1)
	if len(b.Vault.Older()) > 0 || len(Older(b.Vault)) > 0 {
		t.Error(b.Vault.Older())
	}
	tidy(0)
	third := give()
	if _, err := Rotate(t.Context(), b.Store, b.Vault, now, true); err != nil || opens(third) {
		t.Error("a session outlives a key that may be known", err)
	}
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
