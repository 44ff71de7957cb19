package pretend

import (
	"strings"
	"testing"
	"time"

	"karri/shared/id"
	"karri/shared/pki"
)

// A host that is gone for good is forgotten: its volume is served to it no
// more, and whoever has the volume next is served by a daemon that knows the
// lost host's certificate as revoked.
func TestAForgottenHostIsBelievedByNobody(t *testing.T) {
	Tell(t, func(c *Story) {
		i, v := c.Run(c.Base, 1)[0], c.Volume("")
		c.Settle()
		c.Ask("AttachVolume", params{"VolumeId": v, "InstanceId": i, "Device": "/dev/sdf"})
		c.Settle()
		export := c.Stores[c.ZoneNames()[0]].Export
		had := export.Ticket(id.Volume(v))
		who, err := pki.Parse(had.Peer)
		if err != nil || strings.Contains(had.Authority, pki.Revocations) {
			c.Fatalf("served is %+v (%v)", had, err)
		}
		if err := c.Stop(who.Name); err != nil {
			c.Fatal(err)
		}
		if _, err := c.Admin.Call(c.Context(), "karri", "ForgetNode", params{"NodeName": who.Name, "Zone": who.Zone}); err != nil {
			c.Fatal(err)
		}
		c.Settle()
		c.Wait(time.Minute)
		c.Is(i, "stopped")
		if now := export.Ticket(id.Volume(v)); now.Peer != "" {
			c.Errorf("the lost host is still served: %+v", now)
		}
		c.Ask("DetachVolume", params{"VolumeId": v})
		c.Settle()
		c.Is(v, "available")
		next := c.Run(c.Base, 1)[0]
		c.Settle()
		c.Ask("AttachVolume", params{"VolumeId": v, "InstanceId": next, "Device": "/dev/sdf"})
		c.Settle()
		now := export.Ticket(id.Volume(v))
		if now.Peer == "" || now.Peer == had.Peer || !strings.HasPrefix(now.Authority, had.Authority) || !strings.Contains(now.Authority, pki.Revocations) {
			c.Errorf("served to %s, with the authority\n%s", now.Peer, now.Authority)
		}
	})
}
