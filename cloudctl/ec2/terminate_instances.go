package ec2

import (
	"context"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/wire"
)

// TerminateInstancesInput names instances of the caller.
type TerminateInstancesInput struct{ InstanceIds []string }

// TerminateInstancesOutput tells what became of them at once.
type TerminateInstancesOutput struct{ TerminatingInstances []InstanceStateChange }

var _ = action.Add(Catalog, action.Def[*API, TerminateInstancesInput, TerminateInstancesOutput]{
	Name:    "TerminateInstances",
	Doc:     "Ends instances and frees all that they hold.",
	Example: TerminateInstancesInput{InstanceIds: []string{"i-1a2b3c4d5e6f70819"}},
	On:      onInstances(func(in *TerminateInstancesInput) []string { return in.InstanceIds }),
	Run:     terminateInstances,
})

// terminateInstances wishes the instances gone. One that is gone already is
// fine, so that it can be asked again.
func terminateInstances(ctx context.Context, api *API, who action.Caller, in *TerminateInstancesInput) (*TerminateInstancesOutput, error) {
	changes, err := api.change(ctx, who, in.InstanceIds, func(_ *store.Tx, i *store.Instance, _ report.InstanceState) error {
		if i.Want == wire.Gone {
			return nil
		}
		if i.Protected {
			return fault.New(fault.Denied, "OperationNotPermitted",
				"The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.", i.ID)
		}
		i.Want = wire.Gone
		api.asked(i)
		return nil
	})
	return &TerminateInstancesOutput{TerminatingInstances: changes}, err
}

// asked notes that the user asked for the instance's end or rest.
func (api *API) asked(i *store.Instance) {
	i.Asked, i.AskedText, i.AskedAt = "Client.UserInitiatedShutdown", "User initiated shutdown", api.Clock()
}
