package history

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"karri/blockstore/chunk"
	"karri/shared/id"
	"karri/tools/devcloud/pretend"
)

// shown is what a user is shown of all that he has.
type shown struct {
	states  map[string]string // of instances, volumes, snapshots, VOLUME/attachment
	reasons map[string]string // of instances, why they are not running
	rows    []string          // other things: addresses, interfaces
}

func (w *world) show(u *user) shown {
	s := shown{map[string]string{}, map[string]string{}, nil}
	list := func(action, member string, in params) []params {
		out, code := w.ask(u, action, in)
		if code != "" {
			w.wrong("%s: %s", action, code)
		}
		return pretend.List(out, member)
	}
	for _, r := range list("DescribeInstances", "Reservations", nil) {
		for _, i := range pretend.List(r, "Instances") {
			state, _ := i["State"].(params)
			reason, _ := i["StateReason"].(params)
			s.states[str(i, "InstanceId")], s.reasons[str(i, "InstanceId")] = str(state, "Name"), str(reason, "Code")
		}
	}
	for _, v := range list("DescribeVolumes", "Volumes", nil) {
		s.states[str(v, "VolumeId")] = str(v, "State")
		for _, a := range pretend.List(v, "Attachments") {
			s.states[str(v, "VolumeId")+"/attachment"] = str(a, "State")
		}
	}
	for _, p := range list("DescribeSnapshots", "Snapshots", params{"OwnerIds": []string{"self"}}) {
		s.states[str(p, "SnapshotId")] = str(p, "State")
	}
	for _, a := range list("DescribeAddresses", "Addresses", nil) {
		s.rows = append(s.rows, str(a, "PublicIp")+" "+str(a, "AllocationId"))
	}
	for _, e := range list("DescribeNetworkInterfaces", "NetworkInterfaces", nil) {
		s.rows = append(s.rows, str(e, "NetworkInterfaceId"))
	}
	return s
}

var passing = []string{"pending", "stopping", "shutting-down", "creating", "deleting", "attaching", "detaching", "busy"}

// check compares what was promised, what is shown and what is there.
func (w *world) check() {
	w.watch()
	owned := map[string]string{} // thing that may cost something: its state
	for _, u := range w.users {
		s := w.show(u)
		for thing, state := range s.states {
			if slices.Contains(passing, state) {
				w.wrong("stuck: %s is %s", thing, state)
			}
			if state != "terminated" {
				owned[thing] = state
			}
		}
		w.checkInstances(u, s)
		w.checkVolumes(u, s)
		w.checkBytes(u, s)
	}
	w.checkLeaks(owned)
}

func (w *world) checkInstances(u *user, s shown) {
	for _, i := range having(u.instances, "running", "stopped", "gone") {
		wish, state := u.instances[i], s.states[i]
		off := w.poweredOff[id.Instance(i)]
		switch {
		case wish == "gone" && (state == "terminated" || state == ""):
		case wish == state:
		case wish == "running" && state == "stopped" && off:
		case wish == "running" && state == "terminated" && s.reasons[i] == "Server.InsufficientInstanceCapacity": // its nodes were away for too long
		default:
			w.wrong("lost: %s was wished %s and is %q (%s)", i, wish, state, s.reasons[i])
		}
		if _, running, _ := w.machine(id.Instance(i)); running != (state == "running") {
			w.wrong("%s is shown %q, and that it runs is %t", i, state, running)
		}
	}
}

func (w *world) checkVolumes(u *user, s shown) {
	for _, v := range having(u.volumes, "present", "gone") {
		wish, state := u.volumes[v], s.states[v]
		if (wish == "present") != (state == "available" || state == "in-use") {
			w.wrong("lost: %s was wished %s and is %q", v, wish, state)
		}
		i := u.attached[v]
		if i == "" || s.states[i] != "running" {
			continue
		}
		if s.states[v+"/attachment"] != "attached" {
			w.wrong("lost: %s was attached to %s, and its attachment is %q", v, i, s.states[v+"/attachment"])
			continue
		}
		at, _, plugged := w.machine(id.Instance(i))
		if t := w.ticket(id.Volume(v)); at == nil || plugged[id.Volume(v)].Epoch == 0 || plugged[id.Volume(v)].Epoch != t {
			w.wrong("%s is shown attached to %s, which has %v, and epoch %d is served", v, i, plugged, t)
		}
	}
	for _, p := range having(u.snapshots, "present", "gone") {
		wish, state := u.snapshots[p], s.states[p]
		early := state == "error" && u.volumes[u.from[p]] == "gone" // its volume went before it was frozen
		if wish == "present" && state != "completed" && !early || wish == "gone" && state != "" {
			w.wrong("lost: %s was wished %s and is %q", p, wish, state)
		}
	}
}

func (w *world) ticket(v id.Volume) uint64 {
	for _, z := range w.zones {
		if t := z.export.Ticket(v); t.Epoch > 0 {
			return t.Epoch
		}
	}
	return 0
}

// checkLeaks looks for what is there and belongs to nobody.
func (w *world) checkLeaks(owned map[string]string) {
	for _, z := range w.zones {
		for _, h := range z.nodes {
			left, err := h.Left(w.ctx)
			if err != nil {
				w.wrong("%v", err)
			}
			for _, what := range left {
				if i, _, _ := strings.Cut(what, ":"); owned[i] == "" {
					w.wrong("leaked: %s has %s", h.name, what)
				}
			}
		}
		volumes, err := z.disk.Volumes(w.ctx)
		if err != nil {
			w.wrong("%v", err)
		}
		for _, v := range volumes {
			if owned[string(v)] == "" {
				w.wrong("leaked: the bytes of %s", v)
			}
			if t := z.export.Ticket(v); t.Epoch > 0 && owned[string(v)+"/attachment"] == "" {
				w.wrong("leaked: %s is served as epoch %d to %s", v, t.Epoch, t.Peer)
			}
		}
	}
}

// endAll has the users end all they have; after a few hours nothing may be left.
func (w *world) endAll() {
	w.say("the users end all they have")
	for _, u := range w.users {
		s := w.show(u)
		for _, i := range having(u.instances, "running", "stopped") {
			if s.states[i] == "running" || s.states[i] == "stopped" {
				w.do(u, "TerminateInstances", params{"InstanceIds": []string{i}})
			}
		}
	}
	w.settleFully(8)
	for _, u := range w.users {
		s := w.show(u)
		things := make([]string, 0, len(s.states))
		for thing := range s.states {
			things = append(things, thing)
		}
		slices.Sort(things)
		for _, thing := range things {
			switch id.KindOf(thing) {
			case "vol":
				w.do(u, "DeleteVolume", params{"VolumeId": thing})
			case "snap":
				w.do(u, "DeleteSnapshot", params{"SnapshotId": thing})
			}
		}
		for _, row := range s.rows {
			if _, allocation, is := strings.Cut(row, " "); is && allocation != "" {
				w.do(u, "ReleaseAddress", params{"AllocationId": allocation})
			}
		}
	}
	w.settleFully(8)
	for range 3 {
		w.now = w.now.Add(2 * time.Hour)
		w.settleFully(3)
	}
	for _, what := range w.left() {
		w.wrong("leaked: %s", what)
	}
}

// left says in words what there is of anything.
func (w *world) left() (left []string) {
	for _, u := range w.users {
		s := w.show(u)
		for thing, state := range s.states {
			left = append(left, thing+" is shown "+state)
		}
		left = append(left, s.rows...)
	}
	for _, z := range w.zones {
		for _, h := range z.nodes {
			all, _ := h.Instances(w.ctx)
			for _, i := range all {
				left = append(left, fmt.Sprintf("%s has something of %s", h.name, i))
			}
		}
		places, err1 := z.clusterDB.Placements(w.ctx)
		disks, err2 := z.disk.Volumes(w.ctx)
		volumes, err3 := z.blockDB.Volumes(w.ctx)
		exports, err4 := z.blockDB.Exports(w.ctx)
		snapshots, err5 := z.blockDB.Snapshots(w.ctx)
		for _, n := range []struct {
			what string
			n    int
			err  error
		}{{"placements", len(places), err1}, {"volumes", len(disks), err2}, {"rows of volumes", len(volumes), err3}, {"rows of exports", len(exports), err4}, {"rows of snapshots", len(snapshots), err5}} {
			if n.n > 0 || n.err != nil {
				left = append(left, fmt.Sprintf("%s: %d %s (%v)", z.name, n.n, n.what, n.err))
			}
		}
		page, _ := w.walrus.List(w.ctx, chunk.Bucket(z.name), "", "", 0)
		for _, o := range page.Objects {
			left = append(left, "object "+o.Key)
		}
	}
	slices.Sort(left)
	return left
}
