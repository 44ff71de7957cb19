package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// DetachVolumeInput names a volume and, to be sure, where it is.
type DetachVolumeInput struct {
	Device     *string
	Force      *bool // do not wait for the guest
	InstanceId *string
	VolumeId   string
}

var _ = action.Add(Catalog, action.Def[*API, DetachVolumeInput, VolumeAttachment]{
	Name:    "DetachVolume",
	Doc:     "Takes a volume out of its instance.",
	Example: DetachVolumeInput{VolumeId: "vol-1a2b3c4d5e6f70819", Force: ptr(true)},
	On:      onVolume(func(in *DetachVolumeInput) string { return in.VolumeId }, func(in *DetachVolumeInput) *string { return in.InstanceId }),
	Run:     detachVolume,
})

func detachVolume(ctx context.Context, api *API, who action.Caller, in *DetachVolumeInput) (*VolumeAttachment, error) {
	var a *store.Attachment
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		v, err := usable(tx, who.Account, in.VolumeId)
		if err != nil {
			return err
		}
		if a, err = tx.Attachment(v.ID); err != nil {
			return err
		}
		if a == nil {
			return fault.New(fault.Conflict, "IncorrectState", "Volume '%s' is in the 'available' state.", v.ID)
		}
		if in.InstanceId != nil && a.Instance != id.Instance(*in.InstanceId) || in.Device != nil && !sameDevice(a.Device, *in.Device) {
			return fault.New(fault.Invalid, "InvalidAttachment.NotFound", "The volume '%s' is not attached to %s as %s.", v.ID, orElse(in.InstanceId, string(a.Instance)), orElse(in.Device, a.Device))
		}
		if a.Want != wire.Detached {
			a.Want, a.Changed = wire.Detached, api.Clock()
		}
		a.Force = a.Force || val(in.Force)
		return tx.Put(a)
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return ptr(volumeAttachment(a)), nil
}

func sameDevice(a, b string) bool {
	d, err := checkDevice(b)
	return err == nil && a == d
}
