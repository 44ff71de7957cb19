package ec2

import (
	"time"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
)

// Volume is a volume as its owner sees it.
type Volume struct {
	Attachments        []VolumeAttachment
	AvailabilityZone   string
	CreateTime         time.Time
	Encrypted          bool
	MultiAttachEnabled bool
	Size               int
	SnapshotId         string
	State              string
	Tags               []Tag
	VolumeId           string
	VolumeType         string
}

// VolumeAttachment ties a volume to an instance.
type VolumeAttachment struct {
	AttachTime          time.Time
	DeleteOnTermination bool
	Device              string
	InstanceId          string
	State               string
	VolumeId            string
}

func volumeShape(v *store.Volume, a *store.Attachment, tags store.Tags) Volume {
	out := Volume{
		Attachments: []VolumeAttachment{}, AvailabilityZone: v.Zone, CreateTime: v.Created, Size: v.SizeGiB, SnapshotId: string(v.From),
		State: report.VolumeState(v, a), Tags: tagSet(tags[string(v.ID)]), VolumeId: string(v.ID), VolumeType: v.Type,
	}
	if a != nil {
		out.Attachments = append(out.Attachments, volumeAttachment(a))
	}
	return out
}

func volumeAttachment(a *store.Attachment) VolumeAttachment {
	return VolumeAttachment{
		AttachTime: a.Created, DeleteOnTermination: a.DeleteOnTermination, Device: a.Device, InstanceId: string(a.Instance),
		State: report.AttachmentState(a), VolumeId: string(a.Volume),
	}
}

// volumes returns the volumes of an account, or those of them that are named.
func (api *API) volumes(tx *store.Tx, account string, names []string) ([]Volume, error) {
	if _, err := parseAllVolumes(names); err != nil {
		return nil, err
	}
	rows, err := tx.VolumesOf(account)
	if err != nil {
		return nil, err
	}
	attachments, err := tx.AttachmentsOf(account)
	if err != nil {
		return nil, err
	}
	tags, err := tx.TagsOf(account)
	if err != nil {
		return nil, err
	}
	at := map[string]*store.Attachment{}
	for n := range attachments {
		at[string(attachments[n].Volume)] = &attachments[n]
	}
	all := make([]Volume, 0, len(rows))
	for n := range rows {
		all = append(all, volumeShape(&rows[n], at[string(rows[n].ID)], tags))
	}
	return wanted(names, all, func(v Volume) string { return v.VolumeId }, func(name string) error {
		return noVolume(name)
	})
}
