package rest

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestALineHasOneRequestID(t *testing.T) {
	var b bytes.Buffer
	ctx := WithRequestID(t.Context(), "11111111-aaaa")
	log := NewLog(&b, slog.LevelInfo)
	log.InfoContext(ctx, "audit", "account", "1", "request_id", "22222222-bbbb", "code", "ok")
	log.InfoContext(ctx, "request", "code", "ok")
	for i, line := range strings.SplitN(b.String(), "\n", 2) {
		want := []string{`"request_id":"22222222-bbbb"`, `"request_id":"11111111-aaaa"`}[i]
		if strings.Count(line, "request_id") != 1 || !strings.Contains(line, want) {
			t.Errorf("want %s: %s", want, line)
		}
	}
}
