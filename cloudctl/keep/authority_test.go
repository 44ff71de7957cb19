package keep

import (
	"strings"
	"testing"

	"karri/cloudctl/store"
	"karri/shared/wire"
)

// What a zone has revoked goes along with each export, also after a start of
// cloudctl that has heard no report yet.
func TestWhatAZoneRevokedIsToldWithTheExports(t *testing.T) {
	w := newWorld(t, nil)
	w.wish(true)
	w.tx(func(tx *store.Tx) error {
		c, err := tx.Component(cluster)
		if err != nil {
			return err
		}
		c.Certificate = "the certificate\n"
		return tx.Put(c)
	})
	w.settle()
	if got := w.zone.BlockOrders.Exports[volID].Authority; got != "the certificate\n" {
		t.Fatalf("the export names %q", got)
	}
	for range 2 {
		r := wire.ClusterReport{Authority: map[string]wire.Authority{here: {Revoked: "the list\n"}}}
		if err := w.keeper.TakeIn(t.Context(), here, r); err != nil {
			t.Fatal(err)
		}
	}
	w.start()
	if err := w.block.Tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.zone.BlockOrders.Exports[volID].Authority; !strings.HasSuffix(got, "\nthe list\n") {
		t.Errorf("the export names %q", got)
	}
}
