package pretend

import (
	"testing"
	"time"
)

// With certificates of an hour a cloud lives for longer than those of each
// daemon: every call is answered, instances are launched and ended, and no
// daemon is started again.
func TestShortCertificatesAreRenewedWhileTheCloudIsUsed(t *testing.T) {
	short := func(c *Config) {
		c.Cloudctl, c.Clusterctl = []string{"--certificate-life", "1h"}, []string{"--certificate-life", "1h"}
	}
	Tell(t, func(c *Story) {
		had := map[string]map[string]bool{}
		var ids []string
		for range 6 {
			more := c.Run(c.Base, 1)
			c.Settle()
			if got := c.States(c.Admin)[more[0]]; got != "running" {
				t.Fatalf("%s is %s", more[0], got)
			}
			if ids = append(ids, more...); len(ids) > 2 {
				c.Terminate(ids[0])
				ids = ids[1:]
			}
			if err := c.Admin.Put(c.Context(), "pond", "fish", []byte("carp")); err != nil {
				t.Fatal(err)
			}
			for _, p := range c.parts {
				cert := p.service.Self().Chain[0]
				if left := cert.NotAfter.Sub(time.Now()); left > time.Hour || left < 0 {
					t.Fatalf("%s has a certificate for %s", p.name, left)
				}
				if had[p.name] == nil {
					had[p.name] = map[string]bool{}
				}
				had[p.name][cert.SerialNumber.String()] = true
			}
			c.Wait(12 * time.Minute)
		}
		for name, serials := range had {
			if len(serials) < 2 {
				t.Errorf("%s had %d certificates in more than an hour", name, len(serials))
			}
		}
	}, short, Hosts(1))
}
