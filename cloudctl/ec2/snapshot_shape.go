package ec2

import (
	"fmt"
	"time"

	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/id"
)

// Snapshot is a snapshot as its owner sees it.
type Snapshot struct {
	Description  string
	Encrypted    bool
	OwnerId      string
	Progress     string
	SnapshotId   string
	StartTime    time.Time
	State        string
	StateMessage *string
	StorageTier  string
	Tags         []Tag
	VolumeId     string
	VolumeSize   int
}

func (api *API) snapshotShape(s *store.Snapshot, tags store.Tags) Snapshot {
	percent := api.Reports.Block(s.Zone).Snapshots[s.ID].Percent
	if s.Done {
		percent = 100
	}
	return Snapshot{
		Description: s.Description, OwnerId: s.Account, Progress: fmt.Sprintf("%d%%", percent), SnapshotId: string(s.ID),
		StartTime: s.Started, State: report.SnapshotState(s), StateMessage: opt(s.Failure), StorageTier: "standard",
		Tags: tagSet(tags[string(s.ID)]), VolumeId: string(s.Volume), VolumeSize: s.SizeGiB,
	}
}

// snapshots returns the snapshots of an account, or those of them that are named.
func (api *API) snapshots(tx *store.Tx, account string, names []string) ([]Snapshot, error) {
	if _, err := parseAll[id.Snapshot](names); err != nil {
		return nil, err
	}
	rows, err := tx.SnapshotsOf(account)
	if err != nil {
		return nil, err
	}
	tags, err := tx.TagsOf(account)
	if err != nil {
		return nil, err
	}
	all := make([]Snapshot, 0, len(rows))
	for n := range rows {
		all = append(all, api.snapshotShape(&rows[n], tags))
	}
	return wanted(names, all, func(s Snapshot) string { return s.SnapshotId }, func(name string) error {
		return fault.New(fault.Missing, "InvalidSnapshot.NotFound", "The snapshot '%s' does not exist.", name)
	})
}
