package rest

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkObserved is what id, log line, metrics and deadlines cost a request.
func BenchmarkObserved(b *testing.B) {
	o := &Observer{Listener: "public", Log: NewLog(io.Discard, slog.LevelInfo), Metrics: NewMetrics()}
	h := o.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Label(r.Context(), "GetObject")
		Note(r.Context(), "account", "111111111111")
		w.WriteHeader(http.StatusOK)
	}), nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/bucket/key", nil))
	}
}
