package rest

import (
	"context"
	"net/http"
	"net/http/pprof"
	"sync"
	"time"
)

// Admin is what a daemon tells the administrator of its host: GET /healthz (it
// lives), /readyz (it can do its work, check by check), /metrics and
// /debug/pprof/.
type Admin struct {
	mux    *http.ServeMux
	mu     sync.Mutex
	checks map[string]func(context.Context) error
}

// NewAdmin returns the admin API over m.
func NewAdmin(m *Metrics) *Admin {
	a := &Admin{mux: http.NewServeMux(), checks: map[string]func(context.Context) error{}}
	a.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		callOf(r.Context()).quiet = true
		_, _ = w.Write([]byte("ok\n"))
	})
	a.mux.HandleFunc("GET /readyz", a.ready)
	a.mux.Handle("GET /metrics", m.handler())
	a.mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	a.mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	a.mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	a.mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	a.mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return a
}

// Handle adds what a daemon offers beside.
func (a *Admin) Handle(pattern string, h http.Handler) { a.mux.Handle(pattern, h) }

// Check adds a condition for being ready. It has two seconds.
func (a *Admin) Check(name string, check func(context.Context) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.checks[name] = check
}

// Readiness is the answer of /readyz.
type Readiness struct {
	Ready  bool              `json:"ready"`
	Checks map[string]string `json:"checks"` // "ok", or what is wrong
}

func (a *Admin) ready(w http.ResponseWriter, r *http.Request) {
	callOf(r.Context()).quiet = true
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	a.mu.Lock()
	checks := make(map[string]func(context.Context) error, len(a.checks))
	for n, c := range a.checks {
		checks[n] = c
	}
	a.mu.Unlock()
	out, status := Readiness{Ready: true, Checks: map[string]string{}}, http.StatusOK
	for n, c := range checks {
		out.Checks[n] = "ok"
		if err := c(ctx); err != nil {
			out.Ready, out.Checks[n], status = false, err.Error(), http.StatusServiceUnavailable
		}
	}
	writeJSON(w, status, out)
}

// ServeHTTP implements http.Handler.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	Label(r.Context(), "admin")
	callOf(r.Context()).quiet = true
	a.mux.ServeHTTP(w, r)
}
