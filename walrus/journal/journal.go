// Package journal writes down the requests to buckets that have logging on, and
// delivers what is written to the buckets that shall have it.
//
// A request is a line in a file of this process, appended before the request
// ends: a killed process loses nothing, and a crash of the host what was not
// synced in the last second. A file that is old or large enough is closed, and
// what it holds of each bucket becomes one object in that bucket's target. The
// object's key is made of the file's name: a delivery that is repeated after a
// crash finds its objects there already. What the target does not let in, by its
// policy or list, is dropped and counted, as S3 does.
package journal

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"karri/shared/crash"
	"karri/shared/durable"
	"karri/shared/fault"
	"karri/shared/life"
	"karri/walrus/index"
	"karri/walrus/setting"
)

// Journal is that of one process. Open returns one.
type Journal struct {
	Options
	mu     sync.Mutex
	file   *os.File
	opened time.Time
	size   int64
	dirty  bool
	closed bool
	runner life.Runner[file]
}

// Options are what a journal is told.
type Options struct {
	Dir      string // of its files
	Buckets  index.Buckets
	Settings *setting.Cache
	Region   string
	Interval time.Duration    // from one delivery to the next; five minutes when zero
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger
	// Put makes an object in a target, in the name of log delivery, for a bucket.
	// It answers PreconditionFailed when the key has an object.
	Put   func(ctx context.Context, source *index.Bucket, target, key string, h http.Header, body []byte) error
	Count func(what string) // of objects: "delivered" or "dropped"
}

const (
	current = "open"
	ready   = ".log"
	largest = 16 << 20
)

// Open opens the journal in a folder. What an earlier process left is delivered.
func Open(o Options) (*Journal, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	j := &Journal{Options: o}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	if i, err := os.Stat(j.path(current)); err == nil && i.Size() > 0 {
		if err := j.retire(); err != nil {
			return nil, err
		}
	}
	return j, j.begin()
}

func (j *Journal) path(name string) string { return filepath.Join(j.Dir, name) }

func (j *Journal) begin() (err error) {
	if j.file, err = os.OpenFile(j.path(current), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		j.file = nil
		return err
	}
	i, err := j.file.Stat()
	if err == nil {
		j.opened, j.size, j.dirty = j.Now(), i.Size(), false
	}
	return err
}

// retire gives the file of the process that wrote it the name of one to be
// delivered.
func (j *Journal) retire() error {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	name := fmt.Sprintf("%d-%s%s", j.Now().UnixNano(), hex.EncodeToString(b[:]), ready)
	if err := os.Rename(j.path(current), j.path(name)); err != nil {
		return err
	}
	return durable.SyncDir(j.Dir)
}

// Note writes an entry down.
func (j *Journal) Note(e *Entry) error {
	line := fmt.Sprintf("%s\t%d\t%s\n", e.Bucket, e.Time.Unix(), e.Line())
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return fs.ErrClosed
	}
	n, err := j.file.WriteString(line)
	j.size, j.dirty = j.size+int64(n), true
	return err
}

// Tend syncs what was written, and closes the file when it is time.
func (j *Journal) Tend() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closed:
		return nil
	case j.file == nil: // it could not be opened
		return j.begin()
	case j.size == 0:
		j.opened = j.Now()
		return nil
	}
	if j.dirty {
		if err := j.file.Sync(); err != nil {
			return err
		}
		j.dirty = false
	}
	if j.size < largest && j.Now().Sub(j.opened) < cmp.Or(j.Interval, 5*time.Minute) {
		return nil
	}
	if err := j.file.Close(); err != nil {
		return err
	}
	j.file = nil
	if err := j.retire(); err != nil {
		return err
	}
	j.runner.Nudge()
	return j.begin()
}

// Close ends the journal; the next Open goes on.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := errors.Join(j.file.Sync(), j.file.Close())
	j.file, j.closed = nil, true
	return err
}

// Waiting returns how many files wait to be delivered.
func (j *Journal) Waiting() (int, error) {
	names, err := j.list(context.Background())
	return len(names), err
}

// A file is one that is to be delivered.
type file struct {
	name  string
	there bool
}

// Kind is the loop over the files.
func (j *Journal) Kind() life.Kind[file] {
	return life.Kind[file]{Name: "access log", List: j.list, Look: j.look, Next: func(f file) *life.Step[file] {
		if !f.there {
			return nil
		}
		return &life.Step[file]{Name: "deliver", Do: j.deliver}
	}}
}

func (j *Journal) list(context.Context) (names []string, err error) {
	entries, err := os.ReadDir(j.Dir)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ready) {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func (j *Journal) look(_ context.Context, name string) (file, error) {
	_, err := os.Stat(j.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return file{name, false}, nil
	}
	return file{name, true}, err
}

// A group is what becomes one object.
type group struct {
	bucket string
	day    int64 // days since 1970, where logs are parted by it
}

func (j *Journal) deliver(ctx context.Context, f file) error {
	groups, err := j.groups(ctx, f.name)
	if err != nil {
		return err
	}
	order := slices.SortedFunc(maps.Keys(groups), func(a, b group) int {
		return cmp.Or(strings.Compare(a.bucket, b.bucket), cmp.Compare(a.day, b.day))
	})
	for _, g := range order {
		if err := j.put(ctx, f.name, g, groups[g].Bytes()); err != nil {
			return fmt.Errorf("the log of %s: %w", g.bucket, err)
		}
	}
	crash.Here("walrus.journal.delivered")
	if err := os.Remove(j.path(f.name)); err != nil {
		return err
	}
	return durable.SyncDir(j.Dir)
}

// groups reads a file. A last line that is cut off was never finished.
func (j *Journal) groups(ctx context.Context, name string) (map[group]*bytes.Buffer, error) {
	b, err := os.Open(j.path(name))
	if err != nil {
		return nil, err
	}
	defer b.Close()
	groups := map[group]*bytes.Buffer{}
	for r := bufio.NewReader(b); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return groups, ctx.Err()
		}
		bucket, rest, _ := strings.Cut(line, "\t")
		at, text, ok := strings.Cut(rest, "\t")
		seconds, err := strconv.ParseInt(at, 10, 64)
		if !ok || err != nil {
			continue
		}
		g := group{bucket: bucket}
		if to := j.to(ctx, bucket); to != nil && to.ByEvent() {
			g.day = seconds / 86400
		}
		if groups[g] == nil {
			groups[g] = &bytes.Buffer{}
		}
		groups[g].WriteString(text)
	}
}

func (j *Journal) to(ctx context.Context, bucket string) *setting.LoggingTo {
	b, err := j.Buckets.Bucket(ctx, bucket)
	if err != nil {
		return nil
	}
	all, err := j.Settings.Of(b)
	if err != nil || all.Logging == nil {
		return nil
	}
	return all.Logging.Enabled
}

// put makes the object of a group. Logs of buckets that are gone, or that log
// no more, go nowhere.
func (j *Journal) put(ctx context.Context, name string, g group, lines []byte) error {
	b, err := j.Buckets.Bucket(ctx, g.bucket)
	to := j.to(ctx, g.bucket)
	switch {
	case err != nil && fault.KindOf(err) != fault.Missing:
		return err
	case err != nil || to == nil:
		j.count("dropped")
		return nil
	}
	at, _, _ := strings.Cut(name, "-")
	nanos, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", name, g.bucket, g.day))
	key := to.Key(b.Owner, j.Region, g.bucket, time.Unix(g.day*86400, 0), time.Unix(0, nanos), strings.ToUpper(hex.EncodeToString(sum[:8])))
	err = j.Put(ctx, b, to.Bucket, key, http.Header{"Content-Type": {"text/plain"}, "If-None-Match": {"*"}}, lines)
	switch {
	case err == nil || fault.CodeOf(err) == index.PreconditionFailed.Code:
		j.count("delivered")
		return nil
	case fault.KindOf(err) == fault.Denied || fault.KindOf(err) == fault.Missing || fault.KindOf(err) == fault.Invalid:
		j.log().Warn("a log was dropped, since its target refused it", "bucket", g.bucket, "target", to.Bucket, "key", key, "err", err)
		j.count("dropped")
		return nil
	}
	return err
}

// Census is life.Runner's.
func (j *Journal) Census() (known, away int, longest time.Duration) { return j.runner.Census() }

// Run tends the journal and delivers until ctx ends.
func (j *Journal) Run(ctx context.Context, every time.Duration) error {
	j.runner.Kind, j.runner.Log, j.runner.Every, j.runner.Workers = j.Kind(), j.Log, every, 1
	done := make(chan struct{})
	go func() {
		defer close(done)
		j.runner.Run(ctx)
	}()
	defer func() { <-done }()
	tick := time.NewTicker(min(every, time.Second))
	defer tick.Stop()
	for {
		if err := j.Tend(); err != nil {
			j.log().Error("cannot keep the access log", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (j *Journal) count(what string) {
	if j.Count != nil {
		j.Count(what)
	}
}

func (j *Journal) log() *slog.Logger { return cmp.Or(j.Log, slog.Default()) }
