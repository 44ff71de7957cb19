package keep

import (
	"context"
	"errors"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/shared/bucket"
	"karri/shared/life/lifetest"
)

// walrus is a counter of buckets that remembers what it was told.
type walrus struct {
	fuse   *lifetest.Fuse
	bounds map[string]bucket.Amount
	told   int
	away   bool
}

func (w *walrus) SetShare(_ context.Context, account string, quota bucket.Amount) error {
	if w.away {
		return errors.New("away")
	}
	w.fuse.Around(func() { w.bounds[account] = quota; w.told++ })
	return nil
}

func (w *world) lay(name, document string) {
	w.tx(func(tx *store.Tx) error {
		p := &store.InlinePolicy{Holder: w.account, Name: name, Account: w.account, Document: document}
		if document == "" {
			return tx.Drop(p)
		}
		return tx.Put(p)
	})
}

const twoBuckets = `{"Statement":{"Effect":"Limit","Action":"s3:*","Resource":"*","Condition":{"NumericLessThanEquals":{"s3:quota-bucketnumber":"2","s3:quota-buckettotalsize":"0"}}}}`

func TestWalrusIsToldWhatPoliciesBound(t *testing.T) {
	lifetest.Everywhere(t, func(f *lifetest.Fuse) (func() error, func(testing.TB)) {
		w := newWorld(t, f)
		s := &walrus{fuse: f, bounds: map[string]bucket.Amount{}}
		w.lay("two", twoBuckets)
		run := func() error {
			w.start()
			w.keeper.Bounds = s
			return w.keeper.Shares().SettleAll(t.Context())
		}
		return run, func(t testing.TB) {
			if got := s.bounds[w.account]; got != (bucket.Amount{Buckets: 2, Bytes: bucket.Nothing}) {
				t.Errorf("%+v", got)
			}
		}
	})
}

func TestWalrusIsToldOnceAndWhenItChanges(t *testing.T) {
	w := newWorld(t, nil)
	s := &walrus{bounds: map[string]bucket.Amount{}, away: true}
	w.start()
	w.keeper.Bounds = s
	w.lay("two", twoBuckets)
	if err := w.keeper.Shares().SettleAll(t.Context()); err == nil {
		t.Error("walrus is away, and nothing is wrong")
	}
	s.away = false
	for range 3 {
		if err := w.keeper.Shares().SettleAll(t.Context()); err != nil || s.told != 1 {
			t.Fatalf("told %d times, %v", s.told, err)
		}
	}
	w.lay("two", "")
	for range 3 {
		if err := w.keeper.Shares().SettleAll(t.Context()); err != nil || s.told != 2 || s.bounds[w.account] != (bucket.Amount{}) {
			t.Fatalf("told %d times: %+v, %v", s.told, s.bounds, err)
		}
	}
}

func TestAPolicyEndsAnInstance(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(true)
	w.settle()
	end := w.now.Add(time.Hour)
	w.instance(func(i *store.Instance) { i.Expires, i.ExpiresBy, i.Protected = &end, "hour", true })
	w.settle()
	if i := w.instance(func(*store.Instance) {}); !i.Ran || i.Freed {
		t.Fatalf("before its time: %+v", i)
	}
	w.now = end
	w.settle()
	nothingLeft(t, w)
	if i := w.instance(func(*store.Instance) {}); i.Asked != "Server.ScheduledStop" {
		t.Error(i.Asked, i.AskedText)
	}
}
