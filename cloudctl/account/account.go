// Package account keeps accounts, their access keys and their first network.
//
// An account is made in one transaction with its first access key and its
// default VPC, so that it either can be used at once or is not there. Secrets
// are sealed by the vault before they reach the database and are shown once,
// to whoever asked for the key. A suspended account keeps all that it has; only
// its keys are refused.
package account

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"strings"
	"sync"
	"time"

	"karri/cloudctl/rights"
	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/shared/bucket"
	"karri/shared/fault"
)

// Book is all accounts of the cloud.
type Book struct {
	Store *store.Store
	Vault *vault.Vault
	Clock func() time.Time
	Rand  io.Reader // of ids and keys; nil: crypto/rand
	// Buckets is walrus, which an account is not deleted without asking.
	Buckets bucket.Store
	// Used, when there, notes when keys were last used.
	Used *Usage

	once  sync.Once
	cache *rights.Cache
}

// Secret is an access key as its owner sees it, once.
type Secret struct {
	Account   string
	AccessKey string
	Secret    string
}

// AdminName is the name of the administrator's account.
const AdminName = "admin"

var (
	nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	idForm   = regexp.MustCompile(`^[0-9]{12}$`)
)

// Found makes the administrator's account at the first start of a cloud; later
// it does nothing. Its first access key comes from RootKey.
func (b *Book) Found(ctx context.Context) error {
	return b.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.AccountNamed(AdminName)
		if fault.KindOf(err) != fault.Missing {
			return err
		}
		_, err = b.make(tx, AdminName, true)
		return err
	})
}

// Create makes an account with its first access key and its default VPC, with
// a subnet in each zone. The fault EntityAlreadyExists says that the name is taken.
func (b *Book) Create(ctx context.Context, name string) (*store.Account, Secret, error) {
	if !nameForm.MatchString(name) || idForm.MatchString(name) {
		return nil, Secret{}, fault.New(fault.Invalid, "InvalidParameterValue",
			"An account's name has 1 to 63 small letters, digits and dashes, no dash at its ends, and is not twelve digits.")
	}
	var a *store.Account
	var key Secret
	err := b.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		if _, err := tx.AccountCalled(name); err == nil {
			return fault.New(fault.Conflict, "EntityAlreadyExists", "There is an account named %s already.", name)
		}
		if a, err = b.make(tx, name, false); err != nil {
			return err
		}
		if key, err = b.AddKey(tx, a.ID, nil, ""); err != nil {
			return err
		}
		return b.announce(tx, a, "created")
	})
	return a, key, err
}

func (b *Book) make(tx *store.Tx, name string, admin bool) (*store.Account, error) {
	n, err := rand.Int(b.source(), big.NewInt(899_999_999_999))
	if err != nil {
		return nil, err
	}
	a := &store.Account{ID: fmt.Sprint(100_000_000_001 + n.Int64()), Name: name, State: store.AccountActive, Admin: admin, Created: b.Clock()}
	if err := tx.Add(a); err != nil {
		return nil, err
	}
	return a, b.addDefaultVPC(tx, a.ID)
}

func (b *Book) source() io.Reader {
	if b.Rand == nil {
		return rand.Reader
	}
	return b.Rand
}

// RootKey gives the administrator a new access key in place of all that he
// has, for whoever has the machine itself.
func (b *Book) RootKey(ctx context.Context) (Secret, error) {
	var key Secret
	err := b.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.AccountNamed(AdminName)
		if err != nil {
			return err
		}
		key, err = b.replaceKeys(tx, a.ID)
		return err
	})
	return key, err
}

// RotateKey gives an account a new access key of its own in place of those
// that it has; the keys of its users stay.
func (b *Book) RotateKey(ctx context.Context, account string) (Secret, error) {
	var key Secret
	err := b.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.AccountCalled(account)
		if err != nil {
			return err
		}
		key, err = b.replaceKeys(tx, a.ID)
		return err
	})
	return key, err
}

func (b *Book) replaceKeys(tx *store.Tx, account string) (Secret, error) {
	old, err := tx.AccessKeysOfUser(account, "")
	if err != nil {
		return Secret{}, err
	}
	for _, k := range old {
		if err := b.DropKey(tx, &k); err != nil {
			return Secret{}, err
		}
	}
	return b.AddKey(tx, account, nil, "")
}

// AddKey makes an access key of a user, or of the account itself when there is
// none, in the form that tools expect: 20 characters beginning with AKIA, and a
// secret of 40. The creator is what quotas count it for.
func (b *Book) AddKey(tx *store.Tx, account string, user *store.User, creator string) (Secret, error) {
	raw := make([]byte, 10+30)
	if _, err := io.ReadFull(b.source(), raw); err != nil {
		return Secret{}, err
	}
	s := Secret{
		Account:   account,
		AccessKey: "AKIA" + base32.StdEncoding.EncodeToString(raw[:10]),
		Secret:    base64.RawURLEncoding.EncodeToString(raw[10:]),
	}
	k := &store.AccessKey{ID: s.AccessKey, Account: account, Sealed: b.Vault.Seal(s.AccessKey, s.Secret), Active: true, Created: b.Clock(), Creator: creator}
	if user != nil {
		k.User = user.ID
	}
	if err := tx.Add(k); err != nil {
		return Secret{}, err
	}
	return s, b.announceKey(tx, k, "created")
}

// PutKey writes a key that was changed.
func (b *Book) PutKey(tx *store.Tx, k *store.AccessKey) error {
	if err := tx.Put(k); err != nil {
		return err
	}
	return b.announceKey(tx, k, "changed")
}

// DropKey removes a key for good.
func (b *Book) DropKey(tx *store.Tx, k *store.AccessKey) error {
	if err := tx.Drop(k); err != nil {
		return err
	}
	return b.announceKey(tx, k, "deleted")
}

func (b *Book) announceKey(tx *store.Tx, k *store.AccessKey, what string) error {
	return tx.AnnounceChange(store.Change{Account: k.Account, Kind: "key", ID: k.ID, What: what}, b.Clock())
}

func (b *Book) announce(tx *store.Tx, a *store.Account, what string) error {
	return tx.AnnounceChange(store.Change{Account: a.ID, Kind: "account", ID: a.ID, Name: a.Name, ARN: RootARN(a.ID), What: what}, b.Clock())
}

// Suspend refuses the keys of an account from now on; what it has stays.
func (b *Book) Suspend(ctx context.Context, account string) error {
	return b.setState(ctx, account, store.AccountSuspended)
}

// Resume takes a suspension back.
func (b *Book) Resume(ctx context.Context, account string) error {
	return b.setState(ctx, account, store.AccountActive)
}

func (b *Book) setState(ctx context.Context, account string, state store.AccountState) error {
	return b.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := b.plainAccount(tx, account)
		if err != nil {
			return err
		}
		a.State = state
		if err := tx.Put(a); err != nil {
			return err
		}
		return b.announce(tx, a, "changed")
	})
}

// plainAccount returns the account of that id, name or alias, which is not the
// administrator's.
func (b *Book) plainAccount(tx *store.Tx, account string) (*store.Account, error) {
	a, err := tx.AccountCalled(account)
	if err == nil && a.Admin {
		return nil, fault.New(fault.Conflict, "OperationNotPermitted", "The administrator's account can be neither suspended nor deleted.")
	}
	return a, err
}

// Called returns the id of the account of that id, name or alias.
func (b *Book) Called(ctx context.Context, word string) (id string, err error) {
	err = b.Store.View(ctx, func(tx *store.Tx) error {
		a, err := tx.AccountCalled(word)
		if err == nil {
			id = a.ID
		}
		return err
	})
	return id, err
}

// List returns all accounts by name.
func (b *Book) List(ctx context.Context) ([]store.Account, error) {
	var all []store.Account
	err := b.Store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.Accounts()
		return err
	})
	return all, err
}

// Delete deletes an account that has nothing left but what it was born with,
// and its users, roles and policies with all that is theirs.
// The fault DeleteConflict names what it still has. Walrus may believe in the
// keys for some seconds more: a bucket that is made in these has no owner.
func (b *Book) Delete(ctx context.Context, account string) error {
	account, buckets, err := b.bucketsOf(ctx, account)
	if err != nil {
		return err
	}
	return b.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := b.plainAccount(tx, account)
		if err != nil {
			return err
		}
		has, err := tx.Holdings(account)
		if err != nil {
			return err
		}
		if len(buckets) > 0 {
			has = append(has, fmt.Sprintf("%d buckets (%s)", len(buckets), strings.Join(buckets[:min(3, len(buckets))], ", ")))
		}
		if len(has) > 0 {
			return fault.New(fault.Conflict, "DeleteConflict", "The account %s still has %s.", account, strings.Join(has, ", "))
		}
		if err := tx.DropAccount(a); err != nil {
			return err
		}
		return b.announce(tx, a, "deleted")
	})
}

// bucketsOf returns the id and the buckets of an account.
func (b *Book) bucketsOf(ctx context.Context, word string) (account string, names []string, err error) {
	err = b.Store.View(ctx, func(tx *store.Tx) error {
		a, err := b.plainAccount(tx, word)
		if err == nil {
			account = a.ID
		}
		return err
	})
	if err != nil {
		return "", nil, err
	}
	names, err = b.Buckets.For(account).Buckets(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("ask walrus for the buckets of %s: %w", account, err)
	}
	return account, names, nil
}
