//go:build rados

package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ceph/go-ceph/rados"
)

// RADOS is the Engine of many machines: pieces are objects in a pool of Ceph,
// which is durable when it answers.
//
// A piece that is known to be small is one object, written in one operation,
// which is its commit. Any other is stripes and, written last, a head with the
// checksums and the footer: without it the stripes are nothing. The first digit
// of an id tells which it is, and the next seven who wrote it. Each process
// holds a lock under that name, which lapses when it dies; stripes without a
// head of those who hold none are swept once they are old.
type RADOS struct {
	conn    *rados.Conn
	io      *rados.IOContext
	reserve int64
	fail    func(op, path string) error
	writer  string // seven digits
	seen    atomic.Int64
	pieces  uses[string]
	stop    chan struct{}
	renewer sync.WaitGroup

	room      sync.Mutex
	available int64
	asked     time.Time
}

const (
	wholeMark, stripedMark = "a", "b" // how ids begin

	stripeSize = 4 << 20
	flushSize  = 1 << 20
	leaseTime  = time.Minute
	lockName   = "karri"
	// strayAge is how old stripes without a head must be before they are swept,
	// much longer than a writer can go on that lost his lock.
	strayAge = time.Hour
)

// openRADOS opens rados://POOL[/NAMESPACE][?conf=FILE&user=NAME].
func openRADOS(address string, o FilesOptions) (Store, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is not rados://POOL", address)
	}
	r := &RADOS{reserve: o.Reserve, fail: o.Fail, writer: NewID()[:7], stop: make(chan struct{})}
	if r.reserve == 0 {
		r.reserve = 256 << 20
	}
	if r.fail == nil {
		r.fail = func(string, string) error { return nil }
	}
	if err := r.connect(u); err != nil {
		return nil, fmt.Errorf("open %s: %w", address, err)
	}
	if err := r.hold(false); err != nil {
		r.conn.Shutdown()
		return nil, fmt.Errorf("open %s: %w", address, err)
	}
	r.renewer.Go(r.renew)
	return r, nil
}

func (r *RADOS) connect(u *url.URL) (err error) {
	q := u.Query()
	if user := q.Get("user"); user != "" {
		r.conn, err = rados.NewConnWithUser(user)
	} else {
		r.conn, err = rados.NewConn()
	}
	if err != nil {
		return err
	}
	if conf := q.Get("conf"); conf != "" {
		err = r.conn.ReadConfigFile(conf)
	} else {
		err = r.conn.ReadDefaultConfigFile()
	}
	for _, limit := range []string{"rados_osd_op_timeout", "rados_mon_op_timeout"} {
		if err == nil { // without them a call waits for ever
			err = r.conn.SetConfigOption(limit, "30")
		}
	}
	if err == nil {
		err = r.conn.Connect()
	}
	if err != nil {
		return err
	}
	if r.io, err = r.conn.OpenIOContext(u.Host); err != nil {
		r.conn.Shutdown()
		return err
	}
	r.io.SetNamespace(strings.Trim(u.Path, "/"))
	return nil
}

// hold takes the lock that says that this process lives, or keeps it.
func (r *RADOS) hold(again bool) error {
	var flags byte
	if again {
		flags = 1 // it is renewed
	}
	began := time.Now()
	code, err := r.io.LockExclusive("l."+r.writer, lockName, r.writer, "", leaseTime, &flags)
	if err == nil && code != 0 {
		err = fmt.Errorf("lock of writer %s: %d", r.writer, code)
	}
	if err == nil {
		r.seen.Store(began.UnixNano())
	}
	return err
}

func (r *RADOS) renew() {
	tick := time.NewTicker(leaseTime / 4)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
			_ = r.hold(true) // what fails shows at the next commit
		}
	}
}

// alive reports whether this process is known to hold its lock.
func (r *RADOS) alive() bool {
	return time.Since(time.Unix(0, r.seen.Load())) < leaseTime*3/4
}

// Close is Store's.
func (r *RADOS) Close() error {
	close(r.stop)
	r.renewer.Wait()
	_, err := r.io.Unlock("l."+r.writer, lockName, r.writer)
	err = errors.Join(err, r.drop("l."+r.writer))
	r.io.Destroy()
	r.conn.Shutdown()
	return err
}

// Identity is Store's.
func (r *RADOS) Identity() (string, error) {
	b := make([]byte, 128)
	n, err := r.io.Read("id", b, 0)
	if errors.Is(err, rados.ErrNotFound) {
		return "", nil
	}
	return string(b[:n]), err
}

// SetIdentity is Store's.
func (r *RADOS) SetIdentity(id string) error { return r.io.WriteFull("id", []byte(id)) }

// Room is Engine's. The answer of a second ago is good enough.
func (r *RADOS) Room() error {
	r.room.Lock()
	defer r.room.Unlock()
	if time.Since(r.asked) > time.Second {
		s, err := r.conn.GetClusterStats()
		if err != nil {
			return fmt.Errorf("ask for free space: %w", err)
		}
		r.available, r.asked = int64(s.Kb_avail)<<10, time.Now()
		if s.Kb == 0 { // a young cluster has not counted yet
			r.available = r.reserve
		}
	}
	if r.available < r.reserve {
		return NoSpace
	}
	return nil
}

// put writes a whole object.
func (r *RADOS) put(op, oid string, b []byte) error {
	err := r.fail(op, oid)
	if err == nil {
		err = r.io.WriteFull(oid, b)
	}
	return radosError(err)
}

// drop removes an object; one that is not there is removed.
func (r *RADOS) drop(oid string) error {
	err := r.io.Delete(oid)
	if errors.Is(err, rados.ErrNotFound) {
		return nil
	}
	return err
}

func headOf(id string) string { return "p." + id }

func stripeOf(id string, n int64) string { return fmt.Sprintf("d.%s.%x", id, n) }

func (r *RADOS) check(id string) error {
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || id[:1] != wholeMark && id[:1] != stripedMark {
		return fmt.Errorf("%q is not the id of a piece", id)
	}
	return nil
}

// Remove is Engine's: the head first, which is the name.
func (r *RADOS) Remove(_ context.Context, id string) error {
	if err := r.check(id); err != nil {
		return err
	}
	if !r.pieces.remove(id) {
		return nil
	}
	defer r.pieces.forget(id)
	return r.clear(id)
}

func (r *RADOS) clear(id string) error {
	if err := r.fail("remove", id); err != nil {
		return err
	}
	size, err := r.size(id)
	if errors.Is(err, Lost) {
		return nil
	}
	if dropped := r.drop(headOf(id)); dropped != nil {
		return fmt.Errorf("remove piece: %w", dropped)
	}
	if err != nil || id[:1] == wholeMark { // without a size the sweep finds the stripes
		return nil
	}
	for n := range (size + stripeSize - 1) / stripeSize {
		if err := r.drop(stripeOf(id, n)); err != nil {
			return fmt.Errorf("remove piece: %w", err)
		}
	}
	return nil
}

// List is Engine's.
func (r *RADOS) List(ctx context.Context, each func(Info) error) error {
	return r.names(ctx, "p.", func(id string) error {
		st, err := r.io.Stat(headOf(id))
		if errors.Is(err, rados.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list pieces: %w", err)
		}
		size, err := r.size(id)
		if errors.Is(err, Lost) {
			return nil
		}
		if err != nil && !errors.Is(err, Damaged) {
			return fmt.Errorf("list pieces: %w", err)
		}
		return each(Info{ID: id, Size: size, Made: st.ModTime})
	})
}

// names calls f for each object whose name begins with prefix, with the rest.
func (r *RADOS) names(ctx context.Context, prefix string, f func(rest string) error) error {
	it, err := r.io.Iter()
	if err != nil {
		return fmt.Errorf("list pieces: %w", err)
	}
	defer it.Close()
	for it.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if rest, ok := strings.CutPrefix(it.Value(), prefix); ok {
			if err := f(rest); err != nil {
				return err
			}
		}
	}
	return it.Err()
}

// Sweep is Engine's.
func (r *RADOS) Sweep(ctx context.Context) (int, error) { return r.sweep(ctx, strayAge) }

func (r *RADOS) sweep(ctx context.Context, age time.Duration) (n int, err error) {
	lives, swept := map[string]bool{r.writer: true}, map[string]bool{}
	err = r.names(ctx, "d.", func(rest string) error {
		id, _, _ := strings.Cut(rest, ".")
		if r.check(id) != nil {
			return nil
		}
		writer := id[1:8]
		if _, known := lives[writer]; !known {
			lock, err := r.io.ListLockers("l."+writer, lockName)
			if err != nil && !errors.Is(err, rados.ErrNotFound) {
				return err
			}
			lives[writer] = err == nil && lock.NumLockers > 0
		}
		if lives[writer] {
			return nil
		}
		st, err := r.io.Stat("d." + rest)
		if err != nil || time.Since(st.ModTime) < age {
			return ignoreMissing(err)
		}
		if _, err := r.io.Stat(headOf(id)); !errors.Is(err, rados.ErrNotFound) {
			return err
		}
		swept[id] = true
		return r.drop("d." + rest)
	})
	if err != nil {
		return len(swept), fmt.Errorf("sweep: %w", err)
	}
	return len(swept), nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, rados.ErrNotFound) {
		return nil
	}
	return err
}

// radosError tells a full cluster from a broken one.
func radosError(err error) error {
	var code interface{ ErrorCode() int }
	if errors.As(err, &code) && (code.ErrorCode() == -int(syscall.ENOSPC) || code.ErrorCode() == -int(syscall.EDQUOT)) {
		return NoSpace.Because(err)
	}
	return diskError(err)
}

var _ io.ReaderAt = (*radosPiece)(nil)
