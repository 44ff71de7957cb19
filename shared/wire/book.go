package wire

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"karri/shared/crash"
	"karri/shared/durable"
	"karri/shared/fault"
)

// A Book is the orders that were accepted, on disk: a snapshot file, and a
// journal of changes behind it, each a line that is on disk before Accept
// returns. When the journal outgrows the snapshot, a new snapshot is renamed
// over the old one and the journal begins anew; its lines are numbered, so one
// that the snapshot has already is skipped. A last line that a crash tore was
// never acknowledged and is cut off. Orders older than the last are refused.
type Book[Orders any] struct {
	mu       sync.Mutex
	path     string
	journal  *os.File
	size     int64 // of the journal's good lines
	kept     int64 // size of the snapshot
	seq      uint64
	gen      uint64
	doc      doc
	sum      string
	orders   Orders
	damaged  bool // a write failed: only a new snapshot is safe
	changed  chan struct{}
	pass     func() // tests crash here
	leastLog int64
}

// page is the snapshot, and entry a line of the journal.
type page struct {
	Seq uint64 `json:"seq"`
	Gen uint64 `json:"gen"`
	Doc doc    `json:"doc"`
}

type entry struct {
	Seq uint64 `json:"seq"`
	Gen uint64 `json:"gen"`
	Change
}

// OpenBook opens the book in the folder dir, which it makes if need be.
func OpenBook[Orders any](dir string) (*Book[Orders], error) {
	return openBook[Orders](dir, func() {}, 1<<20)
}

func openBook[Orders any](dir string, pass func(), leastLog int64) (*Book[Orders], error) {
	b := &Book[Orders]{path: filepath.Join(dir, "orders"), doc: doc{}, changed: make(chan struct{}), pass: pass, leastLog: leastLog}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := durable.Sweep(dir); err != nil {
		return nil, err
	}
	if err := b.load(); err != nil {
		return nil, fmt.Errorf("orders in %s: %w", dir, err)
	}
	return b, nil
}

func (b *Book[Orders]) load() error {
	snapshot, err := os.ReadFile(b.path + ".json")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err == nil {
		var p page
		if err := json.Unmarshal(snapshot, &p); err != nil {
			return err
		}
		b.seq, b.gen, b.kept = p.Seq, p.Gen, int64(len(snapshot))
		if p.Doc != nil {
			b.doc = p.Doc
		}
	}
	if b.journal, err = os.OpenFile(b.path+".journal", os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return err
	}
	if err = b.replay(); err == nil {
		err = durable.SyncDir(filepath.Dir(b.path))
	}
	if err == nil {
		b.sum = b.doc.sum()
		b.orders, err = fromDoc[Orders](b.doc)
	}
	if err != nil {
		return errors.Join(err, b.journal.Close())
	}
	return nil
}

// replay applies the lines of the journal and cuts off a torn last one.
func (b *Book[Orders]) replay() error {
	r := bufio.NewReader(b.journal)
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			if len(line) == 0 {
				return nil
			}
			return b.cut()
		}
		if err != nil {
			return err
		}
		e, ok := parseLine(line)
		if !ok {
			if _, err := r.Peek(1); err == io.EOF {
				return b.cut()
			}
			return fmt.Errorf("line %d of the journal is damaged, and lines follow it", b.seq+1)
		}
		b.size += int64(len(line))
		if e.Seq <= b.seq {
			continue
		}
		to, err := b.doc.apply(e.Change)
		if err != nil || e.Seq != b.seq+1 {
			return fmt.Errorf("line %d of the journal does not fit what is before it", e.Seq)
		}
		b.doc, b.seq, b.gen = to, e.Seq, e.Gen
	}
}

// cut ends the journal behind its last good line.
func (b *Book[Orders]) cut() error {
	return errors.Join(b.journal.Truncate(b.size), b.journal.Sync())
}

func formatLine(e entry) ([]byte, error) {
	j, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE(j), j), nil
}

func parseLine(line []byte) (e entry, ok bool) {
	if len(line) < 10 || line[8] != ' ' {
		return e, false
	}
	crc, err := strconv.ParseUint(string(line[:8]), 16, 32)
	j := bytes.TrimSuffix(line[9:], []byte("\n"))
	if err != nil || uint32(crc) != crc32.ChecksumIEEE(j) || json.Unmarshal(j, &e) != nil {
		return e, false
	}
	return e, true
}

// Orders returns what was last accepted, and its generation. The caller does
// not change what the maps hold.
func (b *Book[Orders]) Orders() (Orders, uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.orders, b.gen
}

// Accepted returns the highest generation that was accepted.
func (b *Book[Orders]) Accepted() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gen
}

// Changed returns a channel that is closed when other orders are accepted.
// Take it before reading Orders, so that no change is missed.
func (b *Book[Orders]) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// Tell accepts the whole list o.
func (b *Book[Orders]) Tell(ctx context.Context, gen uint64, o Orders) error {
	to, err := toDoc(o)
	if err != nil {
		return err
	}
	b.mu.Lock()
	from, base := b.doc, b.sum
	b.mu.Unlock()
	err = b.Accept(ctx, gen, from.diff(base, to))
	if errors.Is(err, errBase) { // another teller came between
		err = b.Accept(ctx, gen, doc(nil).diff("", to))
	}
	return err
}

// Accept takes the change that leads to the orders of generation gen. When it
// returns nil they are on disk. The same orders under the same generation are
// accepted again; other ones are refused.
func (b *Book[Orders]) Accept(_ context.Context, gen uint64, c Change) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if gen < b.gen {
		return fault.New(fault.Conflict, "OldGeneration", "Generation %d was accepted already; %d is older.", b.gen, gen)
	}
	if gen == b.gen && b.seq > 0 {
		if c.Sum == b.sum {
			return nil
		}
		return fault.New(fault.Conflict, "SameGeneration", "Other orders were accepted as generation %d.", gen)
	}
	to, err := b.doc.apply(c)
	if err != nil {
		return err
	}
	orders, err := fromDoc[Orders](to)
	if err != nil {
		return fault.New(fault.Invalid, "BadOrders", "The orders are not what is expected here.").Because(err)
	}
	if err := b.save(entry{Seq: b.seq + 1, Gen: gen, Change: c}, to); err != nil {
		return fault.New(fault.Later, "CannotStore", "The orders could not be put on disk.").Because(err)
	}
	b.doc, b.sum, b.orders, b.gen, b.seq = to, c.Sum, orders, gen, b.seq+1
	close(b.changed)
	b.changed = make(chan struct{})
	return nil
}

// save puts e, which leads to the document to, on disk.
func (b *Book[Orders]) save(e entry, to doc) error {
	line, err := formatLine(e)
	if err != nil {
		return err
	}
	if b.damaged || b.size+int64(len(line)) > max(b.leastLog, b.kept) {
		return b.compact(page{Seq: e.Seq, Gen: e.Gen, Doc: to})
	}
	b.pass()
	if _, err = b.journal.Write(line); err == nil {
		crash.Here("book.line-written")
		b.pass()
		err = b.journal.Sync()
	}
	if err != nil {
		b.damaged = true
		return errors.Join(err, b.cut())
	}
	crash.Here("book.line-synced")
	b.pass()
	b.size += int64(len(line))
	return nil
}

// compact writes a new snapshot and empties the journal, whose lines it has.
func (b *Book[Orders]) compact(p page) error {
	j, err := json.Marshal(p)
	if err != nil {
		return err
	}
	b.pass()
	if err := durable.WriteFile(b.path+".json", j, 0o600); err != nil {
		return err
	}
	crash.Here("book.snapshot-written")
	b.pass()
	b.kept, b.size = int64(len(j)), 0
	b.damaged = b.cut() != nil // the snapshot is in force; the journal can wait
	b.pass()
	return nil
}

// Close closes the journal. Accept fails afterwards.
func (b *Book[Orders]) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.journal.Close()
}
