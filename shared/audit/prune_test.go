package audit

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/shared/crash/crashtest"
	"karri/shared/fault"
)

const day = 24 * time.Hour

// clock is a time that the test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// write notes lines of the clock's time.
func (c *clock) write(t testing.TB, l *Log, n int) {
	t.Helper()
	for i := range n {
		x := line(i)
		x.Time = c.now()
		l.Note(x)
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func verified(t *testing.T, dir string, known ...Head) Report {
	t.Helper()
	r, err := Verify(dir, known...)
	if err != nil || len(r.Problems) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	return r
}

func TestLinesGoByTheirAgeAndTheChainIsWhole(t *testing.T) {
	dir := t.TempDir()
	c := &clock{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	o := Options{Age: 10 * day, Clock: c.now}
	l := open(t, dir, o)
	var heads []Head
	for range 30 {
		c.write(t, l, 3)
		heads = append(heads, l.written)
		c.pass(day)
	}
	if err := l.Close(); err != nil { // it ends what it does
		t.Fatal(err)
	}
	l = open(t, dir, Options{Clock: c.now})
	r := verified(t, dir, heads...)
	if r.First < 40 || r.First > 75 {
		t.Errorf("the oldest line is %d of %d", r.First, r.Last.Seq)
	}
	p, err := l.After(heads[0])
	if err != nil || p.Pruned != r.First-heads[0].Seq-1 || len(p.Lines) == 0 {
		t.Errorf("%d lines were pruned before they were read, of %+v: %d, %v", p.Pruned, r, len(p.Lines), err)
	}
	if p, err := l.After(heads[len(heads)-2]); err != nil || p.Pruned != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := l.After(Head{}); err != nil || len(p.Lines) == 0 {
		t.Errorf("from the beginning: %+v, %v", p, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// Idle for long, and opened again: what is old goes all the same.
	c.pass(100 * day)
	l = open(t, dir, o)
	c.write(t, l, 1)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if r := verified(t, dir, heads...); r.First <= heads[len(heads)-2].Seq {
		t.Errorf("the oldest line is %d of %d", r.First, r.Last.Seq)
	}
}

// pruned makes a folder with a log that was pruned.
func pruned(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	l := open(t, dir, Options{Segment: 1000, Keep: 20_000})
	fill(t, l, 1, 100)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	verified(t, dir)
	return dir
}

// Who removes the beginning of a log cannot have pruned it unless the log says so.
func TestABeginningThatWasNotPrunedShows(t *testing.T) {
	for name, tamper := range map[string]func(t *testing.T, dir string, all []segment){
		"removed": func(t *testing.T, _ string, all []segment) {
			if err := os.Remove(all[0].path); err != nil {
				t.Fatal(err)
			}
		},
		"removed, and the anchor moved": func(t *testing.T, dir string, all []segment) {
			b, err := endOf(all[0].path)
			if err != nil {
				t.Fatal(err)
			}
			v := visit{line: b}
			if err := os.WriteFile(filepath.Join(dir, anchorFile), []byte(`{"seq":`+strings.TrimLeft(strings.TrimSuffix(filepath.Base(all[1].path), ".log"), "0")+`,"hash":"`+v.hash()+`"}`), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(all[0].path); err != nil {
				t.Fatal(err)
			}
		},
		"no anchor": func(t *testing.T, dir string, _ []segment) {
			if err := os.Remove(filepath.Join(dir, anchorFile)); err != nil {
				t.Fatal(err)
			}
		},
		"rubbish": func(t *testing.T, dir string, _ []segment) {
			if err := os.WriteFile(filepath.Join(dir, anchorFile), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"changed": func(t *testing.T, _ string, all []segment) {
			b, err := os.ReadFile(all[0].path)
			if err != nil {
				t.Fatal(err)
			}
			b = bytes.Replace(b, []byte(`"prev":"`), []byte(`"prev":"0`), 1)
			if err := os.WriteFile(all[0].path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		dir := pruned(t)
		all, err := segments(dir)
		if err != nil || len(all) < 3 {
			t.Fatal(all, err)
		}
		tamper(t, dir, all)
		if r, err := Verify(dir); err != nil || len(r.Problems) == 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestALogWithoutItsLineIsCutNotPruned(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{Segment: 1000})
	defer l.Close()
	fill(t, l, 1, 40)
	p, err := l.After(Head{})
	if err != nil {
		t.Fatal(err)
	}
	var at Line
	fill(t, l, 41, 60)
	all, err := segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all[:len(all)-2] {
		if err := os.Remove(s.path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.After(p.Head); fault.CodeOf(err) != Cut.Code {
		t.Errorf("%v %v", err, at)
	}
}

const childMark = "KARRI_TEST_AUDIT"

// TestMain runs the tests, or is a daemon with a log when a test started it.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childMark); dir != "" {
		l, err := Open(dir, Options{Daemon: "cloudctl.karri", Segment: 1000, Age: 10 * day})
		if err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		x := line(1)
		x.Time = time.Now()
		l.Note(x)
		if err := l.Close(); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A process that is killed while it prunes leaves a whole log, and the next one
// brings it to its end.
func TestPruningIsCutOffAtEachPoint(t *testing.T) {
	for _, at := range crashtest.Points(t, ".") {
		dir := t.TempDir()
		c := &clock{at: time.Now().Add(-30 * day)}
		l := open(t, dir, Options{Segment: 1000})
		for range 20 {
			c.write(t, l, 2)
		}
		head := l.written
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		child := func(at string) (code int, out string) {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), childMark+"="+dir, "KARRI_CRASH_AT="+at)
			b, _ := cmd.CombinedOutput()
			return cmd.ProcessState.ExitCode(), string(b)
		}
		if code, out := child(at); code != 137 {
			t.Errorf("%s is not passed: %d %s", at, code, out)
		}
		verified(t, dir, head)
		if code, out := child(""); code != 0 {
			t.Errorf("after %s: %d %s", at, code, out)
		}
		if r := verified(t, dir, head); r.First <= 30 || r.Last.Seq < 41 {
			t.Errorf("after %s: %+v", at, r)
		}
	}
}

func FuzzAnchor(f *testing.F) {
	f.Add([]byte(`{"seq":3,"hash":"` + strings.Repeat("0", 64) + `"}`))
	f.Add([]byte(`{"seq":-1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := parseAnchor(b); err == nil && (a.Seq == 0 || len(a.Hash) != 64) {
			t.Errorf("%+v", a)
		}
	})
}
