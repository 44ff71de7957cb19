package audit

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"karri/shared/crash"
	"karri/shared/durable"
)

// Options are the settings of a Log. Zero values stand for the defaults.
type Options struct {
	Daemon  string
	Segment int64         // bytes of a segment; 64 MiB
	Keep    int64         // bytes of all; older segments are removed; 4 GiB
	Age     time.Duration // of lines; segments of older ones are removed; 0: none are for that
	Clock   func() time.Time
	Log     *slog.Logger
	// Wrote, when there, is called after lines were written.
	Wrote func()
}

const (
	maxWaiting = 8 << 20              // bytes that wait for the disk
	rest       = 5 * time.Millisecond // of the writer: to wake it for each line costs more than the line
)

// A Log is an audit log that is written. It is safe for concurrent use.
type Log struct {
	dir string
	o   Options
	id  string

	mu      sync.Mutex
	seq     uint64   // of the last line
	prev    [32]byte // its hash
	buf     []byte   // lines that are not written yet
	first   uint64   // the first of these
	lost    uint64   // lines that there was no room for
	written Head     // the last line in the file
	idle    *sync.Cond
	busy    bool

	wake  chan struct{} // there are lines
	hurry chan struct{} // there are many
	quit  chan struct{}
	done  chan struct{}

	whole sync.RWMutex // held by readers, and by the writer while segments go

	file  *os.File
	size  int64
	begun time.Time // of the segment
	dirty bool
	at    place // of the last reader
}

// A Head is a place in a log: the last line before it.
type Head struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"` // "" with 0: the beginning, whatever it is
}

// genesis stands before the first line.
func genesis(id string) [32]byte { return sha256.Sum256([]byte("karri audit " + id)) }

// Open opens the log in a folder, made if need be, to go on with it.
func Open(dir string, o Options) (*Log, error) {
	o.Segment, o.Keep = cmp.Or(o.Segment, 64<<20), cmp.Or(o.Keep, 4<<30)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	l := &Log{dir: dir, o: o, wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	l.idle = sync.NewCond(&l.mu)
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("audit log in %s: %w", dir, err)
	}
	go l.write()
	return l, nil
}

func (l *Log) open() error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	if err := durable.Sweep(l.dir); err != nil {
		return err
	}
	id, err := os.ReadFile(filepath.Join(l.dir, "id"))
	if errors.Is(err, fs.ErrNotExist) {
		id = []byte(strings.ToLower(rand.Text()))
		err = durable.WriteFile(filepath.Join(l.dir, "id"), id, 0o600)
	}
	if err != nil {
		return err
	}
	l.id, l.prev = string(id), genesis(string(id))
	if err := l.sweep(); err != nil {
		return err
	}
	all, err := segments(l.dir)
	if err != nil || len(all) == 0 {
		return err
	}
	last := all[len(all)-1]
	if l.file, err = os.OpenFile(last.path, os.O_RDWR, 0o600); err != nil {
		return err
	}
	return l.resume(last)
}

// resume finds the last whole line and takes off what is behind it.
func (l *Log) resume(s segment) error {
	whole, line, err := lastLine(l.file, s.size)
	if err != nil {
		return err
	}
	if whole < s.size {
		if err := l.file.Truncate(whole); err != nil {
			return err
		}
		if err := l.file.Sync(); err != nil {
			return err
		}
	}
	l.size = whole
	if _, err := l.file.Seek(whole, io.SeekStart); err != nil {
		return err
	}
	if line == nil { // the segment was begun and nothing written
		return l.before(s)
	}
	var head struct{ Seq uint64 }
	if err := json.Unmarshal(line, &head); err != nil {
		return fmt.Errorf("the last line of %s: %w", s.path, err)
	}
	l.seq, l.prev = head.Seq, sha256.Sum256(line)
	l.written = Head{l.seq, hex.EncodeToString(l.prev[:])}
	return l.begin(s.path)
}

// before takes up the segment before an empty one.
func (l *Log) before(s segment) error {
	if err := errors.Join(l.file.Close(), os.Remove(s.path)); err != nil {
		return err
	}
	l.file = nil
	all, err := segments(l.dir)
	if err != nil || len(all) == 0 {
		return err
	}
	last := all[len(all)-1]
	if l.file, err = os.OpenFile(last.path, os.O_RDWR, 0o600); err != nil {
		return err
	}
	return l.resume(last)
}

// ID names the log for ever.
func (l *Log) ID() string { return l.id }

// Note adds a line. It does not wait for the disk. A nil Log takes none.
func (l *Log) Note(line *Line) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.buf) > maxWaiting {
		l.lost++
		return
	}
	if l.lost > 0 {
		l.add(&Line{Time: line.Time, Service: "audit", Action: "Lost", Text: strconv.FormatUint(l.lost, 10) + " lines could not be written"})
		l.lost = 0
	}
	l.add(line)
	poke(l.wake)
	if len(l.buf) > maxWaiting/8 {
		poke(l.hurry)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (l *Log) add(line *Line) {
	if len(l.buf) == 0 {
		l.first = l.seq + 1
	}
	l.seq++
	line.Seq, line.Daemon = l.seq, l.o.Daemon
	from := len(l.buf)
	l.buf = line.append(l.buf, l.prev)
	l.prev = sha256.Sum256(l.buf[from:])
	l.buf = append(l.buf, '\n')
}

// Lost returns how many lines are lost and not yet written down.
func (l *Log) Lost() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// Flush returns when all that was noted before is in the file.
func (l *Log) Flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { l.mu.Lock(); l.idle.Broadcast(); l.mu.Unlock() })
	defer stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for upTo := l.seq; l.written.Seq < upTo; l.idle.Wait() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// Close writes what waits and ends the log.
func (l *Log) Close() error {
	close(l.quit)
	<-l.done
	if l.file == nil {
		return nil
	}
	return errors.Join(l.file.Sync(), l.file.Close())
}

// write is the writer.
func (l *Log) write() {
	defer close(l.done)
	sync := time.NewTimer(time.Hour)
	defer sync.Stop()
	old := time.NewTicker(time.Hour)
	defer old.Stop()
	l.tryPrune()
	var spare []byte
	pending := false // the timer runs
	for ended := false; ; {
		select {
		case <-l.wake:
		case <-sync.C:
			pending = false
			l.sync()
			continue
		case <-old.C:
			l.tryPrune()
			continue
		case <-l.quit:
			ended = true
		}
		l.mu.Lock()
		lines, first, head := l.buf, l.first, Head{l.seq, hex.EncodeToString(l.prev[:])}
		l.buf = spare[:0]
		l.mu.Unlock()
		for len(lines) > 0 {
			turned, err := l.put(lines, first)
			if err == nil {
				l.wrote(head)
				if turned {
					l.tryPrune()
				}
				break
			}
			l.o.Log.Error("the audit log cannot be written", "err", err)
			select {
			case <-time.After(time.Second):
			case <-l.quit:
				return
			}
		}
		if spare = lines; cap(spare) > 1<<20 {
			spare = nil
		}
		if ended {
			return
		}
		if l.dirty && !pending {
			l.dirty, pending = false, true
			sync.Reset(time.Second)
		}
		if len(lines) > 0 {
			select {
			case <-time.After(rest):
			case <-l.hurry:
			case <-l.quit: // seen again above, which writes what is left
			}
		}
	}
}

func (l *Log) wrote(head Head) {
	l.mu.Lock()
	l.written = head
	l.idle.Broadcast()
	l.mu.Unlock()
	if l.o.Wrote != nil {
		l.o.Wrote()
	}
}

func (l *Log) tryPrune() {
	if err := l.prune(); err != nil {
		l.o.Log.Error("the audit log cannot be pruned", "err", err)
	}
}

func (l *Log) sync() {
	if l.file != nil {
		if err := l.file.Sync(); err != nil {
			l.o.Log.Error("the audit log cannot be synced", "err", err)
		}
	}
}

// put writes lines to the file, all of them or none, and tells whether that is
// another one.
func (l *Log) put(lines []byte, first uint64) (turned bool, err error) {
	if turned = l.file == nil || l.size >= l.o.Segment || l.aged(); turned {
		if err := l.turn(first); err != nil {
			return false, err
		}
	}
	return turned, l.append(lines)
}

func (l *Log) append(lines []byte) error {
	n, err := l.file.Write(lines)
	if err != nil {
		back := l.file.Truncate(l.size)
		_, seek := l.file.Seek(l.size, io.SeekStart)
		return errors.Join(err, back, seek)
	}
	l.size += int64(n)
	l.dirty = true
	crash.Here("audit.written")
	return nil
}

// turn begins a segment.
func (l *Log) turn(first uint64) error {
	f, err := os.OpenFile(filepath.Join(l.dir, fmt.Sprintf("%020d.log", first)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if l.file != nil {
		if err := errors.Join(l.file.Sync(), l.file.Close()); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	l.file, l.size, l.begun = f, 0, l.o.Clock()
	return durable.SyncDir(l.dir)
}
