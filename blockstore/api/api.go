// Package api is what a blockstore answers cloudctl: it takes orders, shows its
// report, and explains. Orders are on disk when they are accepted; nothing else
// here changes anything.
package api

import (
	"context"
	"net/http"

	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/wire"
)

// Serve adds the routes to the internal API.
func Serve(in *rest.Internal, book *wire.Book[wire.BlockOrders], board *wire.Board[wire.BlockReport],
	explain func(ctx context.Context, id string) (wire.Explanation, error)) {
	above := rest.Roles(pki.Cloudctl)
	wire.Serve(in, above, book, board)
	in.Handle("GET", "/v1/explain/{id}", above, func(w http.ResponseWriter, r *http.Request) error {
		e, err := explain(r.Context(), rest.Var(r, "id"))
		if err != nil {
			return err
		}
		return rest.JSON(w, e)
	})
}
