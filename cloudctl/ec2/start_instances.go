package ec2

import (
	"context"

	"karri/cloudctl/quota"
	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/wire"
)

// StartInstancesInput names instances of the caller.
type StartInstancesInput struct{ InstanceIds []string }

// StartInstancesOutput tells what became of them at once.
type StartInstancesOutput struct{ StartingInstances []InstanceStateChange }

var _ = action.Add(Catalog, action.Def[*API, StartInstancesInput, StartInstancesOutput]{
	Name:    "StartInstances",
	Doc:     "Starts instances that were stopped.",
	Example: StartInstancesInput{InstanceIds: []string{"i-1a2b3c4d5e6f70819"}},
	On:      onInstances(func(in *StartInstancesInput) []string { return in.InstanceIds }),
	Run:     startInstances,
})

// startInstances wishes stopped instances to run. A stopped instance keeps its
// place, so that there is room for it; a lent public address it gets anew.
func startInstances(ctx context.Context, api *API, who action.Caller, in *StartInstancesInput) (*StartInstancesOutput, error) {
	changes, err := api.change(ctx, who, in.InstanceIds, func(tx *store.Tx, i *store.Instance, now report.InstanceState) error {
		switch now {
		case report.Running, report.Pending:
			return nil
		case report.Stopped:
		default:
			return incorrect(i, now, "started")
		}
		quotas, err := quota.For(tx, who)
		if err != nil {
			return err
		}
		for name, more := range map[string]int{quota.Active: 1, quota.CPUs: i.VCPUs, quota.Memory: i.MemoryMiB} {
			if err := quotas.Check(name, int64(more)); err != nil {
				return err
			}
		}
		i.Want, i.Ran, i.Rested, i.Force, i.Launched = wire.Running, false, false, false, api.Clock()
		i.Asked, i.AskedText = "", ""
		enis, err := tx.InterfacesOn(i.ID)
		if err != nil {
			return err
		}
		for _, e := range enis {
			a, err := tx.AddressOn(e.ID)
			if err != nil {
				return err
			}
			if a == nil && e.Lends {
				if err := api.Lend(tx, &e); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return &StartInstancesOutput{StartingInstances: changes}, err
}
