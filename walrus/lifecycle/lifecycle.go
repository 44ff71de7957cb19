// Package lifecycle ends what a bucket's lifecycle says shall end.
//
// Once a day each bucket that has a lifecycle is walked in the order of its
// keys, and what is due (package setting decides) is ended: an expired object as
// by a DeleteObject, a noncurrent version, a delete marker that hides nothing,
// an upload that nobody completed. Each end names what it saw, so that what was
// put meanwhile stays. What object lock holds stays too, until a later day.
//
// After each thousand or so rows the place is kept as a mark of the index: a
// crash or an end costs looking at those rows once more.
package lifecycle

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/life"
	"karri/walrus/index"
	"karri/walrus/setting"
)

// Store is what a lifecycle works on.
type Store interface {
	index.Buckets
	index.Marks
	Walk(ctx context.Context, bucket string, q index.Query, each func(*index.Object) error) error
	Delete(ctx context.Context, bucket, key, version string, when index.Condition) (index.Deleted, error)
	Uploads(ctx context.Context, bucket string, q index.Query) (index.Listing[index.Upload], error)
	Abort(ctx context.Context, bucket, key, id string) error
}

// Lifecycle is the loop of one walrus.
type Lifecycle struct {
	Store    Store
	Settings *setting.Cache
	Now      func() time.Time // nil: time.Now
	Every    time.Duration    // from one walk to the next; a day when zero. Days begin at midnight UTC.
	Log      *slog.Logger
	Changed  func()                       // told when something ended; may be nil
	Count    func(what string, n float64) // of what ended: "object", "version", "marker", "upload", "kept"; may be nil
	Ended    func(b *index.Bucket, e End) // told of each end; may be nil
	runner   life.Runner[state]
}

// An End is something that a lifecycle ended.
type End struct {
	Action  string // "S3.EXPIRE.OBJECT", "S3.CREATE.DELETEMARKER"
	Key     string
	Version string
	Size    int64
}

// Setting is the setting of the buckets that the loop is about.
const Setting = "lifecycle"

// progress is the mark of a bucket.
type progress struct {
	Begun   time.Time `json:"begun"`
	Done    bool      `json:"done,omitempty"`
	Uploads bool      `json:"uploads,omitempty"` // the objects are done
	Key     string    `json:"key,omitempty"`     // that is done
	ID      string    `json:"id,omitempty"`      // of the upload that is done
}

// A state is all that is known of a bucket.
type state struct {
	bucket *index.Bucket // nil when it is gone
	rules  *setting.Lifecycle
	notify *setting.Notification
	mark   []byte
	progress
	due bool
}

// Kind is the loop over the buckets.
func (l *Lifecycle) Kind() life.Kind[state] {
	return life.Kind[state]{Name: "lifecycle", List: l.list, Look: l.look, Next: l.next}
}

func (l *Lifecycle) list(ctx context.Context) (names []string, err error) {
	for q := (index.Query{Max: 1000}); ; {
		page, err := l.Store.BucketsWith(ctx, Setting, q)
		if err != nil {
			return nil, err
		}
		for _, b := range page.Items {
			names = append(names, b.Name)
		}
		if q.After = page.Last; !page.More {
			return names, nil
		}
	}
}

func mark(bucket string) string { return "lifecycle " + bucket }

func (l *Lifecycle) look(ctx context.Context, name string) (s state, err error) {
	s.bucket, err = l.Store.Bucket(ctx, name)
	if fault.KindOf(err) == fault.Missing && err != nil {
		return state{}, l.forget(ctx, name)
	}
	if err != nil {
		return s, err
	}
	all, err := l.Settings.Of(s.bucket)
	if err != nil {
		return s, err
	}
	s.rules, s.notify = all.Lifecycle, all.Notification
	if s.mark, err = l.Store.Mark(ctx, mark(name)); err != nil {
		return s, err
	}
	if s.mark != nil {
		if err := json.Unmarshal(s.mark, &s.progress); err != nil {
			return s, index.Damaged.Because(err)
		}
	}
	if s.rules == nil {
		return s, l.forget(ctx, name)
	}
	every := cmp.Or(l.Every, 24*time.Hour)
	s.due = s.mark == nil || !s.Done || s.Begun.Before(l.now().UTC().Truncate(every))
	return s, nil
}

func (l *Lifecycle) forget(ctx context.Context, bucket string) error {
	m, err := l.Store.Mark(ctx, mark(bucket))
	if err != nil || m == nil {
		return err
	}
	return l.Store.SetMark(ctx, mark(bucket), m, nil)
}

func (l *Lifecycle) next(s state) *life.Step[state] {
	switch {
	case s.bucket == nil, s.rules == nil, !s.due:
		return nil
	case s.mark != nil && !s.Done && s.Uploads:
		return &life.Step[state]{Name: "abort uploads", Do: l.abort}
	}
	return &life.Step[state]{Name: "expire", Do: l.expire}
}

// save keeps how far a walk came.
func (l *Lifecycle) save(ctx context.Context, s *state) error {
	b, err := json.Marshal(s.progress)
	if err != nil {
		return err
	}
	crash.Here("walrus.lifecycle.ended")
	if err := l.Store.SetMark(ctx, mark(s.bucket.Name), s.mark, b); err != nil {
		return err
	}
	s.mark = b
	return nil
}

// A step goes through the bucket, but for no longer than this, so that what
// the settings say is read again.
const turn = time.Minute

func (l *Lifecycle) expire(ctx context.Context, s state) error {
	if s.mark == nil || s.Done {
		s.progress = progress{Begun: l.now().UTC()}
	}
	for began := time.Now(); !s.Uploads && time.Since(began) < turn; {
		w := &walk{Lifecycle: l, ctx: ctx, state: &s, now: l.now().UTC()}
		err := l.Store.Walk(ctx, s.bucket.Name, index.Query{After: s.Key}, w.row)
		if err == nil {
			w.endKey()
			s.Uploads, s.Key = true, ""
			err = w.act()
		} else if errors.Is(err, errEnough) {
			s.Key, err = w.done, nil
		}
		if err != nil {
			return err
		}
		if err := l.save(ctx, &s); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lifecycle) abort(ctx context.Context, s state) error {
	for began := time.Now(); !s.Done && time.Since(began) < turn; {
		page, err := l.Store.Uploads(ctx, s.bucket.Name, index.Query{After: s.Key, AfterID: s.ID, Max: batch})
		if err != nil {
			return err
		}
		for _, u := range page.Items {
			s.Key, s.ID = u.Key, u.ID
			if !s.rules.UploadDue(u.Key, u.Initiated, l.now()) {
				continue
			}
			switch err := l.Store.Abort(ctx, s.bucket.Name, u.Key, u.ID); {
			case fault.CodeOf(err) == index.NoSuchUpload.Code:
			case err != nil:
				return err
			default:
				l.count("upload")
			}
		}
		if !page.More {
			s.Done, s.Uploads, s.Key, s.ID = true, false, "", ""
		}
		if err := l.save(ctx, &s); err != nil {
			return err
		}
	}
	l.changed()
	return nil
}

// Nudge asks for a look soon.
func (l *Lifecycle) Nudge() { l.runner.Nudge() }

// Census is life.Runner's.
func (l *Lifecycle) Census() (known, away int, longest time.Duration) { return l.runner.Census() }

// Run works until ctx ends, looking every so often whether a bucket is due.
func (l *Lifecycle) Run(ctx context.Context, every time.Duration) error {
	l.runner.Kind, l.runner.Log, l.runner.Every, l.runner.Workers = l.Kind(), l.Log, every, 2
	l.runner.Run(ctx)
	return nil
}

func (l *Lifecycle) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

func (l *Lifecycle) count(what string) {
	if l.Count != nil {
		l.Count(what, 1)
	}
}

func (l *Lifecycle) changed() {
	if l.Changed != nil {
		l.Changed()
	}
}
