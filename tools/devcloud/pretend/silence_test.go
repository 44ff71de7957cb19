package pretend

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/nodectl/host"
	"karri/shared/id"
	"karri/shared/wire"
)

// running lists the machines that run, by what the hosts have.
func (s *Story) running() (all []string) {
	s.Helper()
	for _, h := range s.Hosts {
		is, err := h.Instances(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		for _, i := range is {
			if seen, _ := h.Seen(s.Context(), i, wire.Instance{}); seen.Machine == host.Running {
				all = append(all, string(i))
			}
		}
	}
	slices.Sort(all)
	return all
}

// while stops a daemon, does something to its folder and starts it again.
func (s *Story) while(name string, do func(dir string)) {
	s.Helper()
	if err := s.Stop(name); err != nil {
		s.Fatal(err)
	}
	do(filepath.Join(s.Dir, name))
	if err := s.Start(s.Context(), name); err != nil {
		s.Fatal(err)
	}
}

func (s *Story) copyFiles(from, to, pattern string) {
	s.Helper()
	files, err := filepath.Glob(filepath.Join(from, pattern))
	if err != nil || len(files) == 0 {
		s.Fatalf("no %s in %s (%v)", pattern, from, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			s.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(f)), b, 0o600); err != nil {
			s.Fatal(err)
		}
	}
}

// An old copy of a database knows neither of what was made since nor of what
// was ended: it must end nothing.
func TestARestoredDatabaseEndsNothing(t *testing.T) {
	for _, daemon := range []struct{ name, files string }{{"cloudctl", "cloud.db*"}, {"clusterctl-us-east-1a", "clusterctl.db*"}} {
		t.Run(daemon.name, func(t *testing.T) {
			backup := t.TempDir()
			Tell(t, func(c *Story) {
				old := c.Run(c.Base, 2)
				c.Settle()
				c.while(daemon.name, func(dir string) { c.copyFiles(dir, backup, daemon.files) })
				c.Wait(time.Minute)
				fresh := c.Run(c.Base, 2)
				c.Terminate(old[0])
				c.Settle()
				want := []string{old[1], fresh[0], fresh[1]}
				slices.Sort(want)
				if on := c.running(); !slices.Equal(on, want) {
					c.Fatalf("before: %v runs and should be %v", on, want)
				}
				c.while(daemon.name, func(dir string) {
					for _, f := range []string{"-wal", "-shm"} {
						os.Remove(filepath.Join(dir, strings.TrimSuffix(daemon.files, "*")+f))
					}
					c.copyFiles(backup, dir, daemon.files)
				})
				c.Wait(5 * time.Minute)
				if on := c.running(); !slices.Equal(on, want) {
					c.Errorf("after the restore: %v runs and should be %v", on, want)
				}
				if _, err := c.Admin.Call(c.Context(), "karri", "AdoptCluster", params{"Zone": c.ZoneNames()[0]}); err != nil {
					c.Fatal(err)
				}
				c.Wait(5 * time.Minute)
				if on := c.running(); !slices.Equal(on, want) {
					c.Errorf("after the adoption: %v runs and should be %v", on, want)
				}
				c.Settle()
				next := c.Run(c.Base, 1)[0] // and life goes on
				c.Settle()
				c.Is(next, "running")
				c.Is(old[0], "terminated")
			})
		})
	}
}

func TestTheWholeControlPlaneIsAwayAndNothingEnds(t *testing.T) {
	Tell(t, func(c *Story) {
		is := c.Run(c.Base, 4)
		v := c.Volume("")
		c.Settle()
		c.Ask("AttachVolume", params{"VolumeId": v, "InstanceId": is[0], "Device": "/dev/sdf"})
		c.Settle()
		slices.Sort(is)
		for _, name := range c.Names() {
			if err := c.Stop(name); err != nil {
				c.Fatal(err)
			}
		}
		c.Wait(24 * time.Hour)
		for _, name := range c.Names() {
			if err := c.Start(c.Context(), name); err != nil {
				c.Fatal(err)
			}
		}
		if err := c.waitNodes(c.Context()); err != nil {
			c.Fatal(err)
		}
		c.Wait(10 * time.Minute)
		if on := c.running(); !slices.Equal(on, is) {
			c.Errorf("%v runs and should be %v", on, is)
		}
		for _, h := range c.Hosts {
			for _, i := range is {
				if n := h.Runs(id.Instance(i)); n > 1 {
					c.Errorf("%s was started %d times", i, n)
				}
			}
		}
		c.Is(v+"/attachment", "attached")
		out, err := c.Admin.Call(c.Context(), "ec2", "GetConsoleOutput", params{"InstanceId": is[0]})
		said, _ := base64.StdEncoding.DecodeString(text(out, "Output"))
		if !strings.Contains(string(said), is[0]) {
			c.Errorf("the console says %q (%v)", said, err)
		}
	})
}
