package account

import (
	"context"

	"karri/cloudctl/rights"
	"karri/cloudctl/session"
	"karri/shared/fault"
	"karri/shared/sign"
)

// Rights returns the cache of what keys may do.
func (b *Book) Rights() *rights.Cache {
	b.once.Do(func() {
		b.cache = rights.New(b.Store, b.Vault, b.Clock)
		b.cache.Sessions = b.Sessions()
	})
	return b.cache
}

// Sessions returns what gives out and reads the credentials of sessions.
func (b *Book) Sessions() *session.Desk {
	return &session.Desk{Store: b.Store, Vault: b.Vault, Clock: b.Clock, Rand: b.Rand}
}

// SigningKey implements sign.Keys: it derives the SigV4 key of an access key
// for a date, region and service. The secret itself goes nowhere.
func (b *Book) SigningKey(ctx context.Context, accessKey, token, date, region, service string) (sign.Key, error) {
	c, err := b.Rights().Of(ctx, accessKey, token)
	if err != nil {
		return sign.Key{}, err
	}
	k := c.Key()
	k.Signing = c.Signing(date, region, service)
	if i := c.Rights.Identity; i.Role != "" {
		b.Used.Note(i.Role, "role", region, b.Clock())
	} else {
		b.Used.Note(accessKey, service, region, b.Clock())
	}
	return k, nil
}

// CheckV2 implements sign.Keys for SigV2, which has no derived keys.
func (b *Book) CheckV2(ctx context.Context, accessKey, token, algorithm, stringToSign, signature string) (sign.Key, error) {
	c, err := b.Rights().Of(ctx, accessKey, token)
	if err != nil {
		return sign.Key{}, err
	}
	if !c.CheckV2(algorithm, stringToSign, signature) {
		return sign.Key{}, fault.New(fault.Denied, "SignatureDoesNotMatch", "The signature is not that of the access key.")
	}
	return c.Key(), nil
}

// RootARN names the one user that an account has.
func RootARN(account string) string { return "arn:aws:iam::" + account + ":root" }
