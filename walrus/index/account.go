package index

import (
	"context"
)

func accountRow(account string) []byte { return append([]byte{accountSpace}, account...) }

// bound returns what an account may hold.
func (s *Store) bound(ctx context.Context, r reader, account string) (u Usage, err error) {
	if known, ok := s.bounds.Load(account); ok {
		return known.(Usage), nil
	}
	if s.engine.process() == 0 { // what is read while it changes must not be remembered
		defer s.engine.settle(lock{kind: accountLock, name: account})()
	}
	switch err := getJSON(ctx, r, accountRow(account), NoSuchBucket, &u); {
	case err == NoSuchBucket: // it has no row
	case err != nil:
		return u, err
	}
	if s.engine.process() == 0 {
		s.bounds.Store(account, u)
	}
	return u, nil
}

// holds adds up what an account holds, or, of that, what a creator of buckets does.
func (s *Store) holds(ctx context.Context, r reader, account, creator string) (total Usage, err error) {
	err = scan(ctx, r, ownerRows(account), nil, func(bucket, by []byte) (bool, error) {
		if creator != "" && string(by) != creator {
			return true, nil
		}
		u, _, err := sum(ctx, r, string(bucket))
		total.Objects, total.Bytes, total.Buckets = total.Objects+u.Objects, total.Bytes+u.Bytes, total.Buckets+1
		return true, err
	})
	return total, err
}

// Account is Accounts's.
func (s *Store) Account(ctx context.Context, account string) (used, quota Usage, err error) {
	if quota, err = s.bound(ctx, s.engine, account); err == nil {
		used, err = s.holds(ctx, s.engine, account, "")
	}
	if err == nil {
		err = s.engine.durable(ctx)
	}
	return used, quota, err
}

// Quota is Accounts's.
func (s *Store) Quota(ctx context.Context, account string) (Usage, error) {
	return s.bound(ctx, s.engine, account)
}

// SetQuota is Accounts's.
func (s *Store) SetQuota(ctx context.Context, account string, quota Usage) error {
	return s.change(ctx, scope{locks: []lock{{kind: accountLock, name: account}}}, func(c *change) error {
		s.bounds.Delete(account) // whoever wants it waits for the lock
		return c.setJSON(accountRow(account), quota)
	})
}
