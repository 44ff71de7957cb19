// Package contenttest has an engine in memory and the one suite that every
// content.Engine must pass.
package contenttest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"sync"
	"time"

	"karri/walrus/content"
)

// Memory is a content.Engine for tests that need no disk.
type Memory struct {
	mu     sync.Mutex
	pieces map[string]piece
	full   bool
}

type piece struct {
	data []byte
	made time.Time
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{pieces: map[string]piece{}} }

var _ content.Engine = (*Memory)(nil)

// SetFull makes the store say that it has no room, or has it again.
func (m *Memory) SetFull(full bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = full
}

// Room is Engine's.
func (m *Memory) Room() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return content.NoSpace
	}
	return nil
}

type memoryWriter struct {
	bytes.Buffer
	m    *Memory
	id   string
	size int64
}

// Create is Engine's.
func (m *Memory) Create(_ context.Context, size int64) (content.Writer, error) {
	if err := m.Room(); err != nil {
		return nil, err
	}
	return &memoryWriter{m: m, id: content.NewID(), size: size}, nil
}

func (w *memoryWriter) ID() string { return w.id }
func (w *memoryWriter) Abort()     {}

func (w *memoryWriter) Commit() error {
	if w.size >= 0 && w.size != int64(w.Len()) {
		return content.NotSize
	}
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	w.m.pieces[w.id] = piece{bytes.Clone(w.Bytes()), time.Now()}
	return nil
}

// Open is Engine's.
func (m *Memory) Open(_ context.Context, id string, off, n int64) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.pieces[id]
	if !ok {
		return nil, content.Lost
	}
	if off < 0 || n < 0 || off+n > int64(len(p.data)) {
		return nil, content.Damaged
	}
	return io.NopCloser(bytes.NewReader(p.data[off : off+n])), nil
}

// Remove is Engine's.
func (m *Memory) Remove(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.pieces, id)
	return nil
}

// List is Engine's.
func (m *Memory) List(_ context.Context, each func(content.Info) error) error {
	m.mu.Lock()
	pieces := maps.Clone(m.pieces)
	m.mu.Unlock()
	for id, p := range pieces {
		if err := each(content.Info{ID: id, Size: int64(len(p.data)), Made: p.made}); err != nil {
			return err
		}
	}
	return nil
}

// Sweep is Engine's.
func (m *Memory) Sweep(context.Context) (int, error) { return 0, nil }
