//go:build real

package story

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What a newcomer does on the first day, with the aws command line and ssh.
func TestTour(t *testing.T) {
	c := start(t, 0)
	t0 := time.Now()
	ids := c.run(2)
	for _, id := range ids {
		if out := c.mustSSH(id, "uname -n"); out != strings.Split(c.about(id, "PrivateDnsName"), ".")[0] {
			t.Errorf("%s calls itself %q", id, out)
		}
		t.Logf("%s answered ssh after %v", id, time.Since(t0).Round(time.Second/10))
	}
	c.reachEachOther(ids)
	c.revokedRuleCuts(ids[0])
	c.bootsAgain(ids[0])
	c.consoleAfterTheEnd(ids)
}

func (c *cloud) reachEachOther(ids []string) {
	c.t.Helper()
	other := c.about(ids[1], "PrivateIpAddress")
	if out, err := c.ssh(ids[0], "ping -c 2 -W 2 "+other); err != nil {
		c.t.Errorf("no ping between instances of one group: %v %s", err, out)
	}
	name := c.about(ids[1], "PrivateDnsName")
	if out, err := c.ssh(ids[0], "nslookup "+name); err != nil || !strings.Contains(out, other) {
		c.t.Errorf("%s is not known by name: %v %s", name, err, out)
	}
}

// revokedRuleCuts: two seconds after a rule is revoked, new connections are
// refused and those that stand are cut.
func (c *cloud) revokedRuleCuts(id string) {
	c.t.Helper()
	address := c.about(id, "PublicIpAddress")
	group := c.about(id, "SecurityGroups[0].GroupId")
	args := c.Control().Within("ssh", "-i", c.key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
		"-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2", "root@"+address, "echo in; sleep 120")
	standing := exec.Command(args[0], args[1:]...)
	standing.Env = c.env
	out, err := standing.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := standing.Start(); err != nil {
		c.t.Fatal(err)
	}
	if b := make([]byte, 3); readAll(out, b) != "in\n" {
		c.t.Error("no standing connection")
	}
	rule := []string{"--group-id", group, "--protocol", "tcp", "--port", "22", "--cidr", "0.0.0.0/0"}
	c.aws(append([]string{"ec2", "revoke-security-group-ingress"}, rule...)...)
	if !eventually(20*time.Second, func() bool { _, err := c.sshTo(address, "true"); return err != nil }) {
		c.t.Error("ssh is let in after its rule was revoked")
	}
	ended := make(chan error, 1)
	go func() { ended <- standing.Wait() }()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		c.t.Error("a standing connection outlives its rule")
		_ = standing.Process.Kill()
		<-ended
	}
	c.aws(append([]string{"ec2", "authorize-security-group-ingress"}, rule...)...)
	if !eventually(time.Minute, func() bool { _, err := c.sshTo(address, "true"); return err == nil }) {
		c.t.Error("ssh is refused after its rule was given back")
	}
}

func readAll(r interface{ Read([]byte) (int, error) }, b []byte) string {
	n := 0
	for n < len(b) {
		m, err := r.Read(b[n:])
		n += m
		if err != nil {
			break
		}
	}
	return string(b[:n])
}

// bootsAgain stops, starts and reboots, and finds the disk as it was left.
func (c *cloud) bootsAgain(id string) {
	c.t.Helper()
	c.mustSSH(id, "echo kept > /root/kept && sync")
	c.aws("ec2", "stop-instances", "--instance-ids", id)
	c.aws("ec2", "wait", "instance-stopped", "--instance-ids", id)
	c.aws("ec2", "start-instances", "--instance-ids", id)
	c.aws("ec2", "wait", "instance-running", "--instance-ids", id)
	if out := c.mustSSH(id, "cat /root/kept"); out != "kept" {
		c.t.Errorf("after stop and start the disk says %q", out)
	}
	before := c.mustSSH(id, "cat /proc/sys/kernel/random/boot_id")
	c.aws("ec2", "reboot-instances", "--instance-ids", id)
	if !eventually(4*time.Minute, func() bool {
		now, err := c.ssh(id, "cat /proc/sys/kernel/random/boot_id")
		return err == nil && now != before
	}) {
		c.t.Error("it does not boot anew after a reboot")
	}
}

// consoleAfterTheEnd terminates all and still reads what they said.
func (c *cloud) consoleAfterTheEnd(ids []string) {
	c.t.Helper()
	c.aws(append([]string{"ec2", "terminate-instances", "--instance-ids"}, ids...)...)
	c.aws(append([]string{"ec2", "wait", "instance-terminated", "--instance-ids"}, ids...)...)
	out := c.aws("ec2", "get-console-output", "--instance-id", ids[0], "--query", "Output")
	if !strings.Contains(out, "boot is done") {
		c.t.Errorf("the console of a terminated instance says %q", out)
	}
}

// A volume's data is there in a snapshot taken while it was written, and in
// the volume that is made of it.
func TestVolumeSnapshotRestore(t *testing.T) {
	c := start(t, 0)
	ids := c.run(2)
	first := c.volume("--size", "1")
	c.attach(first, ids[0], "/dev/sdf")
	c.mustSSH(ids[0], "mkfs.ext4 -q /dev/vdb && mount /dev/vdb /mnt && echo hello > /mnt/before && sync")
	c.mustSSH(ids[0], "(i=0; while [ -e /mnt/before ]; do dd if=/dev/urandom of=/mnt/noise bs=64k count=20 2>/dev/null; sync; done) >/dev/null 2>&1 &")
	snap := c.aws("ec2", "create-snapshot", "--volume-id", first, "--query", "SnapshotId")
	c.aws("ec2", "wait", "snapshot-completed", "--snapshot-ids", snap)
	c.mustSSH(ids[0], "rm /mnt/before; sleep 1; sync; umount /mnt || { sleep 2; umount /mnt; }")

	second := c.volume("--snapshot-id", snap)
	c.attach(second, ids[1], "/dev/sdf")
	out := c.mustSSH(ids[1], "e2fsck -p /dev/vdb >/dev/null; e2fsck -fn /dev/vdb && mount /dev/vdb /mnt && cat /mnt/before && umount /mnt")
	if !strings.HasSuffix(out, "hello") {
		t.Errorf("the restored volume says %q", out)
	}
	for n, v := range []string{first, second} {
		c.aws("ec2", "detach-volume", "--volume-id", v)
		c.aws("ec2", "wait", "volume-available", "--volume-ids", v)
		if out := c.mustSSH(ids[n], "ls /dev/vdb 2>/dev/null || echo none"); out != "none" {
			t.Errorf("%s is still plugged after it was detached", v)
		}
		c.aws("ec2", "delete-volume", "--volume-id", v)
		c.aws("ec2", "wait", "volume-deleted", "--volume-ids", v)
	}
	c.aws("ec2", "delete-snapshot", "--snapshot-id", snap)
}

func (c *cloud) volume(more ...string) string {
	c.t.Helper()
	zone := c.aws("ec2", "describe-availability-zones", "--query", "AvailabilityZones[0].ZoneName")
	id := c.aws(append([]string{"ec2", "create-volume", "--availability-zone", zone, "--query", "VolumeId"}, more...)...)
	c.aws("ec2", "wait", "volume-available", "--volume-ids", id)
	return id
}

func (c *cloud) attach(volume, instance, device string) {
	c.t.Helper()
	c.aws("ec2", "attach-volume", "--volume-id", volume, "--instance-id", instance, "--device", device)
	c.aws("ec2", "wait", "volume-in-use", "--volume-ids", volume)
	if !eventually(2*time.Minute, func() bool {
		return c.aws("ec2", "describe-volumes", "--volume-ids", volume, "--query", "Volumes[0].Attachments[0].State") == "attached"
	}) {
		c.t.Fatalf("%s does not attach", volume)
	}
	c.mustSSH(instance, "i=0; until [ -b /dev/vdb ] || [ $i -ge 50 ]; do usleep 100000; i=$((i+1)); done; [ -b /dev/vdb ]")
}

// An image goes on working after its object was overwritten and deleted.
func TestAnImageOutlivesItsObject(t *testing.T) {
	c := start(t, 0)
	junk := filepath.Join(c.Dir, "junk")
	if out, err := exec.Command("dd", "if=/dev/urandom", "of="+junk, "bs=1M", "count=1").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	c.aws("s3", "cp", "--no-progress", junk, "s3://guest/guest.qcow2")
	c.aws("s3", "rm", "s3://guest/guest.qcow2")
	c.mustSSH(c.run(1)[0], "true")
}
