package rest

import (
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"karri/shared/fault"
)

// A Handler serves a request, or returns why it cannot. It must not have
// begun an answer when it returns an error.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Router finds the handler of a method and a path. Paths are taken as they
// came, neither decoded nor cleaned, so that a key with // or %2F is itself.
type Router struct {
	mux   *mux.Router
	fault func(w http.ResponseWriter, r *http.Request, err error)
}

// NewRouter returns a router whose errors are answered by answer; Fault when nil.
func NewRouter(answer func(w http.ResponseWriter, r *http.Request, err error)) *Router {
	if answer == nil {
		answer = Fault
	}
	rt := &Router{mux: mux.NewRouter().UseEncodedPath().SkipClean(true), fault: answer}
	rt.mux.NotFoundHandler = rt.serve(func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.Missing, "NoSuchRoute", "There is nothing at this path.")
	})
	rt.mux.MethodNotAllowedHandler = rt.serve(func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.Invalid, "NoSuchMethod", "This method is not served at this path.")
	})
	return rt
}

// Handle serves method at pattern, e.g. /v1/instances/{id}/console or
// /{bucket}/{key:.+}.
func (rt *Router) Handle(method, pattern string, h Handler) {
	serve := rt.serve(h)
	rt.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if callOf(r.Context()).route == "" {
			Label(r.Context(), pattern)
		}
		serve(w, r)
	}).Methods(method)
}

func (rt *Router) serve(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			rt.fault(w, r, err)
		}
	}
}

// ServeHTTP implements http.Handler.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) { rt.mux.ServeHTTP(w, r) }

// Var returns the part of the path that {name} stands for, decoded.
func Var(r *http.Request, name string) string {
	raw := mux.Vars(r)[name]
	if s, err := url.PathUnescape(raw); err == nil {
		return s
	}
	return raw
}
