package lifecycle

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"karri/shared/fault"
	"karri/walrus/event"
	"karri/walrus/index"
	"karri/walrus/setting"
)

var errEnough = errors.New("enough for once")

const (
	batch  = 1000
	beside = 8 // ends that share the index's syncs
)

// A walk is one batch of a bucket's rows.
type walk struct {
	*Lifecycle
	ctx   context.Context
	state *state
	now   time.Time
	rows  int
	done  string // the last key that was seen whole

	key   string
	since time.Time     // when the next newer version of the key was made
	newer int           // noncurrent versions of the key that were seen
	lone  *index.Object // the key's delete marker, while nothing else was seen of it
	acts  []act
}

type act struct {
	o     *index.Object
	due   setting.Due
	event string
}

// row looks at one version. Those of a key come together, the newest first.
func (w *walk) row(o *index.Object) error {
	if o.Key != w.key || w.rows == 0 {
		w.endKey()
		if w.rows >= batch {
			if err := w.act(); err != nil {
				return err
			}
			return errEnough
		}
		w.key, w.newer = o.Key, 0
	}
	w.rows++
	f := facts(o)
	f.Noncurrent, f.Since, f.Newer = !o.Latest, w.since, w.newer
	if w.since = o.Modified; !o.Latest {
		w.newer++
		w.lone = nil
	} else if o.Marker {
		w.lone = o
	}
	if w.lone != o {
		due, _ := w.state.rules.Due(f, w.now)
		w.add(o, due)
	}
	if len(w.acts) >= batch { // of one key with very many versions
		return w.act()
	}
	return nil
}

// endKey looks at a delete marker that turned out to be alone.
func (w *walk) endKey() {
	if w.lone != nil {
		f := facts(w.lone)
		f.Alone = true
		due, _ := w.state.rules.Due(f, w.now)
		w.add(w.lone, due)
	}
	w.lone, w.done = nil, w.key
}

// facts returns what a lifecycle asks about the current version of a key.
func facts(o *index.Object) setting.Facts {
	return setting.Facts{Key: o.Key, Size: o.Size, Tags: o.Tags, Modified: o.Modified, Marker: o.Marker}
}

func (w *walk) add(o *index.Object, due setting.Due) {
	switch {
	case due == setting.Expire && w.state.bucket.Versioning != "":
		w.acts = append(w.acts, act{o, due, "s3:LifecycleExpiration:DeleteMarkerCreated"})
	case due != setting.Nothing:
		w.acts = append(w.acts, act{o, due, "s3:LifecycleExpiration:Delete"})
	}
}

// act ends what is due, several at a time.
func (w *walk) act() error {
	var workers sync.WaitGroup
	var next atomic.Int64
	failed := make([]error, beside)
	for i := range min(beside, len(w.acts)) {
		workers.Go(func() {
			for failed[i] == nil {
				n := int(next.Add(1)) - 1
				if n >= len(w.acts) {
					return
				}
				failed[i] = w.end(w.acts[n])
			}
		})
	}
	workers.Wait()
	if len(w.acts) > 0 {
		w.changed()
	}
	w.acts = w.acts[:0]
	return errors.Join(failed...)
}

// end ends one version, unless it is not there any more or locked.
func (w *walk) end(a act) error {
	b, o := w.state.bucket, a.o
	when := index.Condition{Now: w.now, Pin: &index.Pin{ID: o.ID}}
	if to := event.Targets(w.state.notify, a.event, o.Key); to != nil {
		when.Event = &index.Event{Name: a.event, Time: w.now, Targets: to}
	}
	version, what, action := o.Version, "version", "S3.EXPIRE.OBJECT"
	switch {
	case a.due == setting.Expire:
		version, what = "", "object"
		if b.Versioning != "" {
			action = "S3.CREATE.DELETEMARKER"
		}
	case o.Marker:
		what = "marker"
	}
	_, err := w.Store.Delete(w.ctx, b.Name, o.Key, version, when)
	switch code := fault.CodeOf(err); {
	case err == nil:
		w.count(what)
		if w.Ended != nil {
			w.Ended(b, End{Action: action, Key: o.Key, Version: o.Version, Size: o.Size})
		}
	case code == index.Moved.Code, fault.KindOf(err) == fault.Missing:
	case code == index.Locked.Code:
		w.count("kept")
	default:
		return err
	}
	return nil
}
