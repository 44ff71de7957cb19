package ec2

import (
	"context"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/wire"
)

// StopInstancesInput names instances of the caller.
type StopInstancesInput struct {
	InstanceIds []string
	Force       *bool // do not ask the guest
}

// StopInstancesOutput tells what became of them at once.
type StopInstancesOutput struct{ StoppingInstances []InstanceStateChange }

var _ = action.Add(Catalog, action.Def[*API, StopInstancesInput, StopInstancesOutput]{
	Name:    "StopInstances",
	Doc:     "Shuts instances down and keeps their disks.",
	Example: StopInstancesInput{InstanceIds: []string{"i-1a2b3c4d5e6f70819"}, Force: ptr(true)},
	On:      onInstances(func(in *StopInstancesInput) []string { return in.InstanceIds }),
	Run:     stopInstances,
})

func stopInstances(ctx context.Context, api *API, who action.Caller, in *StopInstancesInput) (*StopInstancesOutput, error) {
	changes, err := api.change(ctx, who, in.InstanceIds, func(_ *store.Tx, i *store.Instance, now report.InstanceState) error {
		switch now {
		case report.Stopped:
			return nil
		case report.Stopping:
			i.Force = i.Force || val(in.Force)
			return nil
		case report.Running:
		default:
			return incorrect(i, now, "stopped")
		}
		if i.Unstopped {
			return fault.New(fault.Denied, "OperationNotPermitted",
				"The instance '%s' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.", i.ID)
		}
		i.Want, i.Rested, i.Force = wire.Stopped, false, val(in.Force)
		api.asked(i)
		return nil
	})
	return &StopInstancesOutput{StoppingInstances: changes}, err
}
