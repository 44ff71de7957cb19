// Package api is what a nodectl answers the clusterctl of its zone: orders and
// reports (package wire), consoles, and explanations. Nobody else is let in:
// a node is reached through its cluster alone.
package api

import (
	"context"
	"net/http"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/wire"
)

// A Node is what is asked about.
type Node interface {
	// Console returns the end of an instance's serial console, up to 64 KiB,
	// also of one that is gone for not too long.
	Console(ctx context.Context, i id.Instance) ([]byte, error)
	// Explain tells what is known of an instance, a volume or the node itself;
	// false when that is nothing.
	Explain(ctx context.Context, thing string) (wire.Explanation, bool)
}

// Serve adds the routes of n to in, for the clusterctl of zone.
func Serve(in *rest.Internal, zone string, book *wire.Book[wire.NodeOrders], board *wire.Board[wire.NodeReport], n Node) {
	above := func(who pki.Identity) bool { return who.Role == pki.Clusterctl && who.Zone == zone }
	wire.Serve(in, above, book, board)
	in.Handle("GET", "/v1/instances/{id}/console", above, func(w http.ResponseWriter, r *http.Request) error {
		text, err := n.Console(r.Context(), id.Instance(rest.Var(r, "id")))
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, err = w.Write(text)
		return err
	})
	in.Handle("GET", "/v1/explain/{id}", above, func(w http.ResponseWriter, r *http.Request) error {
		e, known := n.Explain(r.Context(), rest.Var(r, "id"))
		if !known {
			return fault.New(fault.Missing, "NotFound", "This node knows nothing of %s.", rest.Var(r, "id"))
		}
		return rest.JSON(w, e)
	})
}
