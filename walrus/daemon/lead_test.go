package daemon

import (
	"log/slog"
	"testing"
	"time"

	"karri/walrus/index"
)

func TestOneLeads(t *testing.T) {
	x, err := index.OpenInMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	a, b := newLead(x, slog.Default()), newLead(x, slog.Default())
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	want := func(what string, l *lead, want bool) {
		t.Helper()
		if ours, err := l.take(t.Context(), now); err != nil || ours != want {
			t.Errorf("%s: %v %v", what, ours, err)
		}
	}
	want("the first", a, true)
	want("another", b, false)
	now = now.Add(term - time.Second)
	want("renewed", a, true)
	now = now.Add(term - time.Second)
	want("still held", b, false)
	now = now.Add(time.Second)
	want("when it ran out", b, true)
	want("the first, late", a, false)
	a.yield(t.Context()) // what it wrote is not there any more
	want("another, still", b, true)
	b.yield(t.Context())
	want("when it was given up", a, true)
}
