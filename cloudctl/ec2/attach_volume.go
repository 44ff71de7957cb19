package ec2

import (
	"context"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// AttachVolumeInput names a volume, an instance of its zone and a device.
type AttachVolumeInput struct {
	Device     string
	InstanceId string
	VolumeId   string
}

var _ = action.Add(Catalog, action.Def[*API, AttachVolumeInput, VolumeAttachment]{
	Name:    "AttachVolume",
	Doc:     "Plugs a volume into an instance of the same zone.",
	Example: AttachVolumeInput{Device: "/dev/sdf", InstanceId: "i-1a2b3c4d5e6f70819", VolumeId: "vol-1a2b3c4d5e6f70819"},
	On:      onVolume(func(in *AttachVolumeInput) string { return in.VolumeId }, func(in *AttachVolumeInput) *string { return &in.InstanceId }),
	Run:     attachVolume,
})

// maxDisks is how many volumes an instance may have.
const maxDisks = 20

func attachVolume(ctx context.Context, api *API, who action.Caller, in *AttachVolumeInput) (*VolumeAttachment, error) {
	device, err := checkDevice(in.Device)
	if err != nil {
		return nil, err
	}
	var a *store.Attachment
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		v, err := usable(tx, who.Account, in.VolumeId)
		if err != nil {
			return err
		}
		i, err := tx.Instance(who.Account, id.Instance(in.InstanceId))
		if err != nil {
			return err
		}
		if err := api.attachable(tx, v, i, device); err != nil {
			return err
		}
		now := api.Clock()
		a = &store.Attachment{
			Volume: v.ID, Instance: i.ID, Account: who.Account, Zone: v.Zone, Device: device, Want: wire.Attached, Created: now, Changed: now,
		}
		return tx.Add(a)
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return ptr(volumeAttachment(a)), nil
}

// attachable refuses what cannot be attached.
func (api *API) attachable(tx *store.Tx, v *store.Volume, i *store.Instance, device string) error {
	old, err := tx.Attachment(v.ID)
	if err != nil {
		return err
	}
	if old != nil {
		return fault.New(fault.Conflict, "VolumeInUse", "%s is already attached to an instance", v.ID)
	}
	if s := report.VolumeState(v, nil); s != "available" {
		return fault.New(fault.Conflict, "IncorrectState", "Volume '%s' is %s, not available.", v.ID, s)
	}
	if s := api.state(i); s != report.Running && s != report.Stopped {
		return fault.New(fault.Conflict, "IncorrectState", "Instance '%s' is not 'running' or 'stopped', but %s.", i.ID, s)
	}
	if v.Zone != i.Zone {
		return fault.New(fault.Invalid, "InvalidVolume.ZoneMismatch", "The volume '%s' is not in the same availability zone as instance '%s'", v.ID, i.ID)
	}
	have, err := tx.AttachmentsOn(i.ID)
	if err != nil {
		return err
	}
	for _, a := range have {
		if a.Device == device {
			return invalid("Invalid value '%s' for unixDevice. Attachment point %s is already in use", device, device)
		}
	}
	if device == i.RootDevice || len(have) >= maxDisks {
		return fault.New(fault.Full, "AttachmentLimitExceeded", "Instance '%s' has all the %d volumes that it may have.", i.ID, len(have))
	}
	return nil
}
