package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"karri/shared/durable"
)

// A handle is a segment that is open for reading and punching.
type handle struct {
	file  *os.File
	users int
	last  time.Time // it was used
}

// handlesMost is how many segments stay open for reading.
const handlesMost = 128

// handle opens a segment, or returns it open. Between two looks it may have
// moved from one folder to the other.
func (s *segments) handle(id uint64) (*handle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.handles[id]
	if h == nil {
		file, err := s.find(id)
		if err != nil {
			return nil, err
		}
		s.makeRoom()
		h = &handle{file: file}
		s.handles[id] = h
	}
	h.users++
	return h, nil
}

func (s *segments) find(id uint64) (file *os.File, err error) {
	for _, path := range []string{s.openPath(id), s.path(id)} {
		if err := s.files.fail("open", path); err != nil {
			return nil, err
		}
		file, err = os.OpenFile(path, os.O_RDWR, 0)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			break
		}
		err = Lost.Because(err)
	}
	return file, err
}

// makeRoom closes the segment that nobody uses and that was used last the
// longest ago, when many are open.
func (s *segments) makeRoom() {
	if len(s.handles) < handlesMost {
		return
	}
	var oldest uint64
	var found *handle
	for id, h := range s.handles {
		if h.users == 0 && (found == nil || h.last.Before(found.last)) {
			oldest, found = id, h
		}
	}
	if found != nil {
		delete(s.handles, oldest)
		_ = found.file.Close() // nothing is written through it
	}
}

func (s *segments) letGo(h *handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.users--
	h.last = time.Now()
}

// open returns a reader of a piece. While it is open the piece is not removed.
func (s *segments) open(p place, off, n int64) (io.ReadCloser, error) {
	if !s.pieces.begin(p) {
		return nil, Lost
	}
	h, err := s.handle(p.segment)
	if err != nil {
		s.endUse(p)
		return nil, err
	}
	r, err := s.reader(h, p, off, n)
	if err != nil {
		s.letGo(h)
		s.endUse(p)
		return nil, err
	}
	return r, nil
}

func (s *segments) endUse(p place) {
	if s.pieces.end(p) {
		_ = s.clear(p) // nothing claims it: what fails is found to be an orphan
		s.pieces.forget(p)
	}
}

func (s *segments) reader(h *handle, p place, off, n int64) (io.ReadCloser, error) {
	id := p.String()
	if err := within(id, int64(p.size), off, n); err != nil {
		return nil, err
	}
	from := s.files.readable(h.file)
	b := make([]byte, p.data()-p.start())
	if _, err := from.ReadAt(b, p.start()); err == io.EOF {
		return nil, Lost
	} else if err != nil {
		return nil, Damaged.Because(fmt.Errorf("piece %s: %w", id, err))
	}
	switch found, _, nothing, err := readHead(b[:headSize], p.segment, p.start()); {
	case nothing:
		return nil, Lost
	case err != nil:
		return nil, Damaged.Because(fmt.Errorf("piece %s: %w", id, err))
	case found != p:
		return nil, Lost
	}
	v := verified{id: id, file: from, data: p.data(), table: p.table(), size: int64(p.size), off: off, end: off + n, sums: b[headSize:]}
	return &recordReader{v, s, h, p, false}, nil
}

type recordReader struct {
	verified
	packs  *segments
	handle *handle
	place  place
	closed bool
}

func (r *recordReader) Close() error {
	if !r.closed {
		r.closed = true
		r.release()
		r.packs.letGo(r.handle)
		r.packs.endUse(r.place)
	}
	return nil
}

// list calls each for each piece. Empty segments that a crash left go.
func (s *segments) list(ctx context.Context, each func(Info) error) error {
	seen := map[uint64]bool{}
	for _, dir := range []string{s.openDir(), s.dir} { // a segment moves from the first to the second
		entries, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("list pieces: %w", err)
		}
		for _, e := range entries {
			id, ok := parseSegment(e.Name())
			if !ok || seen[id] {
				continue
			}
			seen[id] = true
			if err := s.listOne(ctx, id, dir == s.dir, each); err != nil && !errors.Is(err, Lost) {
				return fmt.Errorf("list pieces: %w", err)
			}
		}
	}
	return nil
}

func (s *segments) listOne(ctx context.Context, id uint64, whole bool, each func(Info) error) error {
	h, err := s.handle(id)
	if err != nil {
		return err
	}
	defer s.letGo(h)
	found := false
	err = walk(h.file, id, func(p place, made time.Time) error {
		found = true
		if err := ctx.Err(); err != nil {
			return err
		}
		return each(Info{ID: p.String(), Size: int64(p.size), Made: made})
	})
	if err == nil && whole && !found {
		err = s.removeEmpty(h.file, id)
	}
	return err
}

// sweep mends the segments whose process has died.
func (s *segments) sweep() (n int, err error) {
	entries, err := os.ReadDir(s.openDir())
	if err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	for _, e := range entries {
		if id, ok := parseSegment(e.Name()); ok {
			more, err := s.mend(id)
			n += more
			if err != nil {
				return n, fmt.Errorf("sweep segment %s: %w", e.Name(), err)
			}
		}
	}
	return n, nil
}

// mend makes holes of what stands between the records of a segment that its
// process has left, and returns how often it found something.
func (s *segments) mend(id uint64) (n int, err error) {
	file, err := os.OpenFile(s.openPath(id), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if mine, err := lock(file); err != nil || !mine {
		return 0, err
	}
	end := int64(0)
	err = walk(file, id, func(p place, _ time.Time) error {
		data, err := unix.Seek(int(file.Fd()), end, unix.SEEK_DATA)
		if err == nil && data < p.start() {
			n++
			err = punch(file, end, p.start())
		}
		end = p.next()
		return err
	})
	if err != nil {
		return n, err
	}
	st, err := file.Stat()
	if err != nil {
		return n, err
	}
	if st.Size() > end {
		n++
		if err := file.Truncate(end); err != nil {
			return n, err
		}
	}
	if end == 0 {
		return n, os.Remove(s.openPath(id))
	}
	if err := os.Rename(s.openPath(id), s.path(id)); err != nil {
		return n, err
	}
	return n, errors.Join(durable.SyncDir(s.dir), durable.SyncDir(filepath.Dir(s.openPath(id))))
}
