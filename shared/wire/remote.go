package wire

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"karri/shared/fault"
	"karri/shared/rest"
)

const (
	askWait = 20 * time.Second // how long an Ask waits for news before it returns what was seen
	askMost = 60 * time.Second
)

// told is the body of PUT /v1/orders, and shown the answer of GET /v1/report.
type told struct {
	Gen uint64 `json:"gen"`
	Change
}

type shown struct {
	Version  uint64 `json:"version"`
	Accepted uint64 `json:"accepted"`
	Change
}

// Serve adds the two routes of a Peer to an internal API, for the tier above:
// PUT /v1/orders writes to the book, GET /v1/report reads from the board.
func Serve[Orders, Report any](in *rest.Internal, above rest.Allow, book *Book[Orders], board *Board[Report]) {
	in.Handle("PUT", "/v1/orders", above, func(w http.ResponseWriter, r *http.Request) error {
		var t told
		if err := rest.Read(r, &t); err != nil {
			return err
		}
		if err := book.Accept(r.Context(), t.Gen, t.Change); err != nil {
			return err
		}
		return rest.JSON(w, struct{}{})
	})
	in.Handle("GET", "/v1/report", above, func(w http.ResponseWriter, r *http.Request) error {
		q := r.URL.Query()
		since, err1 := number(q, "since")
		base, err2 := number(q, "base")
		wait, err3 := number(q, "wait")
		if err1 != nil || err2 != nil || err3 != nil {
			return fault.New(fault.Invalid, "BadRequest", "since, base and wait are numbers.")
		}
		ctx, cancel := context.WithTimeout(r.Context(), min(time.Duration(min(wait, 3600))*time.Second, askMost))
		defer cancel()
		board.Wait(ctx, since, rest.Draining(r.Context()))
		// The generation is read first: what the report shows is then at
		// least as new as what it says was accepted.
		s := shown{Accepted: book.Accepted()}
		s.Change, s.Version = board.since(base)
		return rest.JSON(w, s)
	})
}

func number(q url.Values, name string) (uint64, error) {
	if q.Get(name) == "" {
		return 0, nil
	}
	return strconv.ParseUint(q.Get(name), 10, 64)
}

// remote is a Peer over REST. It remembers what the other side holds, to send
// and to be sent differences.
type remote[Orders, Report any] struct {
	c *rest.Client

	telling sync.Mutex
	told    doc
	toldSum string

	asking sync.Mutex
	seen   doc
	seenAt uint64
}

// Dial returns the Peer that c speaks to. An Ask that waits returns what was
// seen last when there is no news for 20 seconds, so that silence and rest can
// be told apart.
func Dial[Orders, Report any](c *rest.Client) Peer[Orders, Report] {
	return &remote[Orders, Report]{c: c}
}

// Tell implements Peer.
func (p *remote[Orders, Report]) Tell(ctx context.Context, gen uint64, o Orders) error {
	to, err := toDoc(o)
	if err != nil {
		return err
	}
	p.telling.Lock()
	defer p.telling.Unlock()
	change := p.told.diff(p.toldSum, to)
	err = p.c.Call(ctx, http.MethodPut, "/v1/orders", nil, told{gen, change}, nil)
	if err != nil && fault.CodeOf(err) == errBase.Code && p.toldSum != "" {
		err = p.c.Call(ctx, http.MethodPut, "/v1/orders", nil, told{gen, doc(nil).diff("", to)}, nil)
	}
	if err != nil {
		return err
	}
	p.told, p.toldSum = to, change.Sum
	return nil
}

// Ask implements Peer.
func (p *remote[Orders, Report]) Ask(ctx context.Context, since uint64) (Seen[Report], error) {
	p.asking.Lock()
	defer p.asking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, askWait+10*time.Second)
	defer cancel()
	s, err := p.ask(ctx, since, p.seenAt)
	if err != nil {
		return Seen[Report]{}, err
	}
	to, err := p.seen.apply(s.Change)
	if err != nil { // what we hold is not what the other side takes it for
		if s, err = p.ask(ctx, 0, 0); err != nil {
			return Seen[Report]{}, err
		}
		if to, err = p.seen.apply(s.Change); err != nil {
			return Seen[Report]{}, err
		}
	}
	r, err := fromDoc[Report](to)
	if err != nil {
		return Seen[Report]{}, err
	}
	p.seen, p.seenAt = to, s.Version
	return Seen[Report]{Version: s.Version, Accepted: s.Accepted, Report: r}, nil
}

func (p *remote[Orders, Report]) ask(ctx context.Context, since, base uint64) (s shown, err error) {
	q := url.Values{"since": {strconv.FormatUint(since, 10)}, "base": {strconv.FormatUint(base, 10)},
		"wait": {strconv.Itoa(int(askWait / time.Second))}}
	return s, p.c.Call(ctx, http.MethodGet, "/v1/report", q, nil, &s)
}

// local is a Peer in the same process.
type local[Orders, Report any] struct {
	book  *Book[Orders]
	board *Board[Report]
}

// Local returns the Peer that serves from book and board without a network.
func Local[Orders, Report any](book *Book[Orders], board *Board[Report]) Peer[Orders, Report] {
	return local[Orders, Report]{book, board}
}

// Tell implements Peer.
func (p local[Orders, Report]) Tell(ctx context.Context, gen uint64, o Orders) error {
	return p.book.Tell(ctx, gen, o)
}

// Ask implements Peer.
func (p local[Orders, Report]) Ask(ctx context.Context, since uint64) (Seen[Report], error) {
	wait, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	p.board.Wait(wait, since, nil)
	if err := ctx.Err(); err != nil {
		return Seen[Report]{}, err
	}
	accepted := p.book.Accepted()
	d, version := p.board.whole()
	r, err := fromDoc[Report](d) // a copy: the asker may do with it what it likes
	return Seen[Report]{Version: version, Accepted: accepted, Report: r}, err
}

func (b *Board[Report]) whole() (doc, uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.doc, b.version
}
