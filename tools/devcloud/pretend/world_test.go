package pretend

import (
	"slices"
	"testing"

	"karri/shared/id"
)

// A cloud that is ended and opened again over its folder, in what might be
// another process, has the instances and volumes that it had, and none of them
// has noticed.
func TestACloudThatIsOpenedAgainHasWhatItHad(t *testing.T) {
	Tell(t, func(c *Story) {
		is := c.Run(c.Base, 3)
		v := c.Volume("")
		c.Settle()
		c.Ask("StopInstances", params{"InstanceIds": is[:2]})
		c.Settle()
		c.Ask("StartInstances", params{"InstanceIds": is[1:2]})
		c.Settle()
		c.Ask("AttachVolume", params{"VolumeId": v, "InstanceId": is[1], "Device": "/dev/sdf"})
		c.Settle()
		ran, had := c.running(), c.States(c.Admin)
		if err := c.Close(); err != nil {
			c.Fatal(err)
		}

		conf := c.Config
		conf.Keys = &c.Cloud.Keys
		again, err := Open(c.Context(), conf)
		if err != nil {
			c.Fatal(err)
		}
		defer again.Close()
		if again.Hosts["node1"] == c.Hosts["node1"] {
			c.Fatal("the hosts are the same ones")
		}
		c.Cloud = again
		c.Settle()
		if on := c.running(); len(ran) != 2 || !slices.Equal(on, ran) {
			c.Errorf("%v ran, and %v run", ran, on)
		}
		for thing, state := range c.States(c.Admin) {
			if had[thing] != state {
				c.Errorf("%s was %s and is %s", thing, had[thing], state)
			}
		}
		runs := 0
		for _, h := range c.Hosts {
			runs += h.Runs(id.Instance(is[1]))
		}
		if runs != 2 {
			c.Errorf("%s was let run twice before, and its host says %d", is[1], runs)
		}
		c.Ask("StartInstances", params{"InstanceIds": is[:1]})
		c.Settle()
		c.Terminate(is...)
		c.Settle()
		c.Ask("DeleteVolume", params{"VolumeId": v})
		c.Settle()
		c.MustBeEmpty()
	}, func(c *Config) { c.Keep = true })
}
