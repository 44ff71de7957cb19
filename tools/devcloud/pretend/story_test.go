package pretend

import (
	"os"
	"slices"
	"testing"
	"time"

	"karri/shared/id"
	"karri/shared/sign"
	"karri/shared/wire"
)

type params = map[string]any

func TestTerminatedWhileStartingLeavesNothing(t *testing.T) {
	Tell(t, func(c *Story) {
		i := c.Run(c.Base, 1)[0]
		c.Terminate(i) // before any host has seen it
		c.Settle()
		c.Is(i, "terminated")
		c.MustBeEmpty()
	}, Hosts(2))
}

// With a public address, a volume that ends with it and one that does not,
// terminated at each moment of its start.
func TestTerminatedAtAnyMomentLeavesNothing(t *testing.T) {
	Tell(t, func(c *Story) {
		step := 150
		if os.Getenv("KARRI_TEST") == "long" {
			step = 10
		}
		for ms := 0; ms <= 1000; ms += step {
			in := Launch(c.Base, 2)
			in["BlockDeviceMappings"] = []params{{"DeviceName": "/dev/sdg", "Ebs": params{"VolumeSize": 1, "DeleteOnTermination": true}}}
			is := Instances(c.Ask("RunInstances", in))
			v := c.Volume("")
			c.Wait(time.Duration(ms) * time.Millisecond / 2)
			c.Admin.Call(c.Context(), "ec2", "AttachVolume", params{"VolumeId": v, "InstanceId": is[0], "Device": "/dev/sdf"})
			c.Wait(time.Duration(ms) * time.Millisecond / 2)
			c.Terminate(is...)
			c.Settle()
			c.Ask("DeleteVolume", params{"VolumeId": v})
			c.Settle()
			if c.MustBeEmpty(); c.Failed() {
				c.Fatalf("terminated after %d ms", ms)
			}
		}
	})
}

func TestARequestSentTwiceMakesOneInstance(t *testing.T) {
	Tell(t, func(c *Story) {
		in := Launch(c.Base, 1)
		in["ClientToken"] = "once"
		first := Instances(c.Ask("RunInstances", in))
		if err := c.Stop("cloudctl"); err != nil { // the answer was lost on the way
			c.Fatal(err)
		}
		if err := c.Start(c.Context(), "cloudctl"); err != nil {
			c.Fatal(err)
		}
		var second []string
		err := c.Until(c.Context(), time.Minute, func() (bool, error) {
			out, err := c.Admin.Call(c.Context(), "ec2", "RunInstances", in)
			second = Instances(out)
			return err == nil, err
		})
		if err != nil || !slices.Equal(first, second) {
			c.Fatalf("%v, then %v (%v)", first, second, err)
		}
		c.Settle()
		if n := len(c.States(c.Admin)); n != 1 {
			c.Errorf("there are %d instances", n)
		}
		other := Launch(c.Base, 2)
		other["ClientToken"] = "once"
		c.Refused(c.Admin, "IdempotentParameterMismatch", "RunInstances", other)
		c.Terminate(first...)
		c.Settle()
		c.MustBeEmpty()
	})
}

func TestAVolumeGoesFromOneInstanceToAnother(t *testing.T) {
	Tell(t, func(c *Story) {
		is := c.Run(c.Base, 2) // round robin: one on each host
		v := c.Volume("")
		c.Settle()
		for _, i := range []string{is[0], is[1], is[0]} {
			c.Ask("AttachVolume", params{"VolumeId": v, "InstanceId": i, "Device": "/dev/sdf"})
			c.Settle()
			c.Is(v+"/attachment", "attached")
			if on := c.holders(id.Volume(v)); len(on) != 1 || on[0] != i {
				c.Errorf("%s is plugged into %v and should be in %s", v, on, i)
			}
			c.Refused(c.Admin, "VolumeInUse", "DeleteVolume", params{"VolumeId": v})
			c.Ask("DetachVolume", params{"VolumeId": v})
			c.Settle()
			c.Is(v, "available")
			if on := c.holders(id.Volume(v)); len(on) != 0 {
				c.Errorf("%s was detached and is plugged into %v", v, on)
			}
		}
		c.Ask("DeleteVolume", params{"VolumeId": v})
		c.Terminate(is...)
		c.Settle()
		c.MustBeEmpty()
	})
}

// holders lists the instances that have a volume, by what the hosts have.
func (s *Story) holders(v id.Volume) (all []string) {
	s.Helper()
	for _, h := range s.Hosts {
		is, err := h.Instances(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		for _, i := range is {
			if seen, _ := h.Seen(s.Context(), i, wire.Instance{}); seen.Volumes[v].Epoch > 0 {
				all = append(all, string(i))
			}
		}
	}
	return all
}

func TestAVolumeFromASnapshotHasItsBytes(t *testing.T) {
	Tell(t, func(c *Story) {
		zone := c.Stores[c.ZoneNames()[0]]
		i, v := c.Run(c.Base, 1)[0], c.Volume("")
		c.Settle()
		c.Ask("AttachVolume", params{"VolumeId": v, "InstanceId": i, "Device": "/dev/sdf"})
		c.Settle()
		block := func(b byte) []byte { return slices.Repeat([]byte{b}, 4096) }
		if err := zone.Export.Write(id.Volume(v), 0, block('a')); err != nil {
			c.Fatal(err)
		}
		s := text(c.Ask("CreateSnapshot", params{"VolumeId": v}), "SnapshotId")
		err := c.Until(c.Context(), time.Minute, func() (bool, error) {
			zone.Export.Write(id.Volume(v), 1<<20, block('b')) // the guest goes on
			return c.States(c.Admin)[s] == "completed", nil
		})
		if err != nil {
			c.Fatal(err)
		}
		twin := c.Volume(s)
		c.Settle()
		c.Is(twin, "available")
		got := make([]byte, 4096)
		if _, err := zone.Disk.Read(id.Volume(twin), got, 0); err != nil || !slices.Equal(got, block('a')) {
			c.Errorf("it begins with %q (%v)", got[:4], err)
		}
		c.Terminate(i)
		c.Settle()
		for _, v := range []string{v, twin} {
			c.Ask("DeleteVolume", params{"VolumeId": v})
		}
		c.Ask("DeleteSnapshot", params{"SnapshotId": s})
		c.Settle()
		c.MustBeEmpty()
	})
}

func TestAZoneThatIsFullSaysSoAndWritesNothing(t *testing.T) {
	Tell(t, func(c *Story) {
		is := c.Run(c.Base, 3)
		c.Refused(c.Admin, "InsufficientInstanceCapacity", "RunInstances", Launch(c.Base, 2)) // not even placed yet
		c.Settle()
		c.Refused(c.Admin, "InsufficientInstanceCapacity", "RunInstances", Launch(c.Base, 2))
		if n := len(c.States(c.Admin)); n != 3 {
			c.Errorf("there are %d instances", n)
		}
		in := Launch(c.Base, 1)
		in["MaxCount"] = 5 // as many as fit
		last := Instances(c.Ask("RunInstances", in))
		if len(last) != 1 {
			c.Errorf("%d were launched into the room of 1", len(last))
		}
		c.Settle()
		for _, i := range append(is, last...) {
			c.Is(i, "running")
		}
		c.Terminate(is[0])
		c.Settle()
		again := c.Run(c.Base, 1)
		c.Settle()
		c.Is(again[0], "running")
		c.Terminate(append(append(is, last...), again...)...)
		c.Settle()
		c.MustBeEmpty()
	}, Hosts(2), Sized(Size{VCPUs: 2, MemoryMiB: 1024, DiskGiB: 10}))
}

// account makes an account and returns its user.
func (s *Story) account(name string) *Client {
	s.Helper()
	out, err := s.Admin.Call(s.Context(), "karri", "CreateAccount", params{"Name": name})
	if err != nil {
		s.Fatal(err)
	}
	u := s.As(sign.Credentials{AccessKey: text(out, "AccessKeyId"), Secret: text(out, "SecretAccessKey")})
	s.Cleanup(u.Close)
	return u
}

func TestAnAccountNeverSeesAnothers(t *testing.T) {
	Tell(t, func(c *Story) {
		ann, bob := c.account("ann"), c.account("bob")
		image, err := ann.Image(c.Context())
		if err != nil {
			c.Fatal(err)
		}
		i := Instances(c.AskAs(ann, "RunInstances", Launch(image, 1)))[0]
		v := text(c.AskAs(ann, "CreateVolume", params{"AvailabilityZone": c.ZoneNames()[0], "Size": 1}), "VolumeId")
		c.Wait(time.Minute)
		s := text(c.AskAs(ann, "CreateSnapshot", params{"VolumeId": v}), "SnapshotId")
		c.Wait(time.Minute)
		if seen := c.States(bob); len(seen) > 0 {
			c.Errorf("bob sees %v", seen)
		}
		for _, r := range []struct {
			code, action string
			in           params
		}{
			{"InvalidAMIID.NotFound", "RunInstances", Launch(image, 1)},
			{"InvalidInstanceID.NotFound", "DescribeInstances", params{"InstanceIds": []string{i}}},
			{"InvalidInstanceID.NotFound", "TerminateInstances", params{"InstanceIds": []string{i}}},
			{"InvalidInstanceID.NotFound", "StopInstances", params{"InstanceIds": []string{i}}},
			{"InvalidInstanceID.NotFound", "GetConsoleOutput", params{"InstanceId": i}},
			{"InvalidVolume.NotFound", "DeleteVolume", params{"VolumeId": v}},
			{"InvalidVolume.NotFound", "AttachVolume", params{"VolumeId": v, "InstanceId": i, "Device": "/dev/sdf"}},
			{"InvalidVolume.NotFound", "CreateSnapshot", params{"VolumeId": v}},
			{"InvalidSnapshot.NotFound", "CreateVolume", params{"AvailabilityZone": c.ZoneNames()[0], "SnapshotId": s}},
			{"InvalidSnapshot.NotFound", "DeleteSnapshot", params{"SnapshotId": s}},
		} {
			c.Refused(bob, r.code, r.action, r.in)
		}
		if _, err := bob.Call(c.Context(), "karri", "ListAccounts", nil); CodeOf(err) != "UnauthorizedOperation" && CodeOf(err) != "AccessDenied" {
			c.Errorf("bob asks for the accounts: %v", err)
		}
		want := map[string]string{i: "running", v: "available", s: "completed"}
		for thing, state := range c.States(ann) {
			if want[thing] != state {
				c.Errorf("%s of ann's is %s", thing, state)
			}
		}
	})
}

func TestASuspendedAccountIsRefusedAndKeepsWhatItHas(t *testing.T) {
	Tell(t, func(c *Story) {
		ann := c.account("ann")
		image, err := ann.Image(c.Context())
		if err != nil {
			c.Fatal(err)
		}
		i := Instances(c.AskAs(ann, "RunInstances", Launch(image, 1)))[0]
		c.Wait(time.Minute)
		out, err := c.Admin.Call(c.Context(), "karri", "ListAccounts", nil)
		if err != nil {
			c.Fatal(err)
		}
		for _, a := range List(out, "Accounts") {
			if a["Name"] == "ann" {
				if _, err := c.Admin.Call(c.Context(), "karri", "SuspendAccount", params{"AccountId": a["AccountId"]}); err != nil {
					c.Fatal(err)
				}
			}
		}
		if _, err := ann.Call(c.Context(), "ec2", "DescribeInstances", nil); CodeOf(err) != "AuthFailure" {
			c.Errorf("ann is answered %v", err)
		}
		c.Wait(10 * time.Minute)
		if on := c.running(); !slices.Equal(on, []string{i}) {
			c.Errorf("what runs is %v", on)
		}
	})
}
