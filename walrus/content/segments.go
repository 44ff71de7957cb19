package content

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"karri/shared/crash"
	"karri/shared/durable"
)

// segments are all segments of a folder. Those that some process appends to,
// or did when it died, are in the folder "open" within; the rest are as they
// will stay but for holes.
type segments struct {
	files *Files
	dir   string

	mu      sync.Mutex
	current *segment           // takes new records; nil before the first
	handles map[uint64]*handle // open for reading
	pieces  uses[place]
	closed  bool
}

func newSegments(f *Files) *segments {
	return &segments{files: f, dir: filepath.Join(f.root, "segments"), handles: map[uint64]*handle{}}
}

func (s *segments) openDir() string { return filepath.Join(s.dir, "open") }

func (s *segments) path(id uint64) string { return filepath.Join(s.dir, segmentName(id)) }

func (s *segments) openPath(id uint64) string { return filepath.Join(s.openDir(), segmentName(id)) }

// create begins a piece in the current segment, or in a new one.
func (s *segments) create(size int64) (Writer, error) {
	w, old, err := s.reserve(size)
	if old != nil {
		s.retire(old)
	}
	if err != nil {
		return nil, fmt.Errorf("begin segment: %w", diskError(err))
	}
	return w, nil
}

// reserve returns the writer of a piece, and a segment that has become full
// and that nobody writes to.
func (s *segments) reserve(size int64) (w *recordWriter, old *segment, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, errors.New("the store is closed")
	}
	if s.current != nil {
		if p, ok := s.current.reserve(size); ok {
			return newRecordWriter(s.current, p), nil, nil
		}
		if s.current.fill() {
			old = s.current
		}
		s.current = nil
	}
	if s.current, err = s.begin(); err != nil {
		return nil, old, err
	}
	p, _ := s.current.reserve(size)
	return newRecordWriter(s.current, p), old, nil
}

func newRecordWriter(s *segment, p place) *recordWriter {
	return &recordWriter{segment: s, place: p, sums: summer{id: p.String()}}
}

// begin makes a segment whose name is durable.
func (s *segments) begin() (*segment, error) {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	id := binary.BigEndian.Uint64(b[:]) >> 4
	path := s.openPath(id)
	if err := s.files.fail("create", path); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = lock(file)
	if err == nil {
		err = s.files.fail("syncdir", path)
	}
	if err == nil {
		err = durable.SyncDir(s.openDir())
	}
	if err != nil {
		_ = os.Remove(path)
		return nil, errors.Join(err, file.Close())
	}
	crash.Here("walrus.content.begun")
	n := &segment{packs: s, id: id, file: file}
	n.ended.L = &n.mu
	return n, nil
}

// retire ends the writing of a segment: it gets its name for good, and goes
// when nothing is in it. What fails here is done by the next sweep.
func (s *segments) retire(old *segment) {
	_ = os.Rename(s.openPath(old.id), s.path(old.id))
	_ = old.file.Close()
	if h, err := s.handle(old.id); err == nil {
		_ = s.removeEmpty(h.file, old.id)
		s.letGo(h)
	}
}

// removeEmpty removes a segment without records that nobody appends to.
func (s *segments) removeEmpty(file *os.File, id uint64) error {
	if mine, err := lock(file); err != nil || !mine {
		return err
	}
	defer func() { _ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN) }() // it fails on no open file
	if none, err := empty(file, id); err != nil || !none {
		return err
	}
	err := os.Remove(s.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (s *segments) punch(file *os.File, p place) error {
	err := s.files.fail("punch", file.Name())
	if err == nil {
		err = punch(file, p.start(), p.next())
	}
	return err
}

func (s *segments) remove(p place) error {
	if !s.pieces.remove(p) {
		return nil
	}
	defer s.pieces.forget(p)
	return s.clear(p)
}

// clear makes a hole of a record.
func (s *segments) clear(p place) error {
	h, err := s.handle(p.segment)
	if errors.Is(err, Lost) {
		return nil
	}
	if err != nil {
		return err
	}
	defer s.letGo(h)
	var b [headSize]byte
	if _, err := h.file.ReadAt(b[:], p.start()); err == io.EOF {
		return nil
	} else if err != nil {
		return fmt.Errorf("remove piece: %w", err)
	}
	if found, _, nothing, err := readHead(b[:], p.segment, p.start()); err == nil && (nothing || found != p) {
		return nil
	}
	if err := s.punch(h.file, p); err != nil {
		return fmt.Errorf("remove piece: %w", err)
	}
	crash.Here("walrus.content.punched")
	return s.removeEmpty(h.file, p.segment)
}

// close ends this process's segments.
func (s *segments) close() error {
	s.mu.Lock()
	s.closed = true
	var old *segment
	if s.current != nil && s.current.fill() {
		old = s.current
	}
	s.current = nil
	s.mu.Unlock()
	if old != nil {
		s.retire(old)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for id, h := range s.handles {
		if h.users == 0 {
			err = errors.Join(err, h.file.Close())
			delete(s.handles, id)
		}
	}
	return err
}
