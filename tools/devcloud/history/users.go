package history

import (
	"fmt"
	"maps"
	"slices"

	"karri/tools/devcloud/pretend"
)

// user is somebody with an account, and what he was promised: the last wish
// for each thing that the cloud acknowledged.
type user struct {
	name, account, image string
	instances            map[string]string // running, stopped or gone
	volumes              map[string]string // present or gone
	snapshots            map[string]string
	from                 map[string]string // snapshot: its volume
	attached             map[string]string // volume: instance
	addresses            map[string]string // allocation: interface's instance, "" for none
	tokens               []token
}

// token is a request that can be sent again.
type token struct {
	in  map[string]any
	ids []string
}

func newUser(name, account, image string) *user {
	return &user{name: name, account: account, image: image, instances: map[string]string{}, volumes: map[string]string{},
		snapshots: map[string]string{}, from: map[string]string{}, attached: map[string]string{}, addresses: map[string]string{}}
}

// having lists the things that are wished to be so, in order.
func having(m map[string]string, wishes ...string) (all []string) {
	for id, wish := range m {
		if slices.Contains(wishes, wish) {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

type params = map[string]any

// do asks for an action and says what came of it.
func (w *world) do(u *user, action string, in params) (params, bool) {
	out, code := w.ask(u, action, in)
	if code == "" {
		code = "done"
	}
	w.say("%s: %s %v: %s", u.name, action, in, code)
	return out, code == "done"
}

func str(m params, name string) string {
	s, _ := m[name].(string)
	return s
}

// userActs has a user ask for something.
func (w *world) userActs(u *user) {
	live := having(u.instances, "running", "stopped")
	volumes := having(u.volumes, "present")
	switch n := w.rng.IntN(100); {
	case n < 18 && len(live) < 8 || len(live) == 0:
		w.runs(u)
	case n < 22 && len(u.tokens) > 0:
		w.repeats(u, pick(w, u.tokens))
	case n < 36:
		w.changes(u, pick(w, live))
	case n < 46 && len(volumes) < 8 || len(volumes) == 0:
		w.createsVolume(u)
	case n < 84:
		w.usesVolume(u, pick(w, volumes), live)
	case n < 90:
		if all := having(u.snapshots, "present"); len(all) > 0 {
			if s := pick(w, all); w.first(w.do(u, "DeleteSnapshot", params{"SnapshotId": s})) {
				u.snapshots[s] = "gone"
			}
		}
	default:
		w.usesAddress(u, live)
	}
}

func (w *world) first(_ params, ok bool) bool { return ok }

func (w *world) runs(u *user) {
	in := pretend.Launch(u.image, 1+w.rng.IntN(3))
	if w.chance(50) {
		in["Placement"] = params{"AvailabilityZone": pick(w, w.zones).name}
	}
	if w.chance(30) {
		in["BlockDeviceMappings"] = []params{{"DeviceName": "/dev/sdg", "Ebs": params{"VolumeSize": 1, "DeleteOnTermination": true}}}
	}
	if w.chance(40) {
		in["ClientToken"] = fmt.Sprintf("token-%d", len(u.tokens))
	}
	out, ok := w.do(u, "RunInstances", in)
	if !ok {
		return
	}
	ids := pretend.Instances(out)
	w.say("%s has %v", u.name, ids)
	for _, i := range ids {
		u.instances[i] = "running"
	}
	if in["ClientToken"] != nil {
		u.tokens = append(u.tokens, token{in, ids})
	}
}

// repeats sends a request again whose answer got lost.
func (w *world) repeats(u *user, t token) {
	out, ok := w.do(u, "RunInstances", t.in)
	if again := pretend.Instances(out); ok && !slices.Equal(again, t.ids) && len(again) > 0 {
		w.wrong("duplicated: %v made %v and then %v", t.in["ClientToken"], t.ids, again)
	}
}

func (w *world) changes(u *user, i string) {
	in := params{"InstanceIds": []string{i}}
	switch w.rng.IntN(6) {
	case 0:
		if w.first(w.do(u, "TerminateInstances", in)) {
			u.instances[i] = "gone"
			for v, on := range u.attached {
				if on == i {
					delete(u.attached, v)
				}
			}
		}
	case 1, 2:
		if w.chance(20) {
			in["Force"] = true
		}
		if w.first(w.do(u, "StopInstances", in)) {
			u.instances[i] = "stopped"
		}
	case 3, 4:
		if w.first(w.do(u, "StartInstances", in)) {
			u.instances[i] = "running"
		}
	default:
		w.do(u, "RebootInstances", in)
	}
}

func (w *world) createsVolume(u *user) {
	in := params{"AvailabilityZone": pick(w, w.zones).name, "Size": 1 + w.rng.IntN(2)}
	if all := having(u.snapshots, "present"); len(all) > 0 && w.chance(50) {
		in["SnapshotId"] = pick(w, all)
		delete(in, "Size")
	}
	if out, ok := w.do(u, "CreateVolume", in); ok {
		u.volumes[str(out, "VolumeId")] = "present"
		w.ledger.made(str(out, "VolumeId"), str(in, "SnapshotId"))
		w.say("%s has %s", u.name, str(out, "VolumeId"))
	}
}

func (w *world) usesVolume(u *user, v string, live []string) {
	switch n := w.rng.IntN(10); {
	case n < 4 && len(live) > 0:
		i := pick(w, live)
		if w.first(w.do(u, "AttachVolume", params{"VolumeId": v, "InstanceId": i, "Device": fmt.Sprintf("/dev/sd%c", 'h'+w.rng.IntN(8))})) {
			u.attached[v] = i
		}
	case n < 7:
		in := params{"VolumeId": v}
		if w.chance(20) {
			in["Force"] = true
		}
		if w.first(w.do(u, "DetachVolume", in)) {
			delete(u.attached, v)
		}
	case n < 9:
		if out, ok := w.do(u, "CreateSnapshot", params{"VolumeId": v}); ok {
			s := str(out, "SnapshotId")
			u.snapshots[s], u.from[s] = "present", v
			w.ledger.snapshots[s] = maps.Clone(w.ledger.volumes[v])
			w.say("%s has %s", u.name, s)
		}
	default:
		if w.first(w.do(u, "DeleteVolume", params{"VolumeId": v})) {
			u.volumes[v] = "gone"
		}
	}
}

func (w *world) usesAddress(u *user, live []string) {
	all := make([]string, 0, len(u.addresses))
	for a := range u.addresses {
		all = append(all, a)
	}
	slices.Sort(all)
	switch n := w.rng.IntN(10); {
	case n < 4 || len(all) == 0:
		if out, ok := w.do(u, "AllocateAddress", params{"Domain": "vpc"}); ok {
			u.addresses[str(out, "AllocationId")] = ""
		}
	case n < 8 && len(live) > 0:
		w.do(u, "AssociateAddress", params{"AllocationId": pick(w, all), "InstanceId": pick(w, live), "AllowReassociation": w.chance(50)})
	default:
		if a := pick(w, all); w.first(w.do(u, "ReleaseAddress", params{"AllocationId": a})) {
			delete(u.addresses, a)
		}
	}
}
