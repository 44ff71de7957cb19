package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

func parseAllVolumes(names []string) ([]id.Volume, error) { return parseAll[id.Volume](names) }

func noVolume(name string) error {
	return fault.New(fault.Missing, "InvalidVolume.NotFound", "The volume '%s' does not exist.", name)
}

// onVolume is the On of an action on one volume of the caller, and the
// instance that it is to have to do with, if one is named.
func onVolume[In any](volume func(*In) string, instance func(*In) *string) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return on(func(tx *store.Tx, u *uses, in *In) error {
		v, err := parse[id.Volume](volume(in))
		if err != nil {
			return err
		}
		var i id.Instance
		name := instance(in)
		if name != nil {
			if i, err = parse[id.Instance](*name); err != nil {
				return err
			}
		}
		u.add("volume", string(v))
		if _, err := tx.Volume(u.who.Account, v); err != nil {
			return err
		}
		if name == nil {
			return nil
		}
		u.add("instance", string(i))
		_, err = tx.Instance(u.who.Account, i)
		return err
	})
}

func noInstance[In any](*In) *string { return nil }

// usable returns a volume that is not on its way out.
func usable(tx *store.Tx, account, name string) (*store.Volume, error) {
	v, err := tx.Volume(account, id.Volume(name))
	if err == nil && v.Want == wire.Gone {
		return nil, noVolume(name)
	}
	return v, err
}
