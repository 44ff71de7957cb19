// Package local is what only whoever has cloudctl's own machine may do: replace
// a lost root key, and make the first join tokens.
//
// The commands work on the state folder, whether the daemon runs or not; each
// is one transaction of the database.
package local

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"karri/cloudctl/account"
	"karri/cloudctl/enroll"
	"karri/cloudctl/principal"
	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/shared/config"
	"karri/shared/pki"
)

// DatabaseFile and MasterKeyFile are where cloudctl keeps its records and the
// key that seals its secrets, below a state folder.
func DatabaseFile(state string) string { return filepath.Join(state, "cloud.db") }

// MasterKeyFile is described at DatabaseFile.
func MasterKeyFile(state string) string { return filepath.Join(state, "master.key") }

// OpenBook opens the records of a state folder and makes the administrator's
// account if there is none. Close the store.
func OpenBook(ctx context.Context, state string) (*account.Book, error) {
	return OpenBookWith(ctx, state, MasterKeyFile(state))
}

// OpenBookWith is OpenBook where the master key is in a file of its own.
func OpenBookWith(ctx context.Context, state, masterKey string) (*account.Book, error) {
	v, err := vault.Open(masterKey)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, DatabaseFile(state))
	if err != nil {
		return nil, err
	}
	b := &account.Book{Store: s, Vault: v, Clock: time.Now}
	err = b.Found(ctx)
	if err == nil {
		err = principal.AdoptAll(ctx, s)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return b, nil
}

type command struct {
	config.Program
	run func(ctx context.Context, p config.Program, args []string, out io.Writer) error
}

var commands = map[string]command{
	"root-key": {config.Program{Name: "cloudctl root-key",
		Purpose: "Gives the administrator a new access key in place of any that was lost, and prints it as JSON."}, rootKey},
	"rotate-master-key": {config.Program{Name: "cloudctl rotate-master-key",
		Purpose: "Puts a new master key in place of the old one and seals all secrets anew, while the daemon runs or not. The old one is kept for the sessions that were given out under it, 36 hours at the most; then cloudctl drops it. karri explain master-key tells what is waited for."}, rotateMasterKey},
	"join-token": {config.Program{Name: "cloudctl join-token",
		Purpose: "Prints a one-time token with which a component joins the cloud."}, joinToken},
}

// Main runs the command that args name and reports whether there is one; the
// exit status is for os.Exit.
func Main(args []string) (status int, is bool) {
	if len(args) == 0 {
		return 0, false
	}
	c, ok := commands[args[0]]
	if !ok {
		return 0, false
	}
	err := c.run(context.Background(), c.Program, args[1:], os.Stdout)
	switch {
	case errors.Is(err, config.ErrHelp):
		return 0, true
	case err != nil:
		fmt.Fprintf(os.Stderr, "cloudctl %s: %v\n", args[0], err)
		return 1, true
	}
	return 0, true
}

func rootKey(ctx context.Context, p config.Program, args []string, out io.Writer) error {
	var c struct {
		State     string `flag:"state" required:"true" help:"state folder of cloudctl"`
		MasterKey string `flag:"master-key-file" help:"file with the key that seals users' secrets; STATE/master.key when not given"`
	}
	if _, err := config.Load(p, args, &c); err != nil {
		return err
	}
	b, err := OpenBookWith(ctx, c.State, cmp.Or(c.MasterKey, MasterKeyFile(c.State)))
	if err != nil {
		return err
	}
	defer b.Store.Close()
	key, err := b.RootKey(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(map[string]string{"account": key.Account, "accessKeyId": key.AccessKey, "secretAccessKey": key.Secret})
}

func joinToken(ctx context.Context, p config.Program, args []string, out io.Writer) error {
	var c struct {
		State string `flag:"state" required:"true" help:"state folder of cloudctl"`
		Role  string `flag:"role" required:"true" help:"walrus, clusterctl or blockstore"`
		Zone  string `flag:"zone" help:"zone of a clusterctl or blockstore"`

		MasterKey string `flag:"master-key-file" help:"file with the key that seals users' secrets; STATE/master.key when not given"`
	}
	if _, err := config.Load(p, args, &c); err != nil {
		return err
	}
	root, err := pki.Load(filepath.Join(c.State, "ca"))
	if err != nil {
		return fmt.Errorf("the cloud's authority, which cloudctl makes at its first start: %w", err)
	}
	b, err := OpenBookWith(ctx, c.State, cmp.Or(c.MasterKey, MasterKeyFile(c.State)))
	if err != nil {
		return err
	}
	defer b.Store.Close()
	who := pki.Identity{Role: c.Role}
	if c.Role != pki.Walrus {
		who.Zone = c.Zone
	}
	desk := &enroll.Desk{Store: b.Store, Accounts: b, Root: root, Clock: time.Now}
	join, err := desk.NewToken(ctx, who)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, join)
	return err
}
