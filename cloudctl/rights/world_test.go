package rights

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/cloudctl/storetest"
	"karri/cloudctl/vault"
)

// world is a database with one account and what a test puts into it.
type world struct {
	testing.TB
	store *store.Store
	vault *vault.Vault
	cache *Cache
	now   time.Time
	path  string
}

const acct = "111122223333"

func newWorld(t testing.TB) *world {
	t.Helper()
	s, v, dir := storetest.Open(t)
	w := &world{TB: t, path: filepath.Join(dir, "cloud.db"), store: s, vault: v, now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
	w.cache = New(s, v, func() time.Time { return w.now })
	w.put(&store.Account{ID: acct, Name: "ann", State: store.AccountActive, Created: w.now})
	return w
}

func (w *world) put(rows ...store.Record) {
	w.Helper()
	w.tx(func(tx *store.Tx) error {
		for _, r := range rows {
			if err := tx.Put(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *world) tx(do func(*store.Tx) error) {
	w.Helper()
	if err := w.store.InTx(w.Context(), do); err != nil {
		w.Fatal(err)
	}
}

// change puts rows and announces that something of an account changed.
func (w *world) change(account string, rows ...store.Record) {
	w.Helper()
	w.tx(func(tx *store.Tx) error {
		for _, r := range rows {
			if err := tx.Put(r); err != nil {
				return err
			}
		}
		return tx.AnnounceChange(store.Change{Account: account, Kind: "user", What: "changed"}, w.now)
	})
}

// user makes a user with a key, and returns the key's id.
func (w *world) user(name string) string {
	w.Helper()
	key := "AKIA" + name
	w.put(
		&store.User{ID: "AIDA" + name, Account: acct, Name: name, Folded: store.Fold(name), Path: "/", Tags: store.Labels{}, Created: w.now},
		&store.AccessKey{ID: key, Account: acct, User: "AIDA" + name, Sealed: w.vault.Seal(key, "secret of "+name), Active: true, Created: w.now},
	)
	return key
}

func allow(action string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"%s","Resource":"*"}]}`, action)
}

func deny(action string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"No","Effect":"Deny","Action":"%s","Resource":"*"}]}`, action)
}

func (w *world) inline(holder, name, text string) *store.InlinePolicy {
	return &store.InlinePolicy{Holder: holder, Name: name, Account: acct, Document: text, Created: w.now}
}
