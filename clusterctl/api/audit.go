package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"karri/clusterctl/store"
	"karri/shared/fault"
	"karri/shared/rest"
)

// maxLog bounds what a node may answer about its audit log: an honest one keeps
// far below.
const maxLog = 16 << 20

// nodeLog passes a question about the audit log of a node on to that node, and
// its answer back as it is. The connection is the proof that the node itself
// answers; that it speaks for itself alone is for cloudctl to check, who keeps
// how far the log was read. So nothing is kept here, and a crash of either side
// is a question that is asked again.
func (a *API) nodeLog(path string, limit time.Duration) rest.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		n, err := a.Store.NodeNamed(r.Context(), rest.Var(r, "name"))
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		query := url.Values{}
		for _, name := range []string{"after", "hash"} {
			if r.URL.Query().Has(name) {
				query.Set(name, r.URL.Query().Get(name))
			}
		}
		res, err := a.logs.client(n, a.Client).Do(ctx, rest.Request{Method: http.MethodGet, Path: path, Query: query})
		if err != nil {
			return err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(io.LimitReader(res.Body, maxLog+1))
		if err != nil {
			return fault.New(fault.Later, rest.PeerAway, "The answer of node %s was cut off.", n.Name).Because(err)
		}
		if len(body) > maxLog {
			return fault.New(fault.Denied, "TooLarge", "Node %s answers with more than %d bytes.", n.Name, maxLog)
		}
		rest.Unaudited(r.Context())
		w.Header().Set("Content-Type", "application/json")
		_, err = w.Write(body)
		rest.NoteError(r.Context(), err)
		return nil
	}
}

// logs keeps the connections over which nodes are asked for their logs, which
// is done all the time.
type logs struct {
	mu    sync.Mutex
	nodes map[string]logOf
}

type logOf struct {
	address, key string
	client       *rest.Client
}

// client returns that of a node, another one where the node has moved.
func (l *logs) client(n store.Node, dial func(store.Node) *rest.Client) *rest.Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	old, ok := l.nodes[n.Name]
	if ok && old.address == n.Address && old.key == n.Key {
		return old.client
	}
	if ok {
		old.client.Close()
	}
	if l.nodes == nil {
		l.nodes = map[string]logOf{}
	}
	l.nodes[n.Name] = logOf{n.Address, n.Key, dial(n)}
	return l.nodes[n.Name].client
}

// Close ends the connections that are kept.
func (a *API) Close() {
	a.logs.mu.Lock()
	defer a.logs.mu.Unlock()
	for _, one := range a.logs.nodes {
		one.client.Close()
	}
	a.logs.nodes = nil
}
