// Package content keeps the bytes of objects, in pieces.
//
// A piece is written once, from its first byte to its last, and never changes.
// Commit returns when it is durable: bytes first, then the name. A piece that
// was begun and not committed does not exist; a crash leaves of it at most a
// file that Sweep removes. Nothing here knows what a piece is for: a row of
// the index claims it, and bytes that no row claims are rubbish for the mill.
//
// Each block of a piece carries a checksum that also covers the piece's id and
// the block's place. Every read verifies it before it gives a byte away, so
// damage, a torn write or a file in another's place is an error (Damaged) and
// never a wrong byte. Memory does not grow with the size of a piece.
//
// Engines: Files, and RADOS where it is built with the tag rados (and cgo); the
// suite in contenttest is what another must pass.
//
// Files keeps a large piece in a file of its own, and packs small ones into
// segments. A segment belongs to the process that appends to it, which a lock
// on the file tells the others; anyone may read it. Records begin at pages and
// are found by the piece's id, which is their place, so that nothing has to be
// remembered. Commits of many writers share one sync. When a piece is removed
// a hole is punched where it was, and a segment without any goes: the file
// system itself is the free list, and knows it after a crash. What a crash
// leaves of a segment is scanned at the next start: records that were begun and
// have no head become holes too.
package content

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"strings"
	"sync"
	"time"

	"karri/shared/fault"
)

// An Engine keeps pieces.
type Engine interface {
	// Create begins a piece of size bytes under a fresh id; -1 when it is not
	// known how many they will be.
	Create(ctx context.Context, size int64) (Writer, error)
	// Open streams n bytes of a piece from offset off; both must lie within it.
	Open(ctx context.Context, id string, off, n int64) (io.ReadCloser, error)
	// Remove succeeds when the piece is not there.
	Remove(ctx context.Context, id string) error
	// List calls f for each piece until f fails.
	List(ctx context.Context, f func(Info) error) error
	// Sweep removes what a process that is no more began and never committed,
	// and returns how much it was.
	Sweep(ctx context.Context) (int, error)
	// Room is NoSpace when the engine should not be given more.
	Room() error
}

// A Store is an Engine with a name of its own.
type Store interface {
	Engine
	// Identity returns the name that was given to the store, "" for a new one.
	Identity() (string, error)
	SetIdentity(id string) error
	Close() error
}

// Open opens the store at an address: rados://POOL where this program is built
// with it, else a folder.
func Open(address string, o FilesOptions) (Store, error) {
	if strings.HasPrefix(address, "rados://") {
		return openRADOS(address, o)
	}
	return OpenFiles(address, o)
}

// A Writer takes the bytes of one piece. Its user calls Commit or Abort; Abort
// after Commit does nothing.
type Writer interface {
	io.Writer
	// ID is always of 32 characters, lower-case letters and digits.
	ID() string
	// Commit returns when the piece is durable. It refuses one that does not
	// have the size that Create was told.
	Commit() error
	Abort()
}

// Info is what List tells of a piece.
type Info struct {
	ID   string
	Size int64
	Made time.Time
}

// What an engine says is wrong; it wraps what lies underneath.
var (
	Damaged = fault.New(fault.Broken, "InternalError", "The stored bytes are damaged.")
	Lost    = fault.New(fault.Missing, "PieceMissing", "The bytes are not there.")
	NoSpace = fault.New(fault.Full, "InsufficientStorage", "There is no room left to store this.")
	NotSize = fault.New(fault.Broken, "InternalError", "The piece is not as long as was announced.")
)

// NewID returns the id of a piece to be.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// Holds are the pieces that this process is using though no row may claim
// them: being written and not yet in the index, or being read while their row
// is replaced. What is held is not swept.
type Holds struct {
	mu   sync.Mutex
	held map[string]int
}

// Hold keeps the pieces until release is called.
func (h *Holds) Hold(ids ...string) (release func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held == nil {
		h.held = map[string]int{}
	}
	for _, id := range ids {
		h.held[id]++
	}
	return sync.OnceFunc(func() { h.release(ids) })
}

func (h *Holds) release(ids []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range ids {
		if h.held[id]--; h.held[id] == 0 {
			delete(h.held, id)
		}
	}
}

// Held reports whether someone uses the piece.
func (h *Holds) Held(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held[id] > 0
}
