package keep

import (
	"context"
	"testing"
	"time"

	"karri/cloudctl/store"
)

func TestOldClientTokensAreForgotten(t *testing.T) {
	w := newWorld(t, nil)
	w.start()
	w.tx(func(tx *store.Tx) error {
		for name, age := range map[string]time.Duration{"old": tokensKept + time.Second, "new": tokensKept - time.Second} {
			if err := tx.Add(&store.ClientToken{Account: w.account, Action: "RunInstances", Token: name, Created: w.now.Add(-age)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err := w.keeper.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.tx(func(tx *store.Tx) error {
		for name, there := range map[string]bool{"old": false, "new": true} {
			row, err := tx.ClientToken(w.account, "RunInstances", name)
			if err != nil || (row != nil) != there {
				t.Errorf("%s: %v, %v", name, row, err)
			}
		}
		return nil
	})
}
