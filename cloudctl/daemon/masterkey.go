package daemon

import (
	"context"
	"time"

	"karri/cloudctl/local"
	"karri/shared/wire"
)

// masterKey is what explain calls the key that seals users' secrets.
const masterKey = "master-key"

// dropOldKeys drops older master keys when no session needs them any more.
func (c *cloud) dropOldKeys(ctx context.Context) error {
	for {
		n, err := local.DropOld(ctx, c.store, c.book.Vault, time.Now())
		switch {
		case err != nil && ctx.Err() == nil:
			c.Log.Error("older master keys cannot be dropped", "err", err)
		case n > 0:
			c.Log.Info("older master keys were dropped: all sessions under them have ended", "keys", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Minute):
		}
	}
}

// explainMasterKey tells an administrator what of a change of the master key is
// done, and what is waited for.
func (c *cloud) explainMasterKey(ctx context.Context, e *wire.Explanation) error {
	older := local.Older(c.book.Vault)
	e.Say("one master key seals users' secrets; %d older ones are kept", len(older))
	for _, line := range older {
		e.Say("%s", line)
	}
	if len(older) == 0 {
		return nil
	}
	is, err := local.Behind(ctx, c.store, c.book.Vault)
	if is {
		e.Say("some secrets are under an older key: a change was cut off; cloudctl rotate-master-key finishes it, and before a key is dropped it is done in any case")
	} else if err == nil {
		e.Say("all secrets that are kept are under the key that seals")
	}
	return err
}
