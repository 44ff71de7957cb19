package ec2

import (
	"karri/cloudctl/quota"
	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// A newDisk is a volume that is made with an instance and attached to it.
type newDisk struct {
	device  string
	sizeGiB int
	from    *store.Snapshot
	typ     string
	keep    bool // when the instance ends
}

// findDisks decides the size of the root disk and what volumes come with it.
func (l *launch) findDisks() error {
	l.diskG = max(l.spec.typ.diskGiB, l.image.GiB)
	seen := map[string]bool{}
	for _, m := range l.spec.mappings {
		device := val(m.DeviceName)
		if device == "" {
			return lacking("deviceName")
		}
		if seen[device] {
			return invalid("The device '%s' is used in more than one block-device mapping", device)
		}
		seen[device] = true
		if m.NoDevice != nil {
			if device == l.image.RootDevice {
				return unsupported("An instance cannot be without its root device.")
			}
			continue // the image has no further disks that this could leave out
		}
		if m.Ebs == nil {
			return lacking("ebs")
		}
		if val(m.Ebs.Encrypted) {
			return unsupported("Encrypted volumes are not supported.")
		}
		if err := l.findDisk(device, m.Ebs); err != nil {
			return err
		}
	}
	return nil
}

func (l *launch) findDisk(device string, ebs *EbsBlockDevice) error {
	if device == l.image.RootDevice {
		return l.findRoot(ebs)
	}
	d := newDisk{device: device, keep: ebs.DeleteOnTermination != nil && !*ebs.DeleteOnTermination}
	var err error
	if d.device, err = checkDevice(device); err != nil {
		return err
	}
	d.sizeGiB, d.from, d.typ, err = l.api.checkVolume(l.tx, l.who.Account, ebs.VolumeSize, ebs.SnapshotId, ebs.VolumeType)
	l.extra = append(l.extra, d)
	return err
}

func (l *launch) findRoot(ebs *EbsBlockDevice) error {
	if val(ebs.SnapshotId) != "" {
		return unsupported("The root disk is made from the image, not from a snapshot.")
	}
	if ebs.DeleteOnTermination != nil && !*ebs.DeleteOnTermination {
		return unsupported("The root disk ends with its instance.")
	}
	if err := checkVolumeType(ebs.VolumeType); err != nil {
		return err
	}
	size := ebs.VolumeSize
	if size == nil {
		return nil
	}
	if *size < l.image.GiB {
		return fault.New(fault.Invalid, "InvalidBlockDeviceMapping", "Volume of size %dGB is smaller than image '%s', expect size >= %dGB", *size, l.image.ID, l.image.GiB)
	}
	if *size > maxVolumeGiB {
		return invalid("The volume size is invalid for the root disk: %d is more than %d GiB.", *size, maxVolumeGiB)
	}
	l.diskG = *size
	return nil
}

func (l *launch) writeVolume(i *store.Instance, d newDisk) error {
	v, err := l.api.newVolume(l.tx, l.who, i.Zone, d.sizeGiB, d.from, d.typ)
	if err != nil {
		return err
	}
	if err := putTags(l.tx, i.Account, "volume", string(v.ID), l.spec.tags["volume"]); err != nil {
		return err
	}
	return l.tx.Add(&store.Attachment{
		Volume: v.ID, Instance: i.ID, Account: i.Account, Zone: i.Zone, Device: d.device, Want: wire.Attached,
		DeleteOnTermination: !d.keep, Created: l.now, Changed: l.now,
	})
}

// maxVolumeGiB is how large a volume can be at all.
const maxVolumeGiB = 16384

// newVolume writes the record of a volume within the caller's limits.
func (api *API) newVolume(tx *store.Tx, who action.Caller, zone string, size int, from *store.Snapshot, typ string) (*store.Volume, error) {
	quotas, err := quota.For(tx, who)
	if err != nil {
		return nil, err
	}
	for _, more := range []struct {
		quota string
		n     int64
	}{{quota.VolumeGiB, int64(size)}, {quota.Volumes, 1}, {quota.VolumesGiB, int64(size)}} {
		if err := quotas.Check(more.quota, more.n); err != nil {
			return nil, err
		}
	}
	v := &store.Volume{
		ID: id.New[id.Volume](api.Rand), Account: who.Account, Creator: quota.Creator(who), Zone: zone, SizeGiB: size, Type: typ, Want: wire.Present, Created: api.Clock(),
	}
	if from != nil {
		v.From, v.FromZone = from.ID, from.Zone
	}
	return v, tx.Add(v)
}

// checkVolume decides the size of a new volume and what it is made from.
func (api *API) checkVolume(tx *store.Tx, account string, size *int, snapshot, typ *string) (int, *store.Snapshot, string, error) {
	if err := checkVolumeType(typ); err != nil {
		return 0, nil, "", err
	}
	var from *store.Snapshot
	if val(snapshot) != "" {
		name, err := parse[id.Snapshot](*snapshot)
		if err != nil {
			return 0, nil, "", err
		}
		if from, err = tx.Snapshot(account, name); err != nil {
			return 0, nil, "", err
		}
		if report.SnapshotState(from) != "completed" {
			return 0, nil, "", fault.New(fault.Conflict, "IncorrectState", "Snapshot '%s' is not completed.", name)
		}
	}
	n := val(size)
	switch {
	case size == nil && from == nil:
		return 0, nil, "", lacking("size/snapshot")
	case size == nil:
		n = from.SizeGiB
	case n < 1 || n > maxVolumeGiB:
		return 0, nil, "", invalid("Volume of %dGiB is not between 1 and %d GiB.", n, maxVolumeGiB)
	case from != nil && n < from.SizeGiB:
		return 0, nil, "", invalid("The size %d GiB is smaller than that of snapshot '%s': %d GiB.", n, from.ID, from.SizeGiB)
	}
	return n, from, orElse(typ, "gp2"), nil
}

// checkVolumeType takes the types that promise no speed.
func checkVolumeType(typ *string) error {
	switch t := orElse(typ, "gp2"); t {
	case "gp2", "gp3", "standard":
		return nil
	case "io1", "io2", "sc1", "st1":
		return unsupported("Volumes of type '%s' are not supported.", t)
	default:
		return invalid("Value (%s) for parameter volumeType is invalid.", t)
	}
}
