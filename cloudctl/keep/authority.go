package keep

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/wire"
)

// TakeIn keeps of a zone's report what the zone's blockstore is told: the
// certificates of nodes that are not to be believed any more. It outlives the
// report, so that no volume is served without it after a start.
func (k *Keeper) TakeIn(ctx context.Context, zone string, r wire.ClusterReport) error {
	name, list := pki.Identity{Role: pki.Clusterctl, Zone: zone}.String(), r.Authority[zone].Revoked
	differs := func(tx *store.Tx) (*store.Component, error) {
		c, err := tx.Component(name)
		if err != nil && fault.KindOf(err) == fault.Missing || err == nil && c.Revoked == list {
			return nil, nil
		}
		return c, err
	}
	var c *store.Component
	err := k.Store.View(ctx, func(tx *store.Tx) (err error) {
		c, err = differs(tx)
		return err
	})
	if err != nil || c == nil {
		return err
	}
	return k.write(ctx, func(tx *store.Tx) error {
		c, err := differs(tx)
		if err != nil || c == nil {
			return err
		}
		c.Revoked = list
		return tx.Put(c)
	})
}
