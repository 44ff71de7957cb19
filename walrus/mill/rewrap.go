package mill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"karri/walrus/index"
	"karri/walrus/seal"
)

// A Rewrapper brings the envelopes of all objects under the current master key.
// It changes rows and no bytes, and goes through them once for each new key;
// after a crash it begins again and finds those that are left.
type Rewrapper struct {
	Buckets index.Buckets
	Objects index.Objects
	Ring    *seal.Ring
	Log     *slog.Logger
	Every   time.Duration // how often the file of keys is looked at; ten seconds when zero
}

// Run works until ctx ends.
func (r *Rewrapper) Run(ctx context.Context) error {
	tick := time.NewTicker(cmp.Or(r.Every, 10*time.Second))
	defer tick.Stop()
	log := cmp.Or(r.Log, slog.Default())
	due := r.Ring.Several()
	for {
		if changed, err := r.Ring.Reload(); err != nil {
			log.Error("the master keys stay as they were", "err", err)
		} else if changed {
			log.Info("another master key is current", "key", r.Ring.Current())
			due = true
		}
		if due {
			n, err := r.Pass(ctx)
			if err != nil && ctx.Err() == nil {
				log.Error("cannot bring all objects under the current master key", "err", err)
			}
			if due = err != nil; n > 0 {
				log.Info("brought objects under the current master key", "objects", n, "key", r.Ring.Current())
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Pass goes through all objects once and returns how many it changed. What
// cannot be rewrapped does not keep it from the rest.
func (r *Rewrapper) Pass(ctx context.Context) (n int, err error) {
	err = eachVersion(ctx, r.Buckets, r.Objects, func(bucket string, e index.Entry) error {
		done, err := r.one(ctx, bucket, e)
		if done {
			n++
		}
		if err != nil {
			return fmt.Errorf("%s/%s: %w", bucket, e.Key, err)
		}
		return nil
	})
	return n, err
}

func (r *Rewrapper) one(ctx context.Context, bucket string, e index.Entry) (done bool, err error) {
	o, err := r.Objects.Object(ctx, bucket, e.Key, e.Version)
	if errors.Is(err, index.NoSuchKey) || errors.Is(err, index.NoSuchVersion) || errors.Is(err, index.NoSuchBucket) {
		return false, nil
	}
	if err != nil || o.Seal == nil {
		return false, err
	}
	if fresh, err := r.Ring.Rewrap(o.Seal); err != nil || fresh == nil {
		return false, err
	}
	_, err = r.Objects.Update(ctx, bucket, e.Key, e.Version, func(o *index.Object) error {
		if o.Seal == nil {
			return nil
		}
		fresh, err := r.Ring.Rewrap(o.Seal)
		if fresh != nil {
			o.Seal, done = fresh, true
		}
		return err
	}, index.Condition{})
	return done, err
}

// eachVersion calls f for each version of each object; delete markers have
// nothing to see. It goes on after an error and returns all of them.
func eachVersion(ctx context.Context, buckets index.Buckets, objects index.Objects, f func(bucket string, e index.Entry) error) error {
	const page = 1000
	var all error
	for q := (index.Query{Max: page}); ; {
		list, err := buckets.BucketsOf(ctx, "", q)
		if err != nil {
			return err
		}
		for _, b := range list.Items {
			all = errors.Join(all, versionsOf(ctx, objects, b.Name, f))
		}
		if !list.More || ctx.Err() != nil {
			return errors.Join(all, ctx.Err())
		}
		q.After = list.Last
	}
}

func versionsOf(ctx context.Context, objects index.Objects, bucket string, f func(bucket string, e index.Entry) error) error {
	const page = 1000
	var all error
	for q := (index.Query{Max: page}); ; {
		list, err := objects.Versions(ctx, bucket, q)
		if errors.Is(err, index.NoSuchBucket) {
			return all
		}
		if err != nil {
			return errors.Join(all, err)
		}
		for _, e := range list.Items {
			if !e.Marker {
				all = errors.Join(all, f(bucket, e))
			}
			q.AfterID = e.Version
		}
		if !list.More || ctx.Err() != nil {
			return all
		}
		q.After = list.Last
	}
}
