//go:build real

package story

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"karri/nodectl/libvirtd"
)

// Each daemon, libvirtd and a volume's storage daemon are killed while users
// go on; afterwards everything is as was promised, and when all is given back
// nothing is left.
func TestKilledWhileInUse(t *testing.T) {
	c := start(t, 0)
	rounds := 1
	if long {
		rounds = 10
	}
	u := &user{cloud: c, puts: map[string]string{}}
	u.begin()
	for range rounds {
		for _, victim := range []string{"cloudctl", "clusterctl", "node1", "blockstore", "walrus", "libvirtd", "storage"} {
			u.goOn(func() {
				time.Sleep(time.Duration(rand.N(2000)) * time.Millisecond)
				t.Logf("kill -9 %s", victim)
				u.kill(victim)
				time.Sleep(500 * time.Millisecond)
				if err := c.Up(t.Context(), func(string) {}); err != nil {
					t.Errorf("after %s was killed: %v", victim, err)
				}
			})
			u.check(victim)
		}
	}
	u.end()
}

// A user does all that can be interrupted, remembers what was acknowledged,
// and tries again what was not.
type user struct {
	*cloud
	steady string // an instance that must never stop
	boot   string // its boot id
	volume string // attached to it, and written all the time

	mu   sync.Mutex
	puts map[string]string // object -> sha256 of what was acknowledged
}

func (u *user) begin() {
	u.t.Helper()
	u.steady = u.run(1)[0]
	u.boot = u.mustSSH(u.steady, "cat /proc/sys/kernel/random/boot_id")
	u.volume = u.cloud.volume("--size", "1")
	u.attach(u.volume, u.steady, "/dev/sdf")
	u.mustSSH(u.steady, "mkfs.ext4 -q /dev/vdb && mount /dev/vdb /mnt")
	u.mustSSH(u.steady, "(i=0; while :; do i=$((i+1)); echo $i > /mnt/count; sync; sleep 0.2; done) >/dev/null 2>&1 &")
	u.aws("s3", "mb", "s3://kept")
}

// goOn runs meanwhile while instances start and stop, a snapshot is taken, and
// objects are put.
func (u *user) goOn(meanwhile func()) {
	var wg sync.WaitGroup
	wg.Go(u.comeAndGo)
	wg.Go(u.takeSnapshot)
	wg.Go(u.putAndCopy)
	meanwhile()
	wg.Wait()
}

// insist repeats a call until it is acknowledged. What is repeated is harmless
// to repeat: it carries a token, or wishes the same.
func (u *user) insist(args ...string) string {
	var out string
	var err error
	if !eventually(2*time.Minute, func() bool { out, err = u.tryAWS(args...); return err == nil }) {
		u.t.Errorf("not acknowledged within a minute: %v", err)
	}
	return out
}

func (u *user) comeAndGo() {
	token := fmt.Sprint("story-", rand.Uint64())
	id := u.insist("ec2", "run-instances", "--image-id", u.image, "--instance-type", "t1.nano", "--count", "1", "--client-token", token, "--query", "Instances[0].InstanceId")
	if !u.reaches(id, "running") {
		return
	}
	u.plugAndUnplug(id)
	u.insist("ec2", "terminate-instances", "--instance-ids", id)
	u.reaches(id, "terminated")
}

// plugAndUnplug attaches a volume of its own to an instance, and takes it away.
// An attach whose answer was lost is refused the second time, so what counts is
// what is there.
func (u *user) plugAndUnplug(instance string) {
	zone := u.insist("ec2", "describe-availability-zones", "--query", "AvailabilityZones[0].ZoneName")
	v := u.insist("ec2", "create-volume", "--availability-zone", zone, "--size", "1", "--client-token", fmt.Sprint("story-", rand.Uint64()), "--query", "VolumeId")
	u.volumeReaches(v, "State", "available")
	u.becomes(v, "Attachments[0].State", "attached", "ec2", "attach-volume", "--volume-id", v, "--instance-id", instance, "--device", "/dev/sdg")
	u.becomes(v, "State", "available", "ec2", "detach-volume", "--volume-id", v)
	u.becomes(v, "State", "", "ec2", "delete-volume", "--volume-id", v)
}

// becomes asks for a change again and again until it is seen.
func (u *user) becomes(volume, member, want string, change ...string) {
	for range 3 {
		_, _ = u.tryAWS(change...)
		if eventually(40*time.Second, func() bool { return u.volumeIs(volume, member) == want }) {
			return
		}
	}
	u.volumeReaches(volume, member, want)
}

func (u *user) volumeReaches(volume, member, want string) {
	if !eventually(2*time.Minute, func() bool { return u.volumeIs(volume, member) == want }) {
		why, _ := u.command(time.Minute, "karri", "explain", volume)
		u.t.Errorf("%s of %s is %q, not %q:\n%s", member, volume, u.volumeIs(volume, member), want, why)
	}
}

// volumeIs returns a member of a volume, "" when there is no such volume, "?"
// when the cloud does not answer.
func (u *user) volumeIs(volume, member string) string {
	out, err := u.tryAWS("ec2", "describe-volumes", "--volume-ids", volume, "--query", "Volumes[0]."+member)
	switch {
	case err == nil:
		return out
	case strings.Contains(err.Error(), "InvalidVolume.NotFound"):
		return ""
	}
	return "?"
}

func (u *user) reaches(instance, state string) bool {
	var seen string
	ok := eventually(2*time.Minute, func() bool {
		seen, _ = u.tryAWS("ec2", "describe-instances", "--instance-ids", instance, "--query", "Reservations[0].Instances[0].State.Name")
		return seen == state
	})
	if !ok {
		why, _ := u.command(time.Minute, "karri", "explain", instance)
		u.t.Errorf("%s is %s, not %s:\n%s", instance, seen, state, why)
	}
	return ok
}

func (u *user) takeSnapshot() {
	snap := u.insist("ec2", "create-snapshot", "--volume-id", u.volume, "--query", "SnapshotId")
	if !eventually(2*time.Minute, func() bool {
		s, _ := u.tryAWS("ec2", "describe-snapshots", "--snapshot-ids", snap, "--query", "Snapshots[0].State")
		return s == "completed"
	}) {
		why, _ := u.command(time.Minute, "karri", "explain", snap)
		u.t.Errorf("%s does not complete:\n%s", snap, why)
	}
	u.insist("ec2", "delete-snapshot", "--snapshot-id", snap)
}

func (u *user) putAndCopy() {
	for n := range 5 {
		body := fmt.Sprint("body ", rand.Uint64(), strings.Repeat(" and more", 5000))
		key := fmt.Sprintf("put-%d-%d", n, rand.Uint64())
		file := filepath.Join(u.Dir, key)
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			u.t.Error(err)
			return
		}
		sum := sha256.Sum256([]byte(body))
		for _, put := range [][]string{
			{"s3", "cp", "--no-progress", file, "s3://kept/" + key},
			{"s3", "cp", "--no-progress", "s3://kept/" + key, "s3://kept/copy-" + key},
		} {
			u.insist(put...)
			u.mu.Lock()
			u.puts[strings.TrimPrefix(put[len(put)-1], "s3://kept/")] = hex.EncodeToString(sum[:])
			u.mu.Unlock()
		}
	}
}

// kill ends the victim as kill -9 does.
func (u *user) kill(victim string) {
	switch victim {
	case "libvirtd":
		b, err := os.ReadFile(filepath.Join(u.Dir, "node1", "libvirt", "run", "libvirtd.pid"))
		if err != nil {
			u.t.Error(err)
			return
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err != nil {
			u.t.Error(err)
		}
	case "storage":
		for _, pid := range u.storageDaemons() {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				u.t.Error(err)
			}
		}
	default:
		if err := u.Process(victim).Kill(syscall.SIGKILL); err != nil {
			u.t.Error(err)
		}
	}
}

// storageDaemons returns the pids of the storage daemons of this cloud.
func (u *user) storageDaemons() []int {
	var pids []int
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err == nil && strings.HasPrefix(filepath.Base(strings.SplitN(string(b), "\x00", 2)[0]), "qemu-storage-daemon") && strings.Contains(string(b), u.Dir) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// check finds the steady instance unharmed and its disk being written.
func (u *user) check(victim string) {
	u.t.Helper()
	if now := u.mustSSH(u.steady, "cat /proc/sys/kernel/random/boot_id"); now != u.boot {
		u.t.Errorf("killing %s rebooted an instance", victim)
		u.boot = now
	}
	before := u.mustSSH(u.steady, "cat /mnt/count")
	if !eventually(2*time.Minute, func() bool { now, err := u.ssh(u.steady, "cat /mnt/count"); return err == nil && now != before }) {
		why, _ := u.command(time.Minute, "karri", "explain", u.volume)
		u.t.Errorf("after %s was killed the volume is not written any more:\n%s", victim, why)
	}
}

// end compares what was acknowledged with what is there, gives all back, and
// finds nothing left.
func (u *user) end() {
	u.t.Helper()
	got := filepath.Join(u.Dir, "got")
	u.aws("s3", "cp", "--recursive", "--no-progress", "s3://kept/", got)
	for key, want := range u.puts {
		b, err := os.ReadFile(filepath.Join(got, key))
		if err != nil {
			u.t.Fatal(err)
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
			u.t.Errorf("%s is not what was acknowledged", key)
		}
	}
	u.t.Logf("%d objects are as they were acknowledged", len(u.puts))
	if out := u.aws("ec2", "describe-instances", "--filters", "Name=instance-state-name,Values=pending,running,stopping,shutting-down,stopped", "--query", "Reservations[].Instances[].InstanceId"); out != u.steady {
		u.t.Errorf("instances %q are left beside %s", out, u.steady)
	}
	u.mustSSH(u.steady, "true")
	u.aws("ec2", "terminate-instances", "--instance-ids", u.steady)
	u.reaches(u.steady, "terminated")
	if !eventually(2*time.Minute, func() bool {
		s, _ := u.tryAWS("ec2", "describe-volumes", "--volume-ids", u.volume, "--query", "Volumes[0].State")
		return s == "available"
	}) {
		u.t.Error("the volume of a terminated instance is not available")
	}
	u.aws("ec2", "delete-volume", "--volume-id", u.volume)
	u.nothingLeft()
}

// nothingLeft looks at the host itself.
func (u *user) nothingLeft() {
	u.t.Helper()
	for what, look := range map[string]func() string{
		"domains": func() string {
			return say("virsh", "-c", "qemu+unix:///system?socket="+libvirtd.Socket(filepath.Join(u.Dir, "node1", "libvirt")), "list", "--all", "--name")
		},
		"storage daemons": func() string { return strings.Trim(fmt.Sprint(u.storageDaemons()), "[]") },
		"routers":         func() string { return say("sh", "-c", "ls /run/netns | grep '^k"+u.Cloud+"' || true") },
		"disks": func() string {
			return say("sh", "-c", "ls "+filepath.Join(u.Dir, "node1", "disks")+"/i-* 2>/dev/null || true")
		},
		"layers": func() string { return say("sh", "-c", "find "+filepath.Join(u.Dir, "blockstore")+" -name '*.qcow2'") },
	} {
		var left string
		if !eventually(2*time.Minute, func() bool { left = look(); return left == "" }) {
			u.t.Errorf("%s are left: %s", what, left)
		}
	}
}

func say(args ...string) string {
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return err.Error() + ": " + string(out)
	}
	return strings.TrimSpace(string(out))
}
