package content

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"karri/shared/crash"
)

// A segment is one that this process appends to. Records are given their room
// when they begin, so that many can be written side by side.
type segment struct {
	packs *segments
	id    uint64
	file  *os.File

	mu      sync.Mutex
	ended   sync.Cond // a sync
	next    int64     // where the next record begins
	writers int       // records begun and neither committed nor given up
	full    bool      // takes no more
	syncing bool
	asked   uint64 // commits that ask for a sync
	synced  uint64 // of those, how many the disk has
	broken  error  // a sync failed: what it was to cover may be lost
}

// reserve gives a record its room; false when the segment takes no more.
func (s *segment) reserve(size int64) (place, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := place{s.id, uint32(s.next / pageSize), uint32(size)}
	if s.broken != nil || s.full || p.next() > segmentMost {
		return p, false
	}
	s.next = p.next()
	s.writers++
	return p, true
}

// sync returns when all that was written before is on the disk. Of those who
// ask while a sync runs, one does the next for all of them.
func (s *segment) sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	mine := s.asked
	for s.synced < mine && s.broken == nil {
		if s.syncing {
			s.ended.Wait()
			continue
		}
		s.syncing = true
		covered := s.asked
		s.mu.Unlock()
		err := s.packs.files.fail("sync", s.file.Name())
		if err == nil {
			err = unix.Fdatasync(int(s.file.Fd()))
		}
		s.mu.Lock()
		s.syncing = false
		if err != nil {
			s.broken = fmt.Errorf("sync: %w", diskError(err))
		} else {
			s.synced = covered
		}
		s.ended.Broadcast()
	}
	if s.synced >= mine {
		return nil
	}
	return s.broken
}

// leave ends one record's writing. The last to leave a full segment closes it.
func (s *segment) leave() {
	s.mu.Lock()
	s.writers--
	last := s.writers == 0 && s.full
	s.mu.Unlock()
	if last {
		s.packs.retire(s)
	}
}

// fill makes a segment take no more, and reports whether nobody writes to it.
func (s *segment) fill() (idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle = s.writers == 0 && !s.full
	s.full = true
	return idle
}

// A recordWriter writes one record.
type recordWriter struct {
	segment *segment
	place   place
	sums    summer
	done    bool
}

func (w *recordWriter) ID() string { return w.sums.id }

func (w *recordWriter) Write(p []byte) (int, error) {
	f := w.segment.packs.files
	if w.done || int64(len(p)) > int64(w.place.size)-w.sums.size {
		return 0, NotSize
	}
	if err := f.fail("write", w.segment.file.Name()); err != nil {
		return 0, diskError(err)
	}
	n, err := w.segment.file.WriteAt(p, w.place.data()+w.sums.size)
	w.sums.Write(p[:n])
	return n, diskError(err)
}

// Commit is Writer's: the bytes, then the head that makes them a piece, then
// one sync for it and all who commit beside it.
func (w *recordWriter) Commit() error {
	if w.done || w.sums.size != int64(w.place.size) {
		return NotSize
	}
	f := w.segment.packs.files
	err := f.fail("write", w.segment.file.Name())
	if err == nil {
		crash.Here("walrus.content.packed")
		_, err = w.segment.file.WriteAt(append(head(w.place, time.Now()), w.sums.Table()...), w.place.start())
	}
	if err == nil {
		crash.Here("walrus.content.headed")
		err = w.segment.sync()
	}
	if err != nil {
		w.Abort()
		return fmt.Errorf("commit piece: %w", diskError(err))
	}
	w.done = true
	w.segment.leave()
	return nil
}

// Abort is Writer's. A record whose hole cannot be punched has no head, or one
// that no row claims.
func (w *recordWriter) Abort() {
	if !w.done {
		w.done = true
		_ = w.segment.packs.punch(w.segment.file, w.place)
		w.segment.leave()
	}
}
