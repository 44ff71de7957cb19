package keep

import (
	"context"
	"time"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/wire"
)

// Adopt takes what a zone reports as it is, after the database was restored
// from an old copy, and lets the links tell again from where the zone is.
//
// What runs or rests goes on to do so; what the database names and the zone no
// longer has is wished gone. What the zone has and the database does not name
// is left running: the zone reports it as stray.
func Adopt(ctx context.Context, st *store.Store, zone string, c report.Cluster, b report.Block, now time.Time) error {
	return st.InTx(ctx, func(tx *store.Tx) error {
		cluster, err := adoptGeneration(tx, pki.Identity{Role: pki.Clusterctl, Zone: zone}, c.Heard)
		if err != nil {
			return err
		}
		block, err := adoptGeneration(tx, pki.Identity{Role: pki.Blockstore, Zone: zone}, b.Heard)
		if err != nil {
			return err
		}
		if !cluster && !block {
			return fault.New(fault.Conflict, "IncorrectState", "The zone %s is not ahead of this database: there is nothing to adopt.", zone)
		}
		if cluster {
			if err := adoptInstances(tx, zone, c, now); err != nil {
				return err
			}
		}
		if block {
			return adoptVolumes(tx, zone, b)
		}
		return nil
	})
}

// adoptGeneration goes on from what the daemon has accepted, if that is ahead.
func adoptGeneration(tx *store.Tx, who pki.Identity, heard time.Time) (bool, error) {
	gen, err := tx.Generation(who.String())
	if err != nil || gen.Ahead == 0 {
		return false, err
	}
	if heard.IsZero() {
		return false, fault.New(fault.Later, "Unavailable", "%s has not been heard of yet.", who)
	}
	gen.Number, gen.Ahead, gen.Digest = gen.Ahead, 0, ""
	return true, tx.Put(gen)
}

func adoptInstances(tx *store.Tx, zone string, c report.Cluster, now time.Time) error {
	rows, err := tx.InstancesIn(zone)
	if err != nil {
		return err
	}
	for _, i := range rows {
		seen, ok := c.Instances[i.ID]
		switch {
		case !ok || seen.State == wire.InstanceGone:
			i.Want, i.Asked, i.AskedAt = wire.Gone, "Server.InternalError", now
			i.AskedText = "It was not there when the zone was adopted after a restore"
		case seen.State == wire.InstanceRunning:
			i.Want, i.Ran, i.Rested, i.Node = wire.Running, true, false, seen.Node
		case seen.State == wire.InstanceStopped:
			i.Want, i.Ran, i.Rested, i.Node = wire.Stopped, false, true, seen.Node
		}
		if err := tx.Put(&i); err != nil {
			return err
		}
	}
	return nil
}

func adoptVolumes(tx *store.Tx, zone string, b report.Block) error {
	rows, err := tx.VolumesIn(zone)
	if err != nil {
		return err
	}
	for _, v := range rows {
		seen, ok := b.Volumes[v.ID]
		if export, served := b.Exports[v.ID]; served {
			v.Epoch = max(v.Epoch, export.Epoch)
		}
		if v.Ready && (!ok || seen.State == wire.BlockGone) {
			v.Failure = "It was not there when the zone was adopted after a restore."
		}
		if err := tx.Put(&v); err != nil {
			return err
		}
	}
	return nil
}
