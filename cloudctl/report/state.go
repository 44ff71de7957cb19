package report

import (
	"time"

	"karri/cloudctl/store"
	"karri/shared/wire"
)

// InstanceState is the state of an instance as EC2 names it.
type InstanceState string

// The states of an instance.
const (
	Pending      InstanceState = "pending"
	Running      InstanceState = "running"
	ShuttingDown InstanceState = "shutting-down"
	Terminated   InstanceState = "terminated"
	Stopping     InstanceState = "stopping"
	Stopped      InstanceState = "stopped"
)

// Code returns the number that EC2 gives the state.
func (s InstanceState) Code() int {
	return map[InstanceState]int{Pending: 0, Running: 16, ShuttingDown: 32, Terminated: 48, Stopping: 64, Stopped: 80}[s]
}

// StateOf returns the state of an instance. It leaves pending, running and
// stopping at once when another state is wished for: clients wait for that.
func StateOf(i *store.Instance, seen wire.InstanceSeen) InstanceState {
	switch {
	case i.Freed:
		return Terminated
	case i.Want == wire.Gone:
		return ShuttingDown
	case i.Want == wire.Stopped && (i.Rested || seen.State == wire.InstanceStopped):
		return Stopped
	case i.Want == wire.Stopped:
		return Stopping
	case i.Ran || seen.State == wire.InstanceRunning:
		return Running
	}
	return Pending
}

// VolumeState is the state of a volume as EC2 names it; a is its attachment or nil.
func VolumeState(v *store.Volume, a *store.Attachment) string {
	switch {
	case v.Want == wire.Gone:
		return "deleting"
	case v.Failure != "":
		return "error"
	case !v.Ready:
		return "creating"
	case a != nil:
		return "in-use"
	}
	return "available"
}

// AttachmentState is the state of an attachment as EC2 names it.
func AttachmentState(a *store.Attachment) string {
	switch {
	case a.Want == wire.Detached:
		return "detaching"
	case a.Plugged:
		return "attached"
	}
	return "attaching"
}

// SnapshotState is the state of a snapshot as EC2 names it.
func SnapshotState(s *store.Snapshot) string {
	switch {
	case s.Failure != "":
		return "error"
	case s.Done:
		return "completed"
	}
	return "pending"
}

// ImageState is the state of an image as EC2 names it.
func ImageState(i *store.Image) string {
	switch {
	case i.Failure != "":
		return "failed"
	case i.SHA256 != "":
		return "available"
	}
	return "pending"
}

// Health tells whether a running instance can be vouched for: ok, initializing
// until it was seen to run, or impaired when its node or its zone is silent.
func (c Cluster) Health(i *store.Instance, now time.Time) string {
	seen, ok := c.Instances[i.ID]
	switch {
	case now.Sub(c.Heard) > Old && i.Ran:
		return "impaired"
	case !ok || seen.State != wire.InstanceRunning:
		return "initializing"
	case c.Nodes[seen.Node].State == wire.Away:
		return "impaired"
	}
	return "ok"
}
