package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/shared/fault"
)

func open(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	o.Daemon = "cloudctl.karri"
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func line(n int) *Line {
	return &Line{Time: time.Unix(int64(n), 0), Service: "ec2", Action: fmt.Sprint("Do", n), Account: "111122223333", ARN: "arn:aws:iam::111122223333:user/a",
		Source: "10.0.0.1", Agent: "aws-cli/2", On: []string{"arn:aws:ec2:::x"}, RequestID: fmt.Sprint("r", n)}
}

func fill(t testing.TB, l *Log, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		l.Note(line(i))
		if i%7 == 0 {
			if err := l.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// whole checks the chain and its length.
func whole(t *testing.T, dir string, lines uint64, known ...Head) {
	t.Helper()
	r, err := Verify(dir, known...)
	if err != nil || len(r.Problems) > 0 || r.Lines != lines {
		t.Errorf("%+v, %v; want %d lines", r, err, lines)
	}
}

func TestALogGoesOnAndIsWhole(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{Segment: 1000})
	fill(t, l, 1, 40)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	whole(t, dir, 40)
	l = open(t, dir, Options{Segment: 1000})
	fill(t, l, 41, 50)
	head := l.written
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	whole(t, dir, 50, head)
	if all, err := segments(dir); err != nil || len(all) < 4 {
		t.Errorf("%d segments, %v", len(all), err)
	}
}

func TestALineThatWasHalfWrittenIsTakenOff(t *testing.T) {
	for cutAt := 1; cutAt < 60; cutAt += 7 {
		dir := t.TempDir()
		l := open(t, dir, Options{})
		fill(t, l, 1, 3)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		all, _ := segments(dir)
		if err := os.Truncate(all[0].path, all[0].size-int64(cutAt)); err != nil {
			t.Fatal(err)
		}
		l = open(t, dir, Options{})
		fill(t, l, 4, 5)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		whole(t, dir, 4)
	}
}

// Whatever is done to a line in the middle shows, and so does what is done to
// the end for whoever remembers a line.
func TestTamperingShows(t *testing.T) {
	for name, tamper := range map[string]func([][]byte) [][]byte{
		"change": func(l [][]byte) [][]byte { l[4] = bytes.Replace(l[4], []byte("Do5"), []byte("Do6"), 1); return l },
		"remove": func(l [][]byte) [][]byte { return slices.Delete(l, 4, 5) },
		"remove head": func(l [][]byte) [][]byte {
			l[0] = bytes.Replace(l[0], []byte("10.0.0.1"), []byte("10.0.0.2"), 1)
			return l
		},
		"reorder":    func(l [][]byte) [][]byte { l[4], l[5] = l[5], l[4]; return l },
		"repeat":     func(l [][]byte) [][]byte { return slices.Insert(l, 4, l[4]) },
		"insert":     func(l [][]byte) [][]byte { return slices.Insert(l, 4, []byte(`{"seq":5,"prev":"00"}`)) },
		"rubbish":    func(l [][]byte) [][]byte { l[4] = []byte("rubbish"); return l },
		"cut":        func(l [][]byte) [][]byte { return l[:9] },
		"change end": func(l [][]byte) [][]byte { l[9] = bytes.Replace(l[9], []byte("Do10"), []byte("Do11"), 1); return l },
		"empty":      func([][]byte) [][]byte { return nil },
	} {
		dir := t.TempDir()
		l := open(t, dir, Options{})
		fill(t, l, 1, 10)
		head := l.written
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		all, _ := segments(dir)
		b, err := os.ReadFile(all[0].path)
		if err != nil {
			t.Fatal(err)
		}
		lines := tamper(bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")))
		b = append(bytes.Join(lines, []byte("\n")), '\n')
		if err := os.WriteFile(all[0].path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := Verify(dir, head); err != nil || len(r.Problems) == 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestARewrittenLogIsNotTheOneThatWasRead(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	l := open(t, dir, Options{})
	fill(t, l, 1, 10)
	p, err := l.After(Head{})
	if err != nil || len(p.Lines) != 10 || p.Head.Seq != 10 {
		t.Fatal(p, err)
	}
	if p, err = l.After(p.Head); err != nil || len(p.Lines) != 0 {
		t.Fatal(p, err)
	}
	fill(t, l, 11, 12)
	if p, err = l.After(p.Head); err != nil || len(p.Lines) != 2 || p.Head.Seq != 12 {
		t.Fatal(p, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// The same id, another story.
	id, _ := os.ReadFile(filepath.Join(dir, "id"))
	if err := os.WriteFile(filepath.Join(other, "id"), id, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{9, 12, 14} {
		forged := open(t, other, Options{})
		fill(t, forged, 100, 100+n-int(forged.seq)-1)
		if _, err := forged.After(p.Head); err != Cut {
			t.Errorf("with %d lines: %v", n, err)
		}
		if err := forged.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDataIsTakenOverOnlyWhereItWasRefused(t *testing.T) {
	l := open(t, t.TempDir(), Options{})
	defer l.Close()
	for i, x := range []Line{{Action: "GetObject", Data: true}, {Action: "GetObject", Data: true, Code: "AccessDenied"}, {Action: "CreateBucket"},
		{Action: "PutObject", Data: true, Agent: `,"code":"`}} {
		x.RequestID = fmt.Sprint(i)
		l.Note(&x)
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, err := l.After(Head{})
	if err != nil || len(p.Lines) != 2 || p.Head.Seq != 4 || !strings.Contains(string(p.Lines[0]), "AccessDenied") {
		t.Errorf("%s %v", p.Lines, err)
	}
}

func TestOldSegmentsGoAndTheRestIsWhole(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{Segment: 1000, Keep: 5000})
	fill(t, l, 1, 200)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Verify(dir)
	if err != nil || len(r.Problems) > 0 || r.First < 100 || r.Last.Seq < 200 || r.Lines != r.Last.Seq-r.First+1 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, Options{Segment: 20_000})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				l.Note(line(i))
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	whole(t, dir, 1600)
}

func TestALineIsReadAsItWasWritten(t *testing.T) {
	want := Line{Seq: 3, Prev: strings.Repeat("0", 64), Time: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Daemon: "d", Service: "s3", Action: "a", Data: true, Read: true,
		Kind: "user", Account: "1", ARN: "arn", ID: "AIDA", Name: "n", AccessKey: "AKIA", Claimed: "AKIB", Auth: "signature", MFA: true, For: "2", Source: "::1", Agent: "x\"\\\n\u007fé",
		On: []string{"a", "b"}, RequestID: "r", Code: "c", Text: "t", Decision: json.RawMessage(`{"a":[1]}`)}
	var got Line
	if err := json.Unmarshal(want.append(nil, [32]byte{}), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("ec2", "x\x00y", "\xff\n")
	f.Add(`,"code":"`, "é\u2028", strings.Repeat("é", 600))
	f.Fuzz(func(t *testing.T, service, agent, on string) {
		l := Line{Service: service, Agent: agent, On: []string{on}, Decision: json.RawMessage(agent)}
		b := l.append(nil, [32]byte{})
		var got Line
		if err := json.Unmarshal(b, &got); err != nil || bytes.ContainsAny(b, "\n\r") {
			t.Fatalf("%q: %v", b, err)
		}
		if want := strings.ToValidUTF8(cut(agent, maxAgent), ""); len(agent) <= maxAgent && strings.ReplaceAll(got.Agent, "\ufffd", "") != strings.ReplaceAll(want, "\ufffd", "") {
			t.Errorf("%q, want %q", got.Agent, agent)
		}
	})
}

// FuzzOpen opens a folder whose last segment is anything at all: it opens, or
// says why not, and goes on in a way that verifies where it did before.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"seq":1,"prev":"00"}` + "\n" + `{"se`))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%020d.log", 1)), b, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(dir, Options{})
		if err != nil {
			return
		}
		fill(t, l, 1, 1)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(dir); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCutIsAConflict(t *testing.T) {
	if fault.KindOf(Cut) != fault.Conflict {
		t.Error(fault.KindOf(Cut))
	}
}

// TestManyLinesAtOnceDoNotWaitForTheWriter notes a part of what may wait for the
// disk, which is what makes the writer hurry.
func TestManyLinesAtOnceDoNotWaitForTheWriter(t *testing.T) {
	l := open(t, t.TempDir(), Options{})
	defer l.Close()
	for size := 0; size <= maxWaiting/4; {
		x := line(1)
		x.Text = strings.Repeat("x", 100_000)
		l.Note(x)
		size += len(x.Text)
	}
	if err := l.Flush(t.Context()); err != nil || l.Lost() > 0 {
		t.Errorf("%d lines are lost, %v", l.Lost(), err)
	}
}

// What a request to walrus pays for its line.
func BenchmarkNote(b *testing.B) {
	l := open(b, b.TempDir(), Options{})
	defer l.Close()
	x := *line(1)
	b.ReportAllocs()
	for b.Loop() {
		l.Note(&x)
	}
	b.ReportMetric(float64(l.Lost()), "lost")
}
