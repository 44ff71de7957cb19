package index

import "context"

// A Maker is a user or role of an account who makes buckets, and what it may
// have in all that it made. It is held to that when it makes a bucket, or makes
// one of its own larger; in a bucket that another made it counts for that one.
type Maker struct {
	ID    string
	Quota Usage // none where 0, nothing at all where less
}

type makerKey struct{}

// By says who makes the changes that are made with a context. Without it nobody
// is held to a quota of his own.
func By(ctx context.Context, m Maker) context.Context { return context.WithValue(ctx, makerKey{}, m) }

// maker returns who is to be held to a quota of his own for a change of what he
// made; nil: nobody.
func maker(ctx context.Context, creator string) *Maker {
	m, ok := ctx.Value(makerKey{}).(Maker)
	if !ok || m.ID == "" || m.ID != creator || m.Quota == (Usage{}) {
		return nil
	}
	return &m
}
