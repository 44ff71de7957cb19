// Package ledger takes the audit logs of the cloud's daemons over into one
// index, so that they can be searched, and writes what trails ask for into
// buckets.
//
// It reads the log of its own daemon and asks walrus, blockstore and clusterctl
// for theirs, and nodes by way of their clusterctl: of each, the lines behind the
// last one that it has, in one transaction with the number and hash of the last
// line that was looked at. So a crash repeats a piece and doubles no line. None
// is believed more than what it says of itself. A log that no longer has the line
// with that hash was cut or written anew: that is kept as a problem of the log,
// and shown by Verify, until somebody looks; what comes behind is taken over.
package ledger

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"karri/cloudctl/store"
	"karri/shared/audit"
	"karri/shared/crash"
	"karri/shared/fault"
	"karri/shared/pki"
)

// A Source is the audit log of a daemon.
type Source interface {
	After(ctx context.Context, at audit.Head) (audit.Part, error)
	Verify(ctx context.Context, at audit.Head) (audit.Report, error)
}

// A Ledger is what was taken over.
type Ledger struct {
	Index *store.Index
	// Sources returns the daemons that there are now, by name.
	Sources func() map[string]Source
	Clock   func() time.Time
	Log     *slog.Logger
	// Pace is how often the logs of others are asked for what is new; 3 s when zero.
	Pace time.Duration

	own  string // name of the daemon that this is in
	wake chan struct{}
	mu   sync.Mutex
	ids  map[string]string // of the logs, by daemon
}

// Open makes l ready.
func (l *Ledger) Open() *Ledger {
	l.wake, l.ids = make(chan struct{}, 1), map[string]string{}
	return l
}

// Nudge says that there may be lines.
func (l *Ledger) Nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// keepFor is how long lines can be searched, as in CloudTrail.
const keepFor = 90 * 24 * time.Hour

// Run takes lines over until ctx ends: its own daemon's at once, those of the
// others every few seconds, however much its own writes and however long one of
// them does not answer.
func (l *Ledger) Run(ctx context.Context, own string) error {
	var pruned, asked time.Time
	var round sync.WaitGroup
	defer round.Wait()
	l.own = own
	free := make(chan struct{}, 1)
	for turn := 0; ctx.Err() == nil; {
		sources := l.Sources()
		l.tryTake(ctx, own, sources[own])
		if time.Since(asked) >= cmp.Or(l.Pace, 3*time.Second) {
			select {
			case free <- struct{}{}:
				asked = time.Now()
				all := turn%3 == 0
				turn++
				round.Go(func() { l.round(ctx, sources, all); <-free })
			default: // the last round is still under way
			}
		}
		if l.Clock().Sub(pruned) > time.Hour {
			if gone, err := l.Index.Prune(ctx, l.Clock().Add(-keepFor), 10_000); err == nil && gone < 10_000 {
				pruned = l.Clock()
			}
		}
		select {
		case <-ctx.Done():
		case <-l.wake:
			pause(ctx, 100*time.Millisecond) // for more to gather
		case <-time.After(time.Second):
		}
	}
	return nil
}

const (
	atOnce   = 8 // daemons that are asked at the same time
	perRound = 4 // parts of one log in one round
)

// round asks each of the others once; the nodes, of which there are many, only
// when all are meant.
func (l *Ledger) round(ctx context.Context, sources map[string]Source, all bool) {
	each(sources, func(name string, s Source) {
		if name != l.own && (all || !isNode(name)) && ctx.Err() == nil {
			l.tryTake(ctx, name, s)
		}
	})
}

// each calls f for all sources, some at a time, and returns when all are done.
func each(sources map[string]Source, f func(name string, s Source)) {
	var wg sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for name, s := range sources {
		places <- struct{}{}
		wg.Go(func() { f(name, s); <-places })
	}
	wg.Wait()
}

func isNode(daemon string) bool {
	who, err := pki.Parse(daemon)
	return err == nil && who.Role == pki.Nodectl
}

func (l *Ledger) tryTake(ctx context.Context, name string, s Source) {
	if s == nil {
		return
	}
	if err := l.Take(ctx, name, s); err != nil && ctx.Err() == nil && fault.KindOf(err) != fault.Later {
		l.Log.Error("an audit log cannot be taken over", "of", name, "err", err)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// Take takes over what one daemon has written since, some of it if there is
// much and the daemon is another one: none keeps the rest waiting.
func (l *Ledger) Take(ctx context.Context, name string, s Source) error {
	for n := 1; ; n++ {
		more, err := l.part(ctx, name, s)
		if err != nil || !more || n == perRound && name != l.own {
			return err
		}
	}
}

// part takes one part of a log over.
func (l *Ledger) part(ctx context.Context, name string, s Source) (more bool, err error) {
	heads, err := l.Index.HeadsOf(ctx, name)
	if err != nil {
		return false, err
	}
	head, known := l.headOf(heads, name)
	p, err := s.After(ctx, audit.Head{Seq: uint64(head.Seq), Hash: head.Hash})
	switch {
	case fault.CodeOf(err) == audit.Cut.Code:
		return false, l.wasCut(ctx, name, head, known, s)
	case err != nil:
		return false, err
	case known && p.Log != head.Log: // a new log in place of the old one
		id := p.Log
		head = store.AuditHead{Log: id}
		for _, h := range heads {
			if h.Log == id {
				head = h
			}
		}
		if p, err = s.After(ctx, audit.Head{Seq: uint64(head.Seq), Hash: head.Hash}); err != nil {
			return false, err
		}
		if p.Log != id {
			return false, wrongForm(name, "it is the log %.100q, and then %.100q", id, p.Log)
		}
	}
	if err := l.owns(ctx, name, p.Log); err != nil {
		return false, err
	}
	l.remember(name, p.Log)
	head.Log, head.Daemon = p.Log, name
	return p.More, l.add(ctx, head, p)
}

// owns refuses the id of a log that is none, or is that of another daemon.
func (l *Ledger) owns(ctx context.Context, daemon, id string) error {
	if !logForm(id) {
		return wrongForm(daemon, "%.100q is no log", id)
	}
	h, err := l.Index.Head(ctx, id)
	if err == nil && h != nil && h.Daemon != daemon {
		err = wrongForm(daemon, "the log %s is that of %s", id, h.Daemon)
	}
	return err
}

func (l *Ledger) remember(name, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids[name] = id
}

// headOf returns how far the log of a daemon was taken over: of the one that it
// last answered with, else the newest.
func (l *Ledger) headOf(heads []store.AuditHead, name string) (head store.AuditHead, known bool) {
	l.mu.Lock()
	id := l.ids[name]
	l.mu.Unlock()
	for _, h := range heads {
		if h.Daemon == name && (h.Log == id || id == "" && (!known || h.Seen.After(head.Seen))) {
			head, known = h, true
		}
	}
	return head, known
}

// wasCut notes that a log has lost lines that were seen, and goes on with what
// it has now. A daemon whose folder is new has another log, which is no cut.
func (l *Ledger) wasCut(ctx context.Context, name string, head store.AuditHead, known bool, s Source) error {
	r, err := s.Verify(ctx, audit.Head{})
	if err != nil {
		return err
	}
	if err := l.owns(ctx, name, r.Log); err != nil {
		return err
	}
	l.remember(name, r.Log)
	if !known || r.Log != head.Log {
		return l.add(ctx, store.AuditHead{Log: r.Log, Daemon: name, Seen: l.Clock()}, audit.Part{Log: r.Log})
	}
	problem := fmt.Sprintf("line %d, which was seen, is gone or another one: the log ended with line %d at %s", head.Seq, r.Last.Seq, l.Clock().UTC().Format(time.RFC3339))
	l.Log.Error("an audit log was cut or changed", "of", name, "problem", problem)
	head.Problem, head.Seq, head.Hash, head.Seen = problem, int64(r.Last.Seq), r.Last.Hash, l.Clock()
	return l.Index.Add(ctx, head, nil)
}

// add writes a part into the index.
func (l *Ledger) add(ctx context.Context, head store.AuditHead, p audit.Part) error {
	if int64(p.Head.Seq) == head.Seq && len(p.Lines) == 0 && !head.Seen.IsZero() {
		return nil
	}
	rows, problem, err := read(head, p, l.Clock())
	if err != nil {
		problem = err.Error()
		p.Head = audit.Head{Seq: uint64(head.Seq), Hash: head.Hash} // it is asked again
	}
	if p.Pruned > 0 && head.Seq > 0 && problem == "" {
		problem = fmt.Sprintf("%d lines behind line %d were pruned before they were taken over", p.Pruned, head.Seq)
	}
	if problem != "" && head.Problem == "" {
		head.Problem = problem
		l.Log.Error("an audit log has what cannot be", "of", head.Daemon, "problem", problem)
	} else if err != nil {
		return err // nothing that is not written down already
	}
	head.Seq, head.Hash, head.Seen = int64(p.Head.Seq), p.Head.Hash, l.Clock()
	crash.Here("cloudctl.ledger.taken")
	return l.Index.Add(ctx, head, rows)
}

// row is a line as it is searched.
func row(log string, l *audit.Line, raw []byte) store.AuditLine {
	r := store.AuditLine{Log: log, Seq: int64(l.Seq), At: l.Time.UnixMicro(), Event: eventID(log, l.Seq), Account: l.Account, Name: userName(l),
		Key: cmp.Or(l.AccessKey, l.Claimed), Source: sourceOf(l.Service), Action: l.Action, Reads: l.Read, Code: l.Code, Request: l.RequestID, Body: raw}
	for _, arn := range l.On {
		if name, kind := resource(arn); name != "" {
			r.Resources = append(r.Resources, store.AuditResource{Name: name, Kind: kind})
		}
	}
	return r
}

// eventID names a line for ever, in the form of a UUID.
func eventID(log string, seq uint64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", log, seq))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// A Finding is what Verify says of one log.
type Finding struct {
	Daemon string
	Log    string
	Lines  uint64
	Last   uint64
	Failed string // it could not be looked at
	Ended  bool   // it is that of a node that is gone, or was set up anew
	Wrong  []string
}

// Verify lets each daemon check its own log, and holds it against what was
// taken over.
func (l *Ledger) Verify(ctx context.Context) ([]Finding, error) {
	heads, err := l.Index.Heads(ctx)
	if err != nil {
		return nil, err
	}
	var all []Finding
	var mu sync.Mutex
	looked := map[string]bool{}
	sources := l.Sources()
	each(sources, func(name string, s Source) {
		f, id := l.verify(ctx, heads, name, s)
		mu.Lock()
		defer mu.Unlock()
		all, looked[id] = append(all, f), true
	})
	for _, h := range heads {
		if looked[h.Log] {
			continue
		}
		f := Finding{Daemon: h.Daemon, Log: h.Log, Last: uint64(h.Seq)}
		if f.Ended = isNode(h.Daemon); !f.Ended {
			f.Failed = "the daemon does not have this log any more, or is gone"
		}
		if h.Problem != "" {
			f.Wrong = []string{h.Problem}
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.Daemon, b.Daemon), strings.Compare(a.Log, b.Log))
	})
	return all, nil
}

// verify looks at the log of one daemon, and returns the id of the one that was
// taken over.
func (l *Ledger) verify(ctx context.Context, heads []store.AuditHead, name string, s Source) (f Finding, id string) {
	head, known := l.headOf(heads, name)
	f = Finding{Daemon: name, Log: head.Log}
	r, err := s.Verify(ctx, audit.Head{Seq: uint64(head.Seq), Hash: head.Hash})
	if err != nil {
		f.Failed = fault.Of(err).Text
	} else {
		f.Log, f.Lines, f.Last, f.Wrong = r.Log, r.Lines, r.Last.Seq, r.Problems
		if known && r.Log != head.Log {
			f.Wrong = append(f.Wrong, fmt.Sprintf("it is another log than %s, which had %d lines", head.Log, head.Seq))
		}
	}
	if head.Problem != "" {
		f.Wrong = append(f.Wrong, head.Problem)
	}
	return f, head.Log
}
