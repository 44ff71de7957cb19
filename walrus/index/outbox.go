package index

import (
	"context"
	"encoding/json"
)

// Lines is Outbox's.
func (s *Store) Lines(ctx context.Context, most int) ([]Line, error) {
	var lines []Line
	err := scan(ctx, s.engine, []byte{lineSpace}, nil, func(rest, value []byte) (bool, error) {
		var l Line
		err := numbered(rest, value, &l.Seq, &l)
		lines = append(lines, l)
		return len(lines) < most, err
	})
	return lines, err
}

// numbered decodes a row of the outbox.
func numbered(rest, value []byte, seq *uint64, into any) (err error) {
	if *seq, err = number(rest); err != nil {
		return err
	}
	if err := json.Unmarshal(value, into); err != nil {
		return Damaged.Because(err)
	}
	return nil
}

// Line is Outbox's.
func (s *Store) Line(ctx context.Context, seq uint64) (Line, error) {
	l := Line{Seq: seq}
	return l, getJSON(ctx, s.engine, numberedRow(lineSpace, seq), NoSuchLine, &l)
}

// Claimed is Outbox's.
func (s *Store) Claimed(ctx context.Context, piece string) (bool, error) {
	found := false
	err := scan(ctx, s.engine, claims(piece), nil, func(_, _ []byte) (bool, error) {
		found = true
		return false, nil
	})
	return found, err
}

// Durable is Outbox's.
func (s *Store) Durable(ctx context.Context) error { return s.engine.durable(ctx) }

// Done is Outbox's. It is not synced: a line that comes back after a crash is
// worked off again.
func (s *Store) Done(ctx context.Context, seq uint64, inline []string) error {
	rows := [][]byte{numberedRow(lineSpace, seq)}
	for _, id := range inline {
		rows = append(rows, inlineRow(id))
	}
	return s.forget(ctx, rows)
}

func (s *Store) forget(ctx context.Context, rows [][]byte) error {
	return s.retry(ctx, func() error { return s.forgetOnce(ctx, rows) })
}

func (s *Store) forgetOnce(ctx context.Context, rows [][]byte) error {
	t, err := s.engine.begin(ctx, nil)
	if err != nil {
		return err
	}
	defer t.end()
	for _, r := range rows {
		t.unset(r)
	}
	return t.commit(ctx, true)
}
