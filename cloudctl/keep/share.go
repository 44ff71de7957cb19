package keep

import (
	"context"
	"encoding/json"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/life"
)

// Bounds is walrus as the one who counts what accounts have in buckets.
type Bounds interface {
	SetShare(ctx context.Context, account string, quota bucket.Amount) error
}

// share is what policies bound of an account's buckets, and what walrus was
// told last.
type share struct {
	account string
	gone    bool
	want    bucket.Amount
	told    string
}

// Shares is the loop over the accounts that policies are laid on: walrus, who
// counts buckets, objects and bytes in the transactions that add to them, is
// told what it is to bound them to.
func (k *Keeper) Shares() life.Kind[share] {
	return life.Kind[share]{
		Name: "share",
		List: list(k, (*store.Tx).AccountsWithPolicies, func(a *string) string { return *a }),
		Look: k.lookShare,
		Next: k.nextShare,
	}
}

func (k *Keeper) lookShare(ctx context.Context, account string) (s share, err error) {
	s.account = account
	err = k.Store.View(ctx, func(tx *store.Tx) error {
		if _, err := tx.Account(account); err != nil {
			s.gone = fault.KindOf(err) == fault.Missing
			if s.gone {
				return nil
			}
			return err
		}
		if s.told, err = tx.Share(account); err == nil {
			s.want, err = quota.Share(tx, account)
		}
		return err
	})
	return s, err
}

func (k *Keeper) nextShare(s share) *life.Step[share] {
	text, err := json.Marshal(s.want)
	if s.gone || k.Bounds == nil || err == nil && (string(text) == s.told || s.told == "" && s.want == bucket.Amount{}) {
		return nil
	}
	return &life.Step[share]{Name: "tell walrus", Do: func(ctx context.Context, s share) error {
		if err := k.Bounds.SetShare(ctx, s.account, s.want); err != nil {
			return err
		}
		return k.write(ctx, func(tx *store.Tx) error {
			return tx.Put(&store.Share{Account: s.account, Told: string(text)})
		})
	}}
}
