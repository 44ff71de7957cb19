package daemon

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/ec2"
	"karri/shared/crash/crashtest"
	"karri/shared/service"
	"karri/shared/sign"
)

const childMark = "KARRI_TEST_CLOUDCTL"

// TestMain runs the tests, or is a cloudctl when a test started it.
func TestMain(m *testing.M) {
	if os.Getenv(childMark) != "" {
		var c Config
		service.Main(Spec(&c), &c)
	}
	os.Exit(m.Run())
}

func rawDisk() []byte {
	b := make([]byte, 128<<10)
	b[510], b[511] = 0x55, 0xaa
	return b
}

// life is the whole way of a user: an image, an instance with a public
// address, a volume, a snapshot, and the end of all of it.
func (c *cloudTest) life() {
	c.Helper()
	c.buckets.UserPut(c.account, "pics", "disk", rawDisk())
	var ami string
	c.persist("register", func() error { // a repeat finds the name taken by the first
		b, err := c.try(values("Action", "DescribeImages", "Filter.1.Name", "name", "Filter.1.Value.1", "base"))
		if ami = first(b, "imageId"); err == nil && ami == "" {
			_, err = c.try(values("Action", "RegisterImage", "Name", "base", "ImageLocation", "pics/disk"))
			if err == nil {
				err = fmt.Errorf("look again")
			}
		}
		return err
	})
	c.until(values("Action", "DescribeImages", "ImageId.1", ami), "<imageState>available</imageState>")
	run := values("Action", "RunInstances", "ImageId", ami, "MinCount", "1", "MaxCount", "1", "InstanceType", "t1.nano", "ClientToken", "t",
		"BlockDeviceMapping.1.DeviceName", "/dev/sdf", "BlockDeviceMapping.1.Ebs.VolumeSize", "1")
	var i string
	c.persist("run", func() error { // no room until the zone was heard
		b, err := c.try(run)
		i = first(b, "instanceId")
		return err
	})
	look := values("Action", "DescribeInstances", "InstanceId.1", i)
	c.until(look, "<name>running</name>")
	c.until(values("Action", "DescribeVolumes"), "<status>attached</status>")
	vol := first(c.ask(values("Action", "DescribeVolumes")), "volumeId")
	snap := first(c.ask(values("Action", "CreateSnapshot", "VolumeId", vol)), "snapshotId")
	c.until(values("Action", "DescribeSnapshots", "SnapshotId.1", snap), "<status>completed</status>")
	if out := c.ask(values("Action", "GetConsoleOutput", "InstanceId", i)); first(out, "output") != "bG9naW46IA==" {
		c.Errorf("console: %s", out)
	}
	c.ask(values("Action", "TerminateInstances", "InstanceId.1", i))
	c.until(look, "<name>terminated</name>")
	c.until(values("Action", "DescribeVolumes"), "<volumeSet/>")
	c.persist("the snapshots' end", func() error {
		b, err := c.try(values("Action", "DescribeSnapshots"))
		if s := first(b, "snapshotId"); err == nil && s != "" {
			_, err = c.try(values("Action", "DeleteSnapshot", "SnapshotId", s))
			return fmt.Errorf("look again: %v", err)
		}
		return err
	})
	c.persist("the image's end", func() error {
		_, _ = c.try(values("Action", "DeregisterImage", "ImageId", ami))
		if left := c.buckets.Keys(ec2.ImageBucket); len(left) > 0 {
			return fmt.Errorf("left: %v", left)
		}
		return nil
	})
	c.nothingLeft()
}

// nothingLeft checks the zone itself.
func (c *cloudTest) nothingLeft() {
	c.Helper()
	c.persist("an empty zone", func() (err error) {
		c.zone.Locked(func() {
			if z := c.zone; len(z.Machines)+len(z.Volumes)+len(z.Exports)+len(z.Snapshots) > 0 {
				err = fmt.Errorf("left: %v %v %v %v", z.Machines, z.Volumes, z.Exports, z.Snapshots)
			}
		})
		return err
	})
	for _, w := range c.zone.Wrongs {
		c.Error(w)
	}
}

// here runs the daemon in this process.
func (c *cloudTest) here() (stop func()) {
	conf := &Config{Region: "us-east-1", PublicAddresses: "192.0.2.0/29"}
	conf.Public = c.public
	return start(c.T, Spec(conf), service.Flags{State: c.state, Listen: c.internal}, nil)
}

func TestAWholeLifeAcrossARestart(t *testing.T) {
	c := newCloudTest(t)
	stop := c.here()
	c.furnish()
	c.life()
	stop()
	c.here()
	c.until(values("Action", "DescribeInstances"), "<name>terminated</name>") // still listed
	for _, bad := range []sign.Credentials{{AccessKey: c.keys.AccessKey, Secret: "wrong"}, {AccessKey: "AKIAUNKNOWN", Secret: c.keys.Secret}} {
		good := c.keys
		c.keys = bad
		if _, err := c.try(values("Action", "DescribeInstances")); err == nil || !strings.Contains(err.Error(), "AuthFailure") && !strings.Contains(err.Error(), "SignatureDoesNotMatch") {
			t.Errorf("%s: %v", bad.AccessKey, err)
		}
		c.keys = good
	}
}

func TestExplainTellsEachTier(t *testing.T) {
	c := newCloudTest(t)
	c.here()
	c.furnish()
	v := first(c.ask(values("Action", "CreateVolume", "Size", "1", "AvailabilityZone", here)), "volumeId")
	c.until(values("Action", "DescribeVolumes", "VolumeId.1", v), "<status>available</status>")
	for thing, pieces := range map[string][]string{
		v:    {"cloudctl", "wanted: present, 1 GiB", "ready true", "seen: ready"},
		"n1": {"node n1 of zone us-east-1a is ready", "all is well"},
	} {
		r, err := http.NewRequest(http.MethodPost, "http://"+c.public+"/", strings.NewReader(`{"Id":"`+thing+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "karri.Explain")
		if err := sign.Request(r, c.keys, sign.Scope{Region: "us-east-1", Service: "karri", At: time.Now()}, ""); err != nil {
			t.Fatal(err)
		}
		b, err := answer(http.DefaultClient.Do(r))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pieces {
			if !strings.Contains(b, p) {
				t.Errorf("%s: no %q in %s", thing, p, b)
			}
		}
	}
}

func TestPoolsOfPublicAddresses(t *testing.T) {
	for text, n := range map[string]int{"": 0, "192.0.2.0/28": 1, "192.0.2.9": 1, "192.0.2.9-192.0.2.12": 4, "192.0.2.0/30, 198.51.100.1-198.51.100.2": 3} {
		if pool, err := parsePool(text); err != nil || len(pool) != n {
			t.Errorf("%q: %v, %v", text, pool, err)
		}
	}
	for _, text := range []string{"x", "192.0.2.0/40", "::1", "192.0.2.9-192.0.2.1", "0.0.0.0-9.0.0.0", "192.0.2.1-x"} {
		if pool, err := parsePool(text); err == nil {
			t.Errorf("%q gives %v", text, pool)
		}
	}
}

// supervise keeps a cloudctl running that ends once at the crash point.
func (c *cloudTest) supervise(at string) <-chan struct{} {
	return crashtest.Supervise(c.T, childMark, at, "--state", c.state, "--listen", c.internal, "--public", c.public,
		"--public-addresses", "192.0.2.0/29", "--log-level", "error", "--trail-delivery", "50ms", "--trail-digest", "1s", "--audit-days", "1")
}

// The binary ends between any two durable writes, and is started again over
// what is on its disk: the user's whole way comes out as if it had not.
func TestTheProcessEndsAtEachNamedPoint(t *testing.T) {
	points := crashtest.Points(t, "..", "../../shared/pki", "../../shared/service", "../../shared/audit", "../../shared/events")
	points = slices.DeleteFunc(points, func(at string) bool {
		return strings.HasPrefix(at, "cloudctl.local.")
	})
	if len(points) < 6 {
		t.Fatalf("only %v", points)
	}
	for _, at := range points {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			c := newCloudTest(t)
			c.oldAudit()
			crashed := c.supervise(at)
			c.furnish()
			c.trail()
			c.life()
			c.trailIsWhole()
			c.persist("the point is passed", func() error {
				select {
				case <-crashed:
					return nil
				default:
					return errors.New("never")
				}
			})
		})
	}
}
