package daemon

import (
	"context"
	"io"

	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/pki"
)

// walrusStore is walrus wherever it is now: it may join after cloudctl started,
// and move.
type walrusStore struct {
	zones   *zones
	account string // empty: the cloud's own rights
}

func (w walrusStore) now() (bucket.Store, error) {
	l, err := w.zones.component(pki.Walrus, "")
	if err != nil {
		return nil, err
	}
	if w.account != "" {
		return l.objects.For(w.account), nil
	}
	return l.objects, nil
}

// Make implements bucket.Store.
func (w walrusStore) Make(ctx context.Context, name string) error {
	s, err := w.now()
	if err != nil {
		return err
	}
	return s.Make(ctx, name)
}

// Put implements bucket.Store.
func (w walrusStore) Put(ctx context.Context, name, key string, r io.Reader, size int64) (bucket.Object, error) {
	s, err := w.now()
	if err != nil {
		return bucket.Object{}, err
	}
	return s.Put(ctx, name, key, r, size)
}

// Get implements bucket.Store.
func (w walrusStore) Get(ctx context.Context, name, key string, off, n int64) (io.ReadCloser, bucket.Object, error) {
	s, err := w.now()
	if err != nil {
		return nil, bucket.Object{}, err
	}
	return s.Get(ctx, name, key, off, n)
}

// Head implements bucket.Store.
func (w walrusStore) Head(ctx context.Context, name, key string) (bucket.Object, error) {
	s, err := w.now()
	if err != nil {
		return bucket.Object{}, err
	}
	return s.Head(ctx, name, key)
}

// Delete implements bucket.Store.
func (w walrusStore) Delete(ctx context.Context, name, key string) error {
	s, err := w.now()
	if err != nil {
		return err
	}
	return s.Delete(ctx, name, key)
}

// List implements bucket.Store.
func (w walrusStore) List(ctx context.Context, name, prefix, after string, max int) (bucket.Page, error) {
	s, err := w.now()
	if err != nil {
		return bucket.Page{}, err
	}
	return s.List(ctx, name, prefix, after, max)
}

// Copy implements bucket.Store.
func (w walrusStore) Copy(ctx context.Context, from, to bucket.Ref) (bucket.Object, error) {
	s, err := w.now()
	if err != nil {
		return bucket.Object{}, err
	}
	return s.Copy(ctx, from, to)
}

// Buckets implements bucket.Store.
func (w walrusStore) Buckets(ctx context.Context) ([]string, error) {
	s, err := w.now()
	if err != nil {
		return nil, err
	}
	return s.Buckets(ctx)
}

// For implements bucket.Store.
func (w walrusStore) For(account string) bucket.Store {
	return walrusStore{zones: w.zones, account: account}
}

// kept is walrus as the administrator asks it.
func (w walrusStore) kept() (*bucket.Client, error) {
	s, err := w.now()
	if err != nil {
		return nil, err
	}
	c, ok := s.(*bucket.Client)
	if !ok {
		return nil, fault.New(fault.Later, "ServiceUnavailable", "walrus cannot be asked for this.")
	}
	return c, nil
}

// Deliver implements ledger.Deliverer.
func (w walrusStore) Deliver(ctx context.Context, d bucket.Delivery) error {
	c, err := w.kept()
	if err != nil {
		return err
	}
	return c.Deliver(ctx, d)
}

// Describe implements admin.Buckets.
func (w walrusStore) Describe(ctx context.Context, account, name string) ([]bucket.Held, error) {
	c, err := w.kept()
	if err != nil {
		return nil, err
	}
	return c.Describe(ctx, account, name)
}

// SetQuota implements admin.Buckets.
func (w walrusStore) SetQuota(ctx context.Context, name string, quota bucket.Amount) error {
	c, err := w.kept()
	if err != nil {
		return err
	}
	return c.SetQuota(ctx, name, quota)
}

// Share implements admin.Buckets.
func (w walrusStore) Share(ctx context.Context, account string) (bucket.Share, error) {
	c, err := w.kept()
	if err != nil {
		return bucket.Share{}, err
	}
	return c.Share(ctx, account)
}

// SetShare implements admin.Buckets.
func (w walrusStore) SetShare(ctx context.Context, account string, quota bucket.Amount) error {
	c, err := w.kept()
	if err != nil {
		return err
	}
	return c.SetShare(ctx, account, quota)
}
