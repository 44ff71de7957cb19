package ec2

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"karri/cloudctl/quota"
)

// Fifty requests for the same thing come at once, and none too many is made.
func TestFiftyRequestsAtALimit(t *testing.T) {
	for _, c := range []struct {
		quota, form, code, member string
		most                      int
	}{
		{quota.Instances, "Action=RunInstances&MinCount=1&MaxCount=2&InstanceType=t1.nano&ImageId=IMAGE", "InstanceLimitExceeded", "amiLaunchIndex", 7},
		{quota.CPUs, "Action=RunInstances&MinCount=1&MaxCount=1&InstanceType=t1.nano&ImageId=IMAGE", "VcpuLimitExceeded", "amiLaunchIndex", 5},
		{quota.VolumesGiB, "Action=CreateVolume&Size=3&AvailabilityZone=" + zoneA, "VolumeLimitExceeded", "volumeId", 4},
		{quota.Groups, "Action=CreateSecurityGroup&GroupDescription=x&GroupName=NAME", "SecurityGroupLimitExceeded", "groupId", 6},
	} {
		t.Run(c.quota, func(t *testing.T) {
			w := newWorld(t)
			w.api.Nudge = func() {}
			most := c.most
			switch c.quota {
			case quota.VolumesGiB:
				most = 3*c.most + 2 // no room for one more of 3 GiB
			case quota.Groups:
				most++ // there is a default one
			}
			w.limit(c.quota, most)
			var made atomic.Int64
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					form := strings.NewReplacer("IMAGE", w.image, "NAME", fmt.Sprintf("g%d", i)).Replace(c.form)
					status, body := w.send("ann", form)
					if status == http.StatusOK {
						made.Add(int64(len(all(body, c.member))))
					} else if !strings.Contains(body, "<Code>"+c.code+"</Code>") {
						t.Errorf("%d %s", status, body)
					}
				})
			}
			wg.Wait()
			if int(made.Load()) != c.most {
				t.Errorf("%d were made, the limit lets there be %d", made.Load(), c.most)
			}
		})
	}
}
