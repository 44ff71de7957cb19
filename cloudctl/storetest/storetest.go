// Package storetest gives tests what every part of cloudctl stands on: an empty
// database and a vault of their own, gone with the test.
package storetest

import (
	"path/filepath"
	"testing"

	"karri/cloudctl/store"
	"karri/cloudctl/vault"
)

// Open makes the database "cloud.db" and the vault "master.key" in the folder that
// it returns, which lasts as long as t.
func Open(t testing.TB) (*store.Store, *vault.Vault, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), filepath.Join(dir, "cloud.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	v, err := vault.Open(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	return s, v, dir
}
