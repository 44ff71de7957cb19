package account

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/identity"
	"karri/shared/sign"
)

// SigningKey implements sign.Keys: it derives the SigV4 key of an access key
// for a date, region and service. The secret itself goes nowhere.
func (b *Book) SigningKey(ctx context.Context, accessKey, token, date, region, service string) (sign.Key, error) {
	k, secret, err := b.look(ctx, accessKey, token)
	if err != nil {
		return sign.Key{}, err
	}
	k.Signing = sign.DeriveKey(secret, date, region, service)
	b.Used.Note(accessKey, service, region, b.Clock())
	return k, nil
}

// CheckV2 implements sign.Keys for SigV2, which has no derived keys.
func (b *Book) CheckV2(ctx context.Context, accessKey, token, algorithm, stringToSign, signature string) (sign.Key, error) {
	k, secret, err := b.look(ctx, accessKey, token)
	if err != nil {
		return sign.Key{}, err
	}
	if !sign.CheckV2(secret, algorithm, stringToSign, signature) {
		return sign.Key{}, fault.New(fault.Denied, "SignatureDoesNotMatch", "The signature is not that of the access key.")
	}
	return k, nil
}

// look returns what is known of an access key, and its secret.
func (b *Book) look(ctx context.Context, accessKey, token string) (sign.Key, string, error) {
	if token != "" {
		return sign.Key{}, "", sign.TokenInvalid
	}
	var row *store.AccessKey
	var who *identity.Identity
	var active bool
	err := b.Store.View(ctx, func(tx *store.Tx) (err error) {
		if row, err = tx.AccessKey(accessKey); err == nil {
			who, active, err = Holder(tx, row)
		}
		return err
	})
	if err != nil {
		return sign.Key{}, "", err
	}
	secret, err := b.Vault.Unseal(row.ID, row.Sealed)
	if err != nil {
		return sign.Key{}, "", err
	}
	k := sign.Key{Account: who.Account, ARN: who.ARN, State: sign.Active, Identity: who}
	if !active {
		k.State = sign.Inactive
	}
	k.Rights, err = who.Compile(nil)
	return k, secret, err
}

// Holder says whom an access key stands for, without the policies, and whether
// it is good: neither it nor the account is disabled.
func Holder(tx *store.Tx, k *store.AccessKey) (who *identity.Identity, active bool, err error) {
	a, err := tx.Account(k.Account)
	if err != nil {
		return nil, false, err
	}
	active = k.Active && a.State == store.AccountActive
	if k.User == "" {
		return identity.RootOf(a.ID, a.Admin), active, nil
	}
	u, err := tx.UserByID(k.User)
	if err != nil {
		return nil, false, err
	}
	who = &identity.Identity{Kind: identity.User, Account: a.ID, Name: u.Name, ARN: u.ARN(), ID: u.ID, Admin: a.Admin}
	for _, l := range u.Tags {
		if who.Tags == nil {
			who.Tags = map[string]string{}
		}
		who.Tags[l.Key] = l.Value
	}
	return who, active, nil
}

// RootARN names the one user that an account has.
func RootARN(account string) string { return "arn:aws:iam::" + account + ":root" }

// IsAdmin reports whether an account is the administrator's.
func (b *Book) IsAdmin(ctx context.Context, account string) (bool, error) {
	var a *store.Account
	err := b.Store.View(ctx, func(tx *store.Tx) (err error) {
		a, err = tx.Account(account)
		return err
	})
	return err == nil && a.Admin, err
}
