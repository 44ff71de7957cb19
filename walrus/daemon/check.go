package daemon

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"karri/walrus/check"
)

// checking serves checks to the administrator of the host, one at a time: each
// line of the answer is a check.Line. The header keeps pages that a browser
// shows from asking.
func checking(plain check.Checker) http.Handler {
	var one sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Karri-Admin") == "" {
			http.Error(w, "the header X-Karri-Admin is missing", http.StatusForbidden)
			return
		}
		if !one.TryLock() {
			http.Error(w, "a check is under way already", http.StatusConflict)
			return
		}
		defer one.Unlock()
		q := r.URL.Query()
		c := plain
		c.Quick, c.Repair = q.Has("quick"), q.Has("repair")
		if age, err := time.ParseDuration(q.Get("orphan-age")); err == nil {
			c.OrphanAge = age
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		out, flush := json.NewEncoder(w), http.NewResponseController(w)
		c.Tell = func(l check.Line) {
			_ = out.Encode(l) // a client that went away ends the context
			_ = flush.Flush()
		}
		report, err := c.Run(r.Context())
		if err != nil {
			c.Tell(check.Line{Error: err.Error()})
			return
		}
		c.Tell(check.Line{Report: &report})
	})
}
