package account

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"karri/cloudctl/store"
)

func TestAKeysUseIsWrittenOnceAnHour(t *testing.T) {
	b := open(t)
	_, key, err := b.Create(t.Context(), "physics")
	if err != nil {
		t.Fatal(err)
	}
	u := &Usage{Store: b.Store, Log: slog.New(slog.DiscardHandler)}
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	used := func(after time.Duration, service string) (at time.Time, by string) {
		t.Helper()
		u.Note(key.AccessKey, service, "us-east-1", start.Add(after))
		u.Note("AKIAGONE", service, "us-east-1", start.Add(after))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		u.Run(ended)
		err := b.Store.View(t.Context(), func(tx *store.Tx) error {
			k, err := tx.AccessKey(key.AccessKey)
			if err == nil {
				at, by = *k.Used, k.UsedService
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return at.UTC(), by
	}
	for _, c := range []struct {
		after   time.Duration
		service string
		at      time.Duration
		by      string
	}{
		{0, "ec2", 0, "ec2"},
		{59 * time.Minute, "ec2", 0, "ec2"},
		{59 * time.Minute, "s3", 59 * time.Minute, "s3"},
		{60 * time.Minute, "ec2", 60 * time.Minute, "ec2"},
		{61 * time.Minute, "s3", 60 * time.Minute, "ec2"},
	} {
		if at, by := used(c.after, c.service); !at.Equal(start.Add(c.at)) || by != c.by {
			t.Errorf("after %v of %s: %v, %s", c.after, c.service, at, by)
		}
	}
	(*Usage)(nil).Note(key.AccessKey, "ec2", "us-east-1", start) // nobody keeps it
}

func BenchmarkNote(b *testing.B) {
	u := &Usage{}
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		u.Note("AKIAIOSFODNN7EXAMPLE", "ec2", "us-east-1", now)
	}
}
