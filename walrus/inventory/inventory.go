// Package inventory writes the lists of objects that buckets ask for.
//
// An inventory that is due is one walk of the index, as the bucket was at one
// moment, into CSV files under gzip. Each file is put into the destination when
// it is full, in the name of S3; when all are there a manifest says which they
// are, and its digest lies beside it. The bucket is never held in memory, and of
// the list no more than one file on this disk.
//
// That a list was written is a mark of the index, set last. A crash before it
// begins the list anew: the files have names made of the day, so that they take
// the place of those that are there. Readers begin at the manifest, which is put
// after all the files it names.
package inventory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/life"
	"karri/walrus/index"
	"karri/walrus/setting"
)

// Setting is the class of settings that the loop is about.
const Setting = "inventory"

// Store is what a list is made of.
type Store interface {
	index.Buckets
	index.Marks
	Walk(ctx context.Context, bucket string, q index.Query, each func(*index.Object) error) error
}

// Inventory is the loop of one walrus.
type Inventory struct {
	Store    Store
	Settings *setting.Cache
	Dir      string           // of the file that is being written
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger
	// Put makes an object in a destination, in the name of S3, for a bucket.
	Put   func(ctx context.Context, source *index.Bucket, target, key, kind string, body io.Reader, size int64) error
	Count func(what string) // "written" or "refused"; may be nil
	Rows  int               // of a file at most; a million when zero

	runner  life.Runner[list]
	mu      sync.Mutex
	refused map[string]time.Time // by id: when the destination refused
}

// A list is one inventory of a bucket.
type list struct {
	id     string
	bucket *index.Bucket
	rule   *setting.Inventory // nil: there is none
	mark   []byte
	due    bool
	waits  bool // the destination refused a while ago
}

// Kind is the loop over the inventories.
func (i *Inventory) Kind() life.Kind[list] {
	return life.Kind[list]{Name: "inventory", List: i.list, Look: i.look, Next: i.next}
}

func (i *Inventory) list(ctx context.Context) (ids []string, err error) {
	for q := (index.Query{Max: 1000}); ; {
		page, err := i.Store.BucketsWith(ctx, Setting, q)
		if err != nil {
			return nil, err
		}
		for _, b := range page.Items {
			all, err := i.Settings.Of(b)
			if err != nil {
				return nil, err
			}
			for _, v := range all.Inventories {
				ids = append(ids, b.Name+"/"+v.ID)
			}
		}
		if q.After = page.Last; !page.More {
			return ids, nil
		}
	}
}

func mark(id string) string { return "inventory " + id }

func (i *Inventory) look(ctx context.Context, id string) (l list, err error) {
	l.id = id
	name, rule, _ := strings.Cut(id, "/")
	if l.mark, err = i.Store.Mark(ctx, mark(id)); err != nil {
		return l, err
	}
	switch l.bucket, err = i.Store.Bucket(ctx, name); {
	case err == nil:
		all, err := i.Settings.Of(l.bucket)
		if err != nil {
			return l, err
		}
		for _, v := range all.Inventories {
			if v.ID == rule {
				l.rule = v
			}
		}
	case fault.KindOf(err) != fault.Missing:
		return l, err
	}
	if l.rule == nil {
		if l.mark != nil {
			return l, i.Store.SetMark(ctx, mark(id), l.mark, nil)
		}
		return l, nil
	}
	var last time.Time
	if l.mark != nil {
		if last, err = time.Parse(time.RFC3339Nano, string(l.mark)); err != nil {
			return l, index.Damaged.Because(err)
		}
	}
	l.due = l.rule.Due(last, i.now())
	i.mu.Lock()
	defer i.mu.Unlock()
	at, ok := i.refused[id]
	l.waits = ok && i.now().Sub(at) < time.Hour
	return l, nil
}

func (i *Inventory) next(l list) *life.Step[list] {
	switch {
	case l.rule == nil, !l.due:
		return nil
	case l.waits:
		return life.Wait[list]("the destination refused a while ago")
	}
	return &life.Step[list]{Name: "write", Do: i.write}
}

// write writes a list, or notes that the destination does not let it in.
func (i *Inventory) write(ctx context.Context, l list) error {
	now := i.now().UTC()
	err := i.attempt(ctx, l, now)
	if k := fault.KindOf(err); err != nil && (k == fault.Denied || k == fault.Missing) {
		cmp.Or(i.Log, slog.Default()).Warn("an inventory was refused by its destination", "inventory", l.id, "destination", l.rule.Target(), "err", err)
		i.count("refused")
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.refused == nil {
			i.refused = map[string]time.Time{}
		}
		i.refused[l.id] = now
		return nil
	}
	if err != nil {
		return err
	}
	crash.Here("walrus.inventory.written")
	if err := i.Store.SetMark(ctx, mark(l.id), l.mark, []byte(now.Format(time.RFC3339Nano))); err != nil {
		return err
	}
	i.count("written")
	return nil
}

func (i *Inventory) attempt(ctx context.Context, l list, now time.Time) error {
	prefix := l.bucket.Name + "/" + l.rule.ID + "/"
	if p := l.rule.Destination.Bucket.Prefix; p != nil && *p != "" {
		prefix = strings.TrimSuffix(*p, "/") + "/" + prefix
	}
	w := &writer{
		dir: i.Dir, columns: columns(l.rule), rows: cmp.Or(i.Rows, 1_000_000),
		put: func(n int, body io.Reader, size int64) (string, error) {
			sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", l.id, now.Format("2006-01-02"), n))
			key := prefix + "data/" + hex.EncodeToString(sum[:16]) + ".csv.gz"
			return key, i.Put(ctx, l.bucket, l.rule.Target(), key, "application/gzip", body, size)
		},
	}
	defer w.abort()
	all := l.rule.Versions == setting.AllVersions
	q := index.Query{}
	if l.rule.Filter != nil {
		q.Prefix = l.rule.Filter.Prefix
	}
	settings, err := i.Settings.Of(l.bucket)
	if err != nil {
		return err
	}
	err = i.Store.Walk(ctx, l.bucket.Name, q, func(o *index.Object) error {
		if !all && (!o.Latest || o.Marker) {
			return nil
		}
		return w.row(&entry{Object: o, bucket: l.bucket, lifecycle: settings.Lifecycle})
	})
	if err == nil {
		err = w.flush()
	}
	if err != nil {
		return err
	}
	return i.manifest(ctx, l, prefix+now.Format("2006-01-02T15-04Z")+"/", now, w)
}

type manifestFile struct {
	Key  string `json:"key"`
	Size int64  `json:"size"`
	MD5  string `json:"MD5checksum"`
}

type manifest struct {
	Source      string         `json:"sourceBucket"`
	Destination string         `json:"destinationBucket"`
	Version     string         `json:"version"`
	Created     string         `json:"creationTimestamp"`
	Format      string         `json:"fileFormat"`
	Schema      string         `json:"fileSchema"`
	Files       []manifestFile `json:"files"`
}

func (i *Inventory) manifest(ctx context.Context, l list, folder string, now time.Time, w *writer) error {
	m := manifest{
		Source: l.bucket.Name, Destination: l.rule.Destination.Bucket.ARN, Version: "2016-11-30", Created: fmt.Sprint(now.UnixMilli()),
		Format: "CSV", Schema: strings.Join(w.columns, ", "), Files: append([]manifestFile{}, w.files...),
	}
	doc, err := json.Marshal(m)
	if err != nil {
		return err
	}
	sum := md5Hex(doc)
	if err := i.Put(ctx, l.bucket, l.rule.Target(), folder+"manifest.json", "application/json", strings.NewReader(string(doc)), int64(len(doc))); err != nil {
		return err
	}
	return i.Put(ctx, l.bucket, l.rule.Target(), folder+"manifest.checksum", "text/plain", strings.NewReader(sum), int64(len(sum)))
}

// Census is life.Runner's.
func (i *Inventory) Census() (known, away int, longest time.Duration) { return i.runner.Census() }

// Run works until ctx ends, looking every so often whether a list is due.
func (i *Inventory) Run(ctx context.Context, every time.Duration) error {
	i.runner.Kind, i.runner.Log, i.runner.Every, i.runner.Workers = i.Kind(), i.Log, every, 1
	i.runner.Patience = 3 * time.Hour // a destination that refuses is asked each hour
	i.runner.Run(ctx)
	return nil
}

func (i *Inventory) count(what string) {
	if i.Count != nil {
		i.Count(what)
	}
}

func (i *Inventory) now() time.Time {
	if i.Now != nil {
		return i.Now()
	}
	return time.Now()
}
