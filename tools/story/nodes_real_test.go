//go:build real

package story

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Two hosts carry one network; two accounts with the same addresses never meet.
func TestTwoNodesTwoAccounts(t *testing.T) {
	c := start(t, 2)
	mine := c.onBothNodes()
	other := c.about(mine[1], "PrivateIpAddress")
	c.mustSSH(mine[0], "ping -c 3 -W 2 "+other)
	c.mustSSH(mine[0], "nc -w 5 "+other+" 22 </dev/null | grep -q SSH")

	stranger := c.as("stranger")
	address := c.about(mine[0], "PrivateIpAddress")
	theirs := stranger.run(1, "--private-ip-address", address)[0]
	if got := stranger.about(theirs, "PrivateIpAddress"); got != address {
		t.Fatalf("the stranger's instance has %s, not %s", got, address)
	}
	// The same address is another machine for each account.
	if out := stranger.mustSSH(theirs, "ping -c 2 -W 2 "+other+" >/dev/null && echo met || echo alone"); out != "alone" {
		t.Error("two accounts' networks meet")
	}
	if _, err := stranger.tryAWS("ec2", "describe-instances", "--instance-ids", mine[0]); err == nil || !strings.Contains(err.Error(), "InvalidInstanceID.NotFound") {
		t.Errorf("a stranger sees another's instance: %v", err)
	}
	c.spoofIsDropped(mine[0], other)
}

// onBothNodes starts instances until each of two nodes has one of them.
func (c *cloud) onBothNodes() []string {
	c.t.Helper()
	ids := c.run(2)
	var nodes []string
	for _, id := range ids {
		out, err := c.command(time.Minute, "karri", "explain", id)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, n := range []string{"node1", "node2"} {
			if strings.Contains(out, "nodectl "+n) {
				nodes = append(nodes, n)
			}
		}
	}
	if len(nodes) != 2 || nodes[0] == nodes[1] {
		c.t.Fatalf("round robin put %v on %v", ids, nodes)
	}
	return ids
}

// spoofIsDropped: packets with another source address do not leave the tap.
func (c *cloud) spoofIsDropped(from, to string) {
	c.t.Helper()
	out := c.mustSSH(from, "ip addr add 172.31.9.9/32 dev eth0; ping -I 172.31.9.9 -c 3 -W 1 "+to+" >/dev/null && echo through || echo dropped; ip addr del 172.31.9.9/32 dev eth0")
	if out != "dropped" {
		c.t.Errorf("a spoofed source address is %s", out)
	}
}

// as makes an account and returns the cloud as its owner sees it.
func (c *cloud) as(name string) *cloud {
	c.t.Helper()
	settings, err := c.command(time.Minute, "karri", "account", "create", name, "--output", "env")
	if err != nil {
		c.t.Fatal(err)
	}
	dir := filepath.Join(c.Dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		c.t.Fatal(err)
	}
	user := &cloud{Site: c.Site, t: c.t, told: c.told}
	user.env = append(user.env, c.env...)
	for line := range strings.Lines(settings) {
		if kv, ok := strings.CutPrefix(strings.TrimSpace(line), "export "); ok {
			k, v, _ := strings.Cut(kv, "=")
			user.env = append(user.env, k+"="+strings.Trim(v, "'"))
		}
	}
	user.image = user.register("guest-of-" + name)
	user.newKey(filepath.Join(dir, "key.pem"))
	user.letSSHIn()
	return user
}

// With full counts: a file of 3 GiB goes up and down and comes back the same.
func TestABigFileComesBackTheSame(t *testing.T) {
	c := start(t, 0)
	mib := 256
	if long {
		mib = 3072
	}
	big, back := filepath.Join(c.Dir, "big"), filepath.Join(c.Dir, "back")
	if _, err := c.command(5*time.Minute, "dd", "if=/dev/urandom", "of="+big, "bs=1M", fmt.Sprint("count=", mib)); err != nil {
		t.Fatal(err)
	}
	c.aws("s3", "mb", "s3://big")
	if _, err := c.command(20*time.Minute, "aws", "s3", "cp", "--no-progress", big, "s3://big/file"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.command(20*time.Minute, "aws", "s3", "cp", "--no-progress", "s3://big/file", back); err != nil {
		t.Fatal(err)
	}
	if out, err := c.command(5*time.Minute, "cmp", big, back); err != nil {
		t.Errorf("%v %s", err, out)
	}
	peak := c.memory("walrus")
	t.Logf("walrus needed %d MiB at most for %d MiB", peak, mib)
	if peak >= 200 {
		t.Errorf("walrus needed %d MiB", peak)
	}
}

// memory returns the most that a daemon has needed, MiB.
func (c *cloud) memory(daemon string) int {
	c.t.Helper()
	pid, ok := c.Process(daemon).Running()
	if !ok {
		c.t.Fatalf("%s does not run", daemon)
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var kib int
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib >> 10
		}
	}
	c.t.Fatal("the kernel tells no VmHWM")
	return 0
}
