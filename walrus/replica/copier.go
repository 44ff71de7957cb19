package replica

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"karri/shared/fault"
	"karri/walrus/courier"
	"karri/walrus/event"
	"karri/walrus/index"
	"karri/walrus/seal"
	"karri/walrus/setting"
)

// Store is what a copier needs of the index.
type Store interface {
	Bucket(ctx context.Context, name string) (*index.Bucket, error)
	Object(ctx context.Context, bucket, key, version string) (*index.Object, error)
	Update(ctx context.Context, bucket, key, version string, change func(*index.Object) error, when index.Condition) (*index.Object, error)
}

// Copier copies versions to the buckets that events name: a courier's Send.
type Copier struct {
	Store    Store
	Settings *setting.Cache
	Targets  setting.ReplicationTargets
	Now      func() time.Time
	Log      *slog.Logger
	// Open reads a version, or one part of it where that is not 0, as its
	// bucket's owner.
	Open func(ctx context.Context, b *index.Bucket, o *index.Object, part int) (io.ReadCloser, error)

	client http.Client
	begun  uint64 // events below this are of an earlier process
	mu     sync.Mutex
	tried  map[uint64]bool
}

// Start makes a copier ready whose other fields are set.
func (c *Copier) Start() *Copier {
	c.client = http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.begun, c.tried = uint64(time.Now().UnixNano()), map[uint64]bool{}
	return c
}

// Close ends idle connections.
func (c *Copier) Close() { c.client.CloseIdleConnections() }

// Courier returns what carries copies to their targets.
func (c *Copier) Courier(o courier.Outbox, keep time.Duration, count func(to, what string)) *courier.Courier {
	return &courier.Courier{Class: Class, Outbox: o, Send: c.Send, Dead: c.Dead, Keep: keep, Now: c.Now, Log: c.Log, Count: count}
}

// Send copies what an event tells of to the target with an ARN. What is gone
// since, or was copied before a crash, is done.
func (c *Copier) Send(ctx context.Context, arn string, e index.Event) error {
	err := c.send(ctx, arn, e)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.tried, e.Seq)
	}
	return err
}

func (c *Copier) send(ctx context.Context, arn string, e index.Event) error {
	b, err := c.Store.Bucket(ctx, e.Bucket)
	if fault.KindOf(err) == fault.Missing && err != nil {
		return nil
	}
	if err != nil {
		return err
	}
	to, ok := c.Targets.Of(arn, b.Owner)
	if !ok {
		return fmt.Errorf("%s is not a target, or not of account %s", arn, b.Owner)
	}
	r := &remote{client: &c.client, target: to, now: time.Now} // signatures want the true time
	if !strings.HasPrefix(e.Name, "s3:ObjectCreated:") {
		return c.hide(ctx, r, e)
	}
	o, err := c.Store.Object(ctx, e.Bucket, e.Key, e.Version)
	switch {
	case fault.KindOf(err) == fault.Missing && err != nil:
		return nil
	case err != nil:
		return err
	case o.Marker || !slices.Contains(waiting(o), arn):
		return nil
	case o.Seal != nil && o.Seal.Mode == seal.Customer:
		return fmt.Errorf("%w: only the customer has the key", courier.Hopeless)
	}
	if c.again(e.Seq) {
		there, err := r.same(ctx, o)
		if err != nil {
			return err
		}
		if there {
			return c.arrived(ctx, arn, o)
		}
	}
	if err := r.put(ctx, o, func(part int) (io.ReadCloser, error) { return c.Open(ctx, b, o, part) }); err != nil {
		return err
	}
	return c.arrived(ctx, arn, o)
}

// hide puts a delete marker there, unless there is nothing to be hidden: then a
// marker is there already.
func (c *Copier) hide(ctx context.Context, r *remote, e index.Event) error {
	res, err := r.do(ctx, http.MethodHead, e.Key, "", nil, nil, 0)
	if err == nil {
		_ = res.Body.Close()
		res, err = r.do(ctx, http.MethodDelete, e.Key, "", nil, nil, 0)
	}
	var refused *refusal
	if errors.As(err, &refused) && refused.status == http.StatusNotFound {
		return nil
	}
	if err == nil {
		_ = res.Body.Close()
	}
	return err
}

// again reports whether an event may have been carried before.
func (c *Copier) again(seq uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := seq < c.begun || c.tried[seq]
	c.tried[seq] = true
	return was
}

// waiting returns the ARNs that a version has not been copied to.
func waiting(o *index.Object) []string {
	list, ok := strings.CutPrefix(o.Replication, Pending+" ")
	if !ok {
		return nil
	}
	return strings.Fields(list)
}

// arrived notes that a version is at a target.
func (c *Copier) arrived(ctx context.Context, arn string, o *index.Object) error {
	_, err := c.Store.Update(ctx, o.Bucket, o.Key, o.Version, func(now *index.Object) error {
		if now.ID != o.ID || !strings.HasPrefix(now.Replication, Pending) {
			return errNothing
		}
		left := slices.DeleteFunc(waiting(now), func(a string) bool { return a == arn })
		if now.Replication = Completed; len(left) > 0 {
			now.Replication = Pending + " " + strings.Join(left, " ")
		}
		return nil
	}, index.Condition{})
	return unless(err)
}

var errNothing = errors.New("nothing to be done")

// unless forgives what only means that there is nothing to note any more.
func unless(err error) error {
	if errors.Is(err, errNothing) || err != nil && fault.KindOf(err) == fault.Missing {
		return nil
	}
	return err
}

// Dead notes that a version was given up, and tells who listens.
func (c *Copier) Dead(ctx context.Context, arn string, e index.Event, why error) error {
	cmp.Or(c.Log, slog.Default()).ErrorContext(ctx, "a copy was given up", "target", arn, "bucket", e.Bucket, "key", e.Key, "version", e.Version, "err", why)
	b, err := c.Store.Bucket(ctx, e.Bucket)
	if err != nil {
		return unless(err)
	}
	all, err := c.Settings.Of(b)
	if err != nil {
		return err
	}
	const name = "s3:Replication:OperationFailedReplication"
	when := index.Condition{Event: &index.Event{
		Name: name, Time: c.Now(), Targets: event.Targets(all.Notification, name, e.Key),
		Detail: "replication " + e.Rule + "\t" + arn + "\n" + why.Error(),
	}}
	_, err = c.Store.Update(ctx, e.Bucket, e.Key, e.Version, func(o *index.Object) error {
		if !strings.HasPrefix(o.Replication, Pending) {
			return errNothing
		}
		o.Replication = Failed
		return nil
	}, when)
	return unless(err)
}
