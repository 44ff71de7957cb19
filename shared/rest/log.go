package rest

import (
	"context"
	"io"
	"log/slog"
)

// NewLog returns a logger of JSON lines that adds the request id of the
// context to each line that has none.
func NewLog(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(withID{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})})
}

type withID struct{ slog.Handler }

func (h withID) Handle(ctx context.Context, r slog.Record) error {
	named := false
	r.Attrs(func(a slog.Attr) bool {
		named = a.Key == "request_id"
		return !named
	})
	if id := RequestID(ctx); id != "" && !named {
		r.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h withID) WithAttrs(a []slog.Attr) slog.Handler { return withID{h.Handler.WithAttrs(a)} }
func (h withID) WithGroup(n string) slog.Handler      { return withID{h.Handler.WithGroup(n)} }
