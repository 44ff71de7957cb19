package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/walrus/courier"
	"karri/walrus/index"
	"karri/walrus/index/indextest"
	"karri/walrus/inventory"
	"karri/walrus/journal"
	"karri/walrus/lifecycle"
	"karri/walrus/setting"
)

// mortal is a process that dies at the n-th point that it passes: from then on
// nothing that it tries changes anything.
type mortal struct {
	mu   sync.Mutex
	left int // 0: it lives
	dead bool
}

var errDead = errors.New("dead")

func (m *mortal) pass() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left--; m.left == 0 {
		m.dead = true
	}
	if m.dead {
		return errDead
	}
	return nil
}

// around passes before and after a change.
func (m *mortal) around(change func() error) error {
	if err := m.pass(); err != nil {
		return err
	}
	err := change()
	return errors.Join(err, m.pass())
}

// everywhere lets a loop die at each point once, and run again.
func everywhere(t *testing.T, build func(t *testing.T) (run func(*mortal) error, check func(t *testing.T))) {
	t.Helper()
	deaths := 0
	for n := 1; ; n++ {
		run, check := build(t)
		m := &mortal{left: n}
		err := run(m)
		if m.dead {
			deaths++
		} else if err != nil {
			t.Fatalf("without a death: %v", err)
		}
		if err := run(&mortal{}); err != nil {
			t.Fatalf("after death %d: %v", n, err)
		}
		if check(t); t.Failed() || !m.dead {
			break
		}
	}
	if deaths < 2 {
		t.Errorf("it died only %d times", deaths)
	}
}

// mortalIndex is an index whose changes pass.
type mortalIndex struct {
	index.Index
	m *mortal
}

func (x mortalIndex) Delete(ctx context.Context, bucket, key, version string, when index.Condition) (d index.Deleted, err error) {
	err = x.m.around(func() error { d, err = x.Index.Delete(ctx, bucket, key, version, when); return err })
	return d, err
}

func (x mortalIndex) SetMark(ctx context.Context, name string, old, mark []byte) error {
	return x.m.around(func() error { return x.Index.SetMark(ctx, name, old, mark) })
}

func (x mortalIndex) EventsDone(ctx context.Context, queue string, seqs ...uint64) error {
	return x.m.around(func() error { return x.Index.EventsDone(ctx, queue, seqs...) })
}

// river is an index with a bucket that has settings and versions.
func river(t *testing.T, settings map[string]string) *index.Store {
	t.Helper()
	x, err := index.OpenInMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	b := &index.Bucket{Name: "river", Owner: "ann", Versioning: index.Enabled, Settings: map[string][]byte{}}
	for name, doc := range settings {
		b.Settings[name] = []byte(doc)
	}
	if err := x.CreateBucket(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return x
}

func putAt(t *testing.T, x index.Index, key string, at time.Time, e *index.Event) {
	t.Helper()
	o := indextest.Object("river", key, "bytes")
	o.Modified = at
	if err := x.Put(t.Context(), o, index.Condition{Event: e}); err != nil {
		t.Fatal(err)
	}
}

var noon = time.Date(2030, 3, 5, 12, 0, 0, 0, time.UTC)

func TestLifecycleDiesEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T) (func(*mortal) error, func(*testing.T)) {
		x := river(t, map[string]string{
			"lifecycle":    "<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Prefix>old</Prefix><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
			"notification": "<NotificationConfiguration><QueueConfiguration><Queue>" + jobs + "</Queue><Event>s3:LifecycleExpiration:*</Event></QueueConfiguration></NotificationConfiguration>",
		})
		for i := range 3 {
			putAt(t, x, fmt.Sprint("old", i), noon, nil)
			putAt(t, x, fmt.Sprint("young", i), noon, nil)
		}
		run := func(m *mortal) error {
			l := &lifecycle.Lifecycle{Store: mortalIndex{x, m}, Settings: &setting.Cache{}, Now: func() time.Time { return noon.Add(48 * time.Hour) }}
			return l.Kind().SettleAll(t.Context())
		}
		return run, func(t *testing.T) {
			all, err := x.Versions(t.Context(), "river", index.Query{Max: 100})
			if err != nil || len(all.Items) != 9 {
				t.Errorf("%d rows, want 6 versions and 3 markers; %v", len(all.Items), err)
			}
			events, err := x.Events(t.Context(), courier.Queue("event", jobs), 0, 100)
			if err != nil || len(events) != 3 {
				t.Errorf("%d events, want one for each marker; %v", len(events), err)
			}
		}
	})
}

func TestCouriersDieEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T) (func(*mortal) error, func(*testing.T)) {
		x := river(t, nil)
		for i := range 6 {
			putAt(t, x, fmt.Sprint("k", i%2), noon, &index.Event{Name: fmt.Sprint(i), Time: noon, Targets: []index.Target{{Queue: courier.Queue("event", "there")}}})
		}
		var mu sync.Mutex
		got := map[string][]string{} // first arrivals by key
		run := func(m *mortal) error {
			c := &courier.Courier{Class: "event", Outbox: mortalIndex{x, m}, Now: func() time.Time { return noon }}
			c.Send = func(_ context.Context, _ string, e index.Event) error {
				return m.around(func() error {
					mu.Lock()
					defer mu.Unlock()
					if !slices.Contains(got[e.Key], e.Name) {
						got[e.Key] = append(got[e.Key], e.Name)
					}
					return nil
				})
			}
			return c.Kind().SettleAll(t.Context())
		}
		return run, func(t *testing.T) {
			if !slices.Equal(got["k0"], []string{"0", "2", "4"}) || !slices.Equal(got["k1"], []string{"1", "3", "5"}) {
				t.Errorf("arrived: %v", got)
			}
			if left, err := x.Queues(t.Context()); err != nil || len(left) > 0 {
				t.Errorf("left: %v %v", left, err)
			}
		}
	})
}

func TestInventoriesDieEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T) (func(*mortal) error, func(*testing.T)) {
		x := river(t, map[string]string{"inventory/list": strings.Replace(listing, "ID", "list", 1)})
		for i := range 5 {
			putAt(t, x, fmt.Sprint("k", i), noon, nil)
		}
		put := map[string]string{}
		run := func(m *mortal) error {
			i := &inventory.Inventory{Store: mortalIndex{x, m}, Settings: &setting.Cache{}, Dir: t.TempDir(), Rows: 2, Now: func() time.Time { return noon }}
			i.Put = func(_ context.Context, _ *index.Bucket, _, key, _ string, body io.Reader, _ int64) error {
				return m.around(func() error {
					b, err := io.ReadAll(body)
					put[key] = string(b)
					return err
				})
			}
			return i.Kind().SettleAll(t.Context())
		}
		return run, func(t *testing.T) {
			manifest := put["river/list/2030-03-05T12-00Z/manifest.json"]
			if len(put) != 5 || strings.Count(manifest, ".csv.gz") != 3 || put["river/list/2030-03-05T12-00Z/manifest.checksum"] == "" {
				t.Errorf("%d objects, manifest %s", len(put), manifest)
			}
		}
	})
}

func TestJournalsDieEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T) (func(*mortal) error, func(*testing.T)) {
		x := river(t, map[string]string{"logging": "<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix>p/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>"})
		dir, put, noted := t.TempDir(), map[string]string{}, false
		run := func(m *mortal) error {
			at := noon
			j, err := journal.Open(journal.Options{Dir: dir, Buckets: x, Settings: &setting.Cache{}, Now: func() time.Time { return at },
				Put: func(_ context.Context, _ *index.Bucket, _, key string, h http.Header, body []byte) error {
					return m.around(func() error {
						if h.Get("If-None-Match") == "*" && put[key] != "" {
							return index.PreconditionFailed
						}
						put[key] = string(body)
						return nil
					})
				}})
			if err != nil {
				return err
			}
			defer j.Close()
			if !noted {
				for i := range 3 {
					noted = true
					if err := j.Note(&journal.Entry{Bucket: "river", Time: noon, Key: fmt.Sprint("k", i), Size: -1}); err != nil {
						return err
					}
				}
			}
			if err := m.pass(); err != nil { // before it is closed in order
				return err
			}
			at = noon.Add(time.Hour)
			if err := j.Tend(); err != nil {
				return err
			}
			if err := m.pass(); err != nil {
				return err
			}
			return j.Kind().SettleAll(t.Context())
		}
		return run, func(t *testing.T) {
			if len(put) != 1 {
				t.Errorf("%d objects: %v", len(put), put)
			}
			for _, text := range put {
				if strings.Count(text, "\n") != 3 {
					t.Errorf("a log of\n%s", text)
				}
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
				t.Errorf("left: %v %v", left, err)
			}
		}
	})
}
