//go:build real

package story

import (
	"context"
	"testing"
	"time"
)

// A cloud that was taken down and brought up again has its instances running
// again, with their disks, volumes and addresses; a stopped one stays stopped.
func TestDownAndUpAgain(t *testing.T) {
	c := start(t, 0)
	ids := c.run(2)
	v := c.volume("--size", "1")
	c.attach(v, ids[0], "/dev/sdf")
	c.mustSSH(ids[0], "mkfs.ext4 -q /dev/vdb && mount /dev/vdb /mnt && echo kept > /mnt/kept && umount /mnt && echo kept > /root/kept && sync")
	c.aws("ec2", "stop-instances", "--instance-ids", ids[1])
	c.aws("ec2", "wait", "instance-stopped", "--instance-ids", ids[1])
	address := c.about(ids[0], "PrivateIpAddress")

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := c.Down(ctx, false); err != nil {
		t.Fatal(err)
	}
	if err := c.Up(ctx, func(what string) { t.Log(what) }); err != nil {
		t.Fatal(err)
	}
	if out := c.mustSSH(ids[0], "cat /root/kept; mount /dev/vdb /mnt && cat /mnt/kept"); out != "kept\nkept" {
		t.Errorf("after down and up the disks say %q", out)
	}
	if now := c.about(ids[0], "PrivateIpAddress"); now != address {
		t.Errorf("its address was %s and is %s", address, now)
	}
	if s := c.about(ids[1], "State.Name"); s != "stopped" {
		t.Errorf("the stopped instance is %s", s)
	}
}
