package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/shared/audit"
)

const nodeName = "n1.us-east-1a.nodectl.karri"

// bent is a log whose answers are bent on their way.
type bent struct {
	own
	bend  func(*audit.Part)
	asked int
	fail  func(n int) error
}

func (b *bent) After(ctx context.Context, at audit.Head) (audit.Part, error) {
	b.asked++
	if b.fail != nil {
		if err := b.fail(b.asked); err != nil {
			return audit.Part{}, err
		}
	}
	p, err := b.own.After(ctx, at)
	if err == nil && b.bend != nil {
		b.bend(&p)
	}
	return p, err
}

// newNode is the log of a node, with some honest lines.
func newNode(t *testing.T, name string, lines int) *audit.Log {
	t.Helper()
	l, err := audit.Open(t.TempDir(), audit.Options{Daemon: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	noteNode(t, l, 1, lines)
	return l
}

func noteNode(t *testing.T, l *audit.Log, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		l.Note(&audit.Line{Time: time.Now(), Service: "internal", Action: "PUT /v1/orders", Kind: "component", RequestID: fmt.Sprint("n", i), Code: "NotForYou", Text: "no <a> & b"})
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// changed bends the second line of an answer.
func changed(how func(*audit.Line)) func(*audit.Part) {
	return func(p *audit.Part) {
		var l audit.Line
		if err := json.Unmarshal([]byte(p.Lines[1]), &l); err != nil {
			panic(err)
		}
		how(&l)
		b, _ := json.Marshal(l)
		p.Lines[1] = string(b)
	}
}

// lies are what a node may answer, how many of its four lines are believed, and
// what is found wrong.
var lies = map[string]struct {
	bend func(*audit.Part)
	rows int
	want string
}{
	"honest":             {func(*audit.Part) {}, 4, ""},
	"another daemon":     {changed(func(l *audit.Line) { l.Daemon = "cloudctl.karri" }), 3, "names \"cloudctl.karri\" as its daemon"},
	"another node":       {changed(func(l *audit.Line) { l.Daemon = "n2.us-east-1a.nodectl.karri" }), 3, "names \"n2."},
	"a user":             {changed(func(l *audit.Line) { l.Account = "111122223333" }), 3, "speaks of users"},
	"a decision":         {changed(func(l *audit.Line) { l.Decision = json.RawMessage(`{}`) }), 3, "speaks of users"},
	"a service":          {changed(func(l *audit.Line) { l.Service = "ec2" }), 3, "is about the service"},
	"the future":         {changed(func(l *audit.Line) { l.Time = time.Now().Add(1000 * time.Hour) }), 3, "is of the future"},
	"changed":            {changed(func(l *audit.Line) { l.Code = "Fine" }), 4, "does not follow from the line before"},
	"left out":           {func(p *audit.Part) { p.Lines = append(p.Lines[:1:1], p.Lines[2:]...) }, 3, ""}, // as one about data would be
	"changed at the end": {func(p *audit.Part) { p.Lines[3] = strings.Replace(p.Lines[3], "NotForYou", "ForYou", 1) }, 4, "is not the one that its hash"},
	"out of order":       {func(p *audit.Part) { p.Lines[1], p.Lines[2] = p.Lines[2], p.Lines[1] }, 0, "cannot be"},
	"twice":              {func(p *audit.Part) { p.Lines[1] = p.Lines[0] }, 0, "cannot be"},
	"beyond the end":     {func(p *audit.Part) { p.Head.Seq = 3 }, 0, "cannot be"},
	"no line":            {func(p *audit.Part) { p.Lines[2] = "x" }, 0, "cannot be"},
	"an endless line":    {func(p *audit.Part) { p.Lines[2] = strings.Repeat(" ", longest) + p.Lines[2] }, 0, "cannot be"},
	"no hash":            {func(p *audit.Part) { p.Head.Hash = "x" }, 0, "cannot be"},
	"backwards":          {func(p *audit.Part) { p.Head = audit.Head{}; p.Lines = nil; p.More = true }, 0, ""},
}

// Whatever a node says that it has not written itself is not believed, and
// shows; what is its own is there all the same.
func TestANodeSpeaksForItselfAlone(t *testing.T) {
	w := open(t)
	w.note(3)
	w.take()
	walrus := w.log.ID()
	for name, c := range lies {
		t.Run(name, func(t *testing.T) {
			daemon := strings.ReplaceAll(name, " ", "-") + ".us-east-1a.nodectl.karri"
			s := &bent{own: own{newNode(t, daemon, 4)}, bend: c.bend}
			_ = w.Take(t.Context(), daemon, s)
			n := w.of(s.ID())
			heads, err := w.Index.HeadsOf(t.Context(), daemon)
			if err != nil || n != c.rows || len(heads) != 1 || !strings.Contains(heads[0].Problem, c.want) || (c.want == "") != (heads[0].Problem == "") {
				t.Errorf("%d lines, %+v, %v", n, heads, err)
			}
			if s.asked > perRound+1 {
				t.Errorf("it was asked %d times in one round", s.asked)
			}
		})
	}
	for name, id := range map[string]string{"that of walrus": walrus, "none": "x/../y", "empty": ""} {
		s := &bent{own: own{newNode(t, nodeName, 2)}, bend: func(p *audit.Part) { p.Log = id }}
		if err := w.Take(t.Context(), nodeName, s); err == nil {
			t.Errorf("a node has the log %q: %s", id, name)
		}
	}
	if h, err := w.Index.Head(t.Context(), walrus); err != nil || h.Daemon != "walrus.karri" || h.Seq != 3 {
		t.Errorf("walrus' own: %+v, %v", h, err)
	}
}

// of counts the lines of a log.
func (w *world) of(log string) (n int) {
	w.t.Helper()
	rows, err := w.Index.Find(w.t.Context(), store.Search{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range rows {
		if r.Log == log {
			n++
		}
	}
	return n
}

// However the answers and the process that takes them over are cut off, each
// line is there once in the end.
func TestLinesOfANodeAreNeitherLostNorDoubled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.db")
	node := newNode(t, nodeName, 0)
	s := &bent{own: own{node}, fail: func(n int) error {
		if n%3 == 0 {
			return errors.New("cut off")
		}
		return nil
	}}
	// Small parts, whatever After found.
	s.bend = func(p *audit.Part) {
		if len(p.Lines) > 7 {
			var l audit.Line
			_ = json.Unmarshal([]byte(p.Lines[7]), &l)
			p.Lines, p.Head, p.More = p.Lines[:7], audit.Head{Seq: l.Seq - 1, Hash: l.Prev}, true
		}
	}
	total := 0
	start := func() (*world, *store.Index) {
		x, err := store.OpenIndex(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		w := open(t)
		w.Ledger.Index = x
		return w, x
	}
	for turn := range 12 {
		w, x := start() // each turn is a new start of cloudctl
		noteNode(t, node, total+1, total+20)
		total += 20
		_ = w.Take(t.Context(), nodeName, s)
		if turn%4 == 1 { // killed between the answer and its end: it is taken again from before
			p, err := node.After(audit.Head{})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.add(t.Context(), store.AuditHead{Log: p.Log, Daemon: nodeName}, p); err != nil {
				t.Fatal(err)
			}
		}
		x.Close()
	}
	w, x := start()
	defer x.Close()
	s.fail = nil
	for range 10 {
		if err := w.Take(t.Context(), nodeName, s); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := x.Find(t.Context(), store.Search{})
	seen := map[string]int{}
	for _, r := range rows {
		seen[r.Request]++
	}
	if h, bad := x.HeadsOf(t.Context(), nodeName); err != nil || bad != nil || len(rows) != total || len(seen) != total || len(h) != 1 || h[0].Problem != "" {
		t.Errorf("%d rows of %d requests, want %d: %v, %+v, %v", len(rows), len(seen), total, err, h, bad)
	}
}

// A node that does not answer keeps no other waiting.
func TestANodeThatHangsKeepsNoLogWaiting(t *testing.T) {
	w := open(t)
	w.note(1)
	release := make(chan struct{})
	defer close(release)
	w.Pace = time.Millisecond
	hang := &bent{own: own{w.log}, fail: func(int) error { <-release; return errors.New("late") }}
	other := newNode(t, "n2.us-east-1a.nodectl.karri", 5)
	mine := newNode(t, "cloudctl.karri", 0)
	w.Sources = func() map[string]Source {
		return map[string]Source{"cloudctl.karri": own{mine}, nodeName: hang, "n2.us-east-1a.nodectl.karri": own{other}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, "cloudctl.karri") }()
	until(t, "the lines of the other node", func() bool { return w.count(store.Search{Request: "n5"}) == 1 })
	noteNode(t, mine, 77, 77)
	w.Nudge()
	until(t, "the line of the own log", func() bool { return w.count(store.Search{Request: "n77"}) == 1 })
	cancel()
	release <- struct{}{}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// FuzzRead gives what a daemon may answer: it is refused, or each row is a line
// of that daemon, behind the last one.
func FuzzRead(f *testing.F) {
	f.Add(`{"seq":2,"prev":"","time":"2026-01-02T03:04:05Z","daemon":"`+nodeName+`","service":"internal","action":"x","request":"r"}`, uint64(2), strings.Repeat("0", 64))
	f.Add(`{"seq":2,"daemon":"cloudctl.karri","account":"1"}`, uint64(3), "")
	f.Add(`{"SEQ":18446744073709551615}`, uint64(1<<63), "zz")
	f.Fuzz(func(t *testing.T, line string, seq uint64, hash string) {
		head := store.AuditHead{Log: strings.Repeat("a", 20), Daemon: nodeName, Seq: 1}
		rows, _, err := read(head, audit.Part{Log: head.Log, Lines: []string{line}, Head: audit.Head{Seq: seq, Hash: hash}}, time.Now())
		if err != nil && len(rows) > 0 {
			t.Error("refused, and taken over")
		}
		for _, r := range rows {
			if r.Account != "" || r.Seq <= 1 || uint64(r.Seq) > seq || r.Source != "internal.karri" && r.Source != "audit.karri" {
				t.Errorf("%+v", r)
			}
		}
	})
}
