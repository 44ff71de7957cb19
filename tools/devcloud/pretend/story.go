package pretend

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"karri/shared/memnet"
)

// Story is a cloud that a test tells something of. Its methods fail the test
// when what they ask for is refused.
type Story struct {
	*Cloud
	*testing.T
	Base string // an image that can be run
}

// An Option changes what cloud a story is told of: one zone with two hosts.
type Option func(*Config)

// Hosts sets the number of hosts in each zone.
func Hosts(n int) Option { return func(c *Config) { c.Hosts = n } }

// Zones sets the number of zones.
func Zones(n int) Option { return func(c *Config) { c.Zones = n } }

// Sized sets what each host has to give.
func Sized(s Size) Option { return func(c *Config) { c.Size = s } }

// Tell starts a cloud within a bubble, in which hours pass in a moment, tells
// the story, and ends the cloud.
func Tell(t *testing.T, story func(c *Story), options ...Option) {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "karri-story-") // a story waits for many fsyncs
	if err != nil {
		dir = t.TempDir()
	}
	defer os.RemoveAll(dir)
	conf := Config{Dir: dir, Zones: 1, Hosts: 2}
	for _, o := range options {
		o(&conf)
	}
	synctest.Test(t, func(t *testing.T) {
		conf.Net = &memnet.Network{}
		c, err := Open(t.Context(), conf)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}()
		s := &Story{Cloud: c, T: t}
		if s.Base, err = c.Admin.Image(t.Context()); err != nil {
			t.Fatal(err)
		}
		story(s)
	})
}

// Ask asks as the administrator.
func (s *Story) Ask(action string, params map[string]any) map[string]any {
	s.Helper()
	return s.AskAs(s.Admin, action, params)
}

// AskAs asks EC2 as a user.
func (s *Story) AskAs(u *Client, action string, params map[string]any) map[string]any {
	s.Helper()
	out, err := u.Call(s.Context(), "ec2", action, params)
	if err != nil {
		s.Fatalf("%s %v: %v", action, params, err)
	}
	return out
}

// Refused asks, and fails the test unless the answer is the code.
func (s *Story) Refused(u *Client, code, action string, params map[string]any) {
	s.Helper()
	if out, err := u.Call(s.Context(), "ec2", action, params); CodeOf(err) != code {
		s.Errorf("%s %v: want %s, got %v %v", action, params, code, out, err)
	}
}

// Run launches n instances and returns their ids.
func (s *Story) Run(image string, n int) []string {
	s.Helper()
	return Instances(s.Ask("RunInstances", Launch(image, n)))
}

// Launch is what RunInstances is asked for n small instances.
func Launch(image string, n int) map[string]any {
	return map[string]any{"ImageId": image, "MinCount": n, "MaxCount": n, "InstanceType": "t1.nano"}
}

// Instances returns the ids of a reservation's instances.
func Instances(reservation map[string]any) (ids []string) {
	for _, i := range List(reservation, "Instances") {
		ids = append(ids, i["InstanceId"].(string))
	}
	return ids
}

// Terminate wishes instances gone.
func (s *Story) Terminate(ids ...string) {
	s.Helper()
	s.Ask("TerminateInstances", map[string]any{"InstanceIds": ids})
}

// Volume makes a volume of one GiB in the first zone, from a snapshot unless
// that is "".
func (s *Story) Volume(snapshot string) string {
	s.Helper()
	in := map[string]any{"AvailabilityZone": s.ZoneNames()[0], "Size": 1}
	if snapshot != "" {
		in["SnapshotId"] = snapshot
	}
	return s.Ask("CreateVolume", in)["VolumeId"].(string)
}

// States returns the states of all instances, volumes and snapshots of a user,
// and of attachments under VOLUME/attachment.
func (s *Story) States(u *Client) map[string]string {
	s.Helper()
	states := map[string]string{}
	for _, r := range List(s.AskAs(u, "DescribeInstances", nil), "Reservations") {
		for _, i := range List(r, "Instances") {
			state, _ := i["State"].(map[string]any)
			states[text(i, "InstanceId")] = text(state, "Name")
		}
	}
	for _, v := range List(s.AskAs(u, "DescribeVolumes", nil), "Volumes") {
		states[text(v, "VolumeId")] = text(v, "State")
		for _, a := range List(v, "Attachments") {
			states[text(v, "VolumeId")+"/attachment"] = text(a, "State")
		}
	}
	for _, p := range List(s.AskAs(u, "DescribeSnapshots", map[string]any{"OwnerIds": []string{"self"}}), "Snapshots") {
		states[text(p, "SnapshotId")] = text(p, "State")
	}
	return states
}

// passing are the states that nothing stays in.
var passing = []string{"pending", "stopping", "shutting-down", "creating", "deleting", "attaching", "detaching"}

// Settle lets time pass until nothing of the administrator's is on its way to
// something else. What needs more than five minutes is stuck.
func (s *Story) Settle() {
	s.Helper()
	var states map[string]string
	err := s.Until(s.Context(), 5*time.Minute, func() (bool, error) {
		states = s.States(s.Admin)
		for thing, state := range states {
			if slices.Contains(passing, state) {
				return false, fmt.Errorf("%s is %s", thing, state)
			}
		}
		return true, nil
	})
	if err != nil {
		s.Fatalf("stuck: %v: %v", err, states)
	}
}

// Wait lets time pass.
func (s *Story) Wait(d time.Duration) { time.Sleep(d) }

// Is fails the test unless a thing of the administrator's is in a state.
func (s *Story) Is(thing, state string) {
	s.Helper()
	if got := s.States(s.Admin)[thing]; got != state {
		s.Errorf("%s is %q and should be %q", thing, got, state)
	}
}

// MustBeEmpty fails the test if anything is left: a machine, a disk or a place
// in a network on any host; a volume or an export in any zone; a row of any
// user that would cost something.
func (s *Story) MustBeEmpty() {
	s.Helper()
	var left []string
	err := s.Until(s.Context(), time.Minute, func() (empty bool, err error) { // what one tier knows the next hears later
		left, err = s.Left(s.Context())
		return len(left) == 0, err
	})
	if err != nil {
		s.Errorf("left are:\n%s\n%v", strings.Join(left, "\n"), err)
	}
}

// Left says in words what there is of anything that users make.
func (c *Cloud) Left(ctx context.Context) (left []string, err error) {
	for name, h := range c.Hosts {
		on, bad := h.Left(ctx)
		err = errors.Join(err, bad)
		for _, what := range append(on, h.Wrong()...) {
			left = append(left, name+": "+what)
		}
	}
	for zone, s := range c.Stores {
		volumes, bad := s.Disk.Volumes(ctx)
		err = errors.Join(err, bad)
		for _, v := range volumes {
			left = append(left, fmt.Sprintf("%s: volume %s, served as %q", zone, v, s.Export.Ticket(v).Peer))
		}
		left = append(left, s.Export.Wrongs()...)
	}
	for _, list := range []struct{ action, member, id string }{
		{"DescribeVolumes", "Volumes", "VolumeId"}, {"DescribeAddresses", "Addresses", "PublicIp"}, {"DescribeNetworkInterfaces", "NetworkInterfaces", "NetworkInterfaceId"},
	} {
		out, bad := c.Admin.Call(ctx, "ec2", list.action, nil)
		err = errors.Join(err, bad)
		for _, row := range List(out, list.member) {
			left = append(left, fmt.Sprintf("row of %v", row[list.id]))
		}
	}
	out, bad := c.Admin.Call(ctx, "ec2", "DescribeInstances", nil)
	for _, r := range List(out, "Reservations") {
		for _, i := range List(r, "Instances") {
			if state, _ := i["State"].(map[string]any); state["Name"] != "terminated" {
				left = append(left, fmt.Sprintf("%v is %v", i["InstanceId"], state["Name"]))
			}
		}
	}
	out, nodes := c.Admin.Call(ctx, "karri", "DescribeNodes", nil)
	for _, n := range List(out, "Nodes") {
		if n["UsedVCpus"] != 0.0 {
			left = append(left, fmt.Sprintf("places on node %v: %v", n["NodeName"], n["UsedVCpus"]))
		}
	}
	slices.Sort(left)
	return left, errors.Join(err, bad, nodes)
}
