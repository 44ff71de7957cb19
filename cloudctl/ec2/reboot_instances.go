package ec2

import (
	"context"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
)

// RebootInstancesInput names instances of the caller.
type RebootInstancesInput struct{ InstanceIds []string }

var _ = action.Add(Catalog, action.Def[*API, RebootInstancesInput, action.Nothing]{
	Name:    "RebootInstances",
	Doc:     "Asks instances to start anew.",
	Example: RebootInstancesInput{InstanceIds: []string{"i-1a2b3c4d5e6f70819"}},
	On:      onInstances(func(in *RebootInstancesInput) []string { return in.InstanceIds }),
	Run:     rebootInstances,
})

// rebootInstances counts the reboots that were asked; the node catches up.
func rebootInstances(ctx context.Context, api *API, who action.Caller, in *RebootInstancesInput) (*action.Nothing, error) {
	_, err := api.change(ctx, who, in.InstanceIds, func(_ *store.Tx, i *store.Instance, now report.InstanceState) error {
		if now != report.Running {
			return incorrect(i, now, "rebooted")
		}
		i.Reboots++
		return nil
	})
	return nil, err
}
