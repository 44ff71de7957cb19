package index

import (
	"bytes"
	"context"

	"karri/shared/crash"
)

func markRow(name string) []byte { return append([]byte{markSpace}, name...) }

// Mark is Marks's.
func (s *Store) Mark(ctx context.Context, name string) ([]byte, error) {
	b, err := s.engine.get(ctx, markRow(name))
	if err == nil {
		err = s.engine.durable(ctx)
	}
	return b, err
}

// SetMark is Marks's.
func (s *Store) SetMark(ctx context.Context, name string, old, mark []byte) error {
	t, err := s.engine.begin(ctx, lock{kind: keyLock, name: "\x00mark " + name})
	if err != nil {
		return err
	}
	defer t.end()
	now, err := t.get(ctx, markRow(name))
	switch {
	case err != nil:
		return err
	case (now == nil) != (old == nil) || !bytes.Equal(now, old):
		return Moved
	case mark == nil:
		t.unset(markRow(name))
	default:
		t.set(markRow(name), mark)
	}
	crash.Here("walrus.index.mark")
	return t.commit(ctx, false)
}
