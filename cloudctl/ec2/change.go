package ec2

import (
	"context"
	"strings"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// onInstances is the On of an action on instances of the caller.
func onInstances[In any](names func(*In) []string) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return on(func(tx *store.Tx, u *uses, in *In) error {
		ids, err := parseAll[id.Instance](names(in))
		if err != nil {
			return err
		}
		var absent []string
		for _, i := range ids {
			_, err := tx.Instance(u.who.Account, i)
			switch {
			case fault.KindOf(err) == fault.Missing:
				absent = append(absent, string(i))
			case err != nil:
				return err
			}
			u.add("instance", string(i))
		}
		if len(absent) > 1 {
			return fault.New(fault.Missing, "InvalidInstanceID.NotFound", "The instance IDs '%s' do not exist", strings.Join(absent, ", "))
		}
		if len(absent) == 1 {
			return fault.New(fault.Missing, "InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", absent[0])
		}
		return nil
	})
}

// change changes the wish for each named instance in one transaction: all or
// none. It returns the states before and after.
func (api *API) change(ctx context.Context, who action.Caller, names []string, do func(tx *store.Tx, i *store.Instance, now report.InstanceState) error) ([]InstanceStateChange, error) {
	var out []InstanceStateChange
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		out = []InstanceStateChange{}
		done := map[string]bool{}
		for _, name := range names {
			if done[name] {
				continue
			}
			done[name] = true
			i, err := tx.Instance(who.Account, id.Instance(name))
			if err != nil {
				return err
			}
			before := api.state(i)
			if err := do(tx, i, before); err != nil {
				return err
			}
			if err := tx.Put(i); err != nil {
				return err
			}
			out = append(out, InstanceStateChange{
				CurrentState: stateShape(api.state(i)), InstanceId: name, PreviousState: stateShape(before),
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return out, nil
}

// incorrect is the fault of an instance whose state does not allow an action.
func incorrect(i *store.Instance, s report.InstanceState, verb string) error {
	return fault.New(fault.Conflict, "IncorrectInstanceState",
		"The instance '%s' is not in a state from which it can be %s: it is %s.", i.ID, verb, s)
}
