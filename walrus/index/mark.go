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
	return s.change(ctx, scope{locks: []lock{{kind: keyLock, name: "\x00mark " + name}}}, func(c *change) error {
		now, err := c.get(ctx, markRow(name))
		switch {
		case err != nil:
			return err
		case (now == nil) != (old == nil) || !bytes.Equal(now, old):
			return Moved
		case mark == nil:
			c.unset(markRow(name))
		default:
			c.set(markRow(name), mark)
		}
		crash.Here("walrus.index.mark")
		return nil
	})
}
