// Package libvirtd runs a libvirtd and a virtlogd of our own, apart from any
// that the host may have.
//
// Both run in a private mount namespace in which the five folders of libvirt
// (/run, /var/lib, /var/cache, /var/log and /etc) are folders below ours, so
// that several clouds, and several pretended hosts, live on one machine and
// none touches the host's libvirt. The socket lies below our folder and is
// seen from outside.
//
// QEMU outlives its libvirtd: the daemon may be killed and started again at any
// time and finds its guests by the files in those folders. A new libvirtd gets
// a new namespace with the same folders, which is the same place to it; nothing
// depends on the old namespace. virtlogd holds the ends of the guests' serial
// consoles, so a living one is never replaced.
package libvirtd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"karri/shared/durable"
)

// QEMUUser is the user and group that QEMU runs as unless told otherwise: the
// number that Debian keeps for it.
const QEMUUser = 64055

// Config says where and how the daemons run.
type Config struct {
	State string // folder of all files; made if missing
	User  int    // uid of QEMU; QEMUUser when zero
	Group int    // gid of QEMU; QEMUUser when zero
	NBD   string // folder of ca-cert.pem, client-cert.pem and client-key.pem for volumes; made if missing
	NoKVM bool   // hide /dev/kvm, where it is of no use, from libvirtd and QEMU
	Log   *slog.Logger
}

// Socket is where libvirtd listens when its state is in the folder state.
func Socket(state string) string { return filepath.Join(state, "run", "libvirt-sock") }

// places are the folders of libvirt and what they are called below State.
var places = [][2]string{
	{"/run/libvirt", "run"}, {"/var/lib/libvirt", "lib"}, {"/var/cache/libvirt", "cache"},
	{"/var/log/libvirt", "log"}, {"/etc/libvirt", "etc"},
}

// A /dev/kvm that QEMU's user may not open, or of no use, is worse than none:
// libvirtd asks QEMU what it can do under it, with rights that the user has not,
// finds that the answer does not fit what the user may, and asks again before
// every start. An empty file that nobody may open stands in for it.
//
// One that is of use is replaced by a node of our own for the same device, which
// belongs to QEMU's group: in the host's group kvm there are people, who must not
// get what is QEMU's, nor QEMU what is theirs.
//
// inside is run by a shell in the new mount namespace: $1 is State. The file
// system /sys is mounted anew because it shows the network namespace of
// whoever mounted it. virtlogd leaves for the background by itself.
const inside = `set -e
d=$1
mount --bind "$d/run" /run/libvirt
mount --bind "$d/lib" /var/lib/libvirt
mount --bind "$d/cache" /var/cache/libvirt
mount --bind "$d/log" /var/log/libvirt
mount --bind "$d/etc" /etc/libvirt
for f in passwd group; do [ ! -e "$d/$f" ] || mount --bind "$d/$f" "/etc/$f"; done
if [ "$3" = hide-kvm ] && [ -e /dev/kvm ]; then mount --bind "$d/no-kvm" /dev/kvm; fi
if [ "$3" = show-kvm ] && [ -e /dev/kvm ]; then
  mount -t tmpfs -o mode=0711,size=64k tmpfs "$d/dev"
  mknod -m 0660 "$d/dev/kvm" c $(stat -c '0x%t 0x%T' /dev/kvm)
  chown "0:$4" "$d/dev/kvm"
  mount --bind "$d/dev/kvm" /dev/kvm
fi
mount -t sysfs sysfs /sys 2>/dev/null || true
if [ "$2" = start-virtlogd ]; then virtlogd -d -p /run/libvirt/virtlogd.pid; fi
exec libvirtd -p /run/libvirt/libvirtd.pid
`

// EnsureUp starts what does not run and returns when libvirtd answers. The
// daemons live on after the caller has ended.
func EnsureUp(ctx context.Context, c Config) error {
	if err := c.prepare(); err != nil {
		return fmt.Errorf("prepare libvirtd: %w", err)
	}
	if _, up := c.pid("libvirtd"); up {
		return c.waitReady(ctx, nil)
	}
	unlock, err := lockHost(ctx) // until our mounts are there to be seen
	if err != nil {
		return err
	}
	defer unlock()
	for _, p := range places {
		if err := mountPoint(p[0]); err != nil {
			return err
		}
	}
	virtlogd := "start-virtlogd"
	if _, up := c.pid("virtlogd"); up {
		virtlogd = "keep-virtlogd"
	}
	kvm := "show-kvm"
	if c.NoKVM {
		kvm = "hide-kvm"
	}
	out, err := os.OpenFile(c.path("libvirtd.out"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	_ = os.Remove(Socket(c.State)) // the old one would be taken for an answer that is late
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "--",
		"sh", "-c", inside, "libvirtd", c.State, virtlogd, kvm, fmt.Sprint(c.Group))
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start libvirtd: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with libvirtd, at the latest with us
	return c.waitReady(ctx, ended)
}

// Supervise keeps libvirtd running until ctx ends, and then leaves it as it is.
func Supervise(ctx context.Context, c Config, ready func()) error {
	for first := true; ; {
		err := EnsureUp(ctx, c)
		switch {
		case err != nil && first:
			return err
		case err != nil && ctx.Err() == nil:
			c.log().Error("cannot start libvirtd", "err", err)
		case first:
			first = false
			ready()
		}
		for up := err == nil; up; {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(500 * time.Millisecond):
				if _, up = c.pid("libvirtd"); !up {
					c.log().Warn("libvirtd has ended; starting it again")
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

func (c Config) log() *slog.Logger {
	if c.Log != nil {
		return c.Log
	}
	return slog.Default()
}

func (c Config) path(name ...string) string {
	return filepath.Join(append([]string{c.State}, name...)...)
}

// prepare makes the folders and writes the three configuration files.
func (c *Config) prepare() (err error) {
	if c.State, err = filepath.Abs(c.State); err != nil {
		return err
	}
	if len(Socket(c.State)) > 100 {
		return fmt.Errorf("the path of the folder %s is too long for a socket", c.State)
	}
	for _, tool := range []string{"libvirtd", "virtlogd", "unshare", "qemu-system-x86_64"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%w (Debian: apt-get install libvirt-daemon libvirt-daemon-driver-qemu qemu-system-x86)", err)
		}
	}
	c.User, c.Group = c.Owner()
	if c.NBD == "" {
		c.NBD = c.path("nbd")
	}
	for _, d := range []string{c.State, c.NBD, c.path("run"), c.path("lib"), c.path("lib/qemu"), c.path("cache"), c.path("log"), c.path("etc"), c.path("dev")} {
		if err := os.MkdirAll(d, 0o711); err != nil {
			return err
		}
	}
	if err := c.nameUser(); err != nil {
		return err
	}
	uuid, err := c.hostUUID()
	if err != nil {
		return err
	}
	if err := durable.WriteFile(c.path("no-kvm"), nil, 0); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"libvirtd.conf": libvirtdConf(uuid), "qemu.conf": c.qemuConf(), "virtlogd.conf": virtlogdConf,
	} {
		if err := durable.WriteFile(c.path("etc", name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Owner returns the user that QEMU runs as where nobody names another, and the
// group that it always has.
func (c Config) Owner() (uid, gid int) {
	return cmp.Or(c.User, QEMUUser), cmp.Or(c.Group, QEMUUser)
}

// marker is a file in a folder that we made for the host; with it, any cloud
// knows that the folder may be removed when nobody uses it.
const marker = ".made-by-karri"

// mountPoint makes one of the five folders where the host has none.
func mountPoint(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, marker), nil, 0o644)
}

// nameUser gives libvirtd a passwd and a group file that know the user
// libvirt-qemu, where the host's do not: Debian's libvirtd refuses to start
// without it, even when it is told to use another.
func (c Config) nameUser() error {
	for file, line := range map[string]string{
		"passwd": fmt.Sprintf("libvirt-qemu:x:%d:%d::/nonexistent:/usr/sbin/nologin", c.User, c.Group),
		"group":  fmt.Sprintf("libvirt-qemu:x:%d:", c.Group),
	} {
		b, err := os.ReadFile(filepath.Join("/etc", file))
		if err != nil {
			return err
		}
		if strings.Contains("\n"+string(b), "\nlibvirt-qemu:") {
			continue
		}
		text := strings.TrimRight(string(b), "\n") + "\n" + line + "\n"
		if err := durable.WriteFile(c.path(file), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (c Config) hostUUID() (string, error) {
	file := c.path("host_uuid")
	if b, err := os.ReadFile(file); err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	b, err := os.ReadFile("/proc/sys/kernel/random/uuid")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(b)), durable.WriteFile(file, b, 0o600)
}

func libvirtdConf(uuid string) string {
	return fmt.Sprintf(`listen_tls = 0
listen_tcp = 0
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_ro_perms = "0700"
unix_sock_rw_perms = "0700"
host_uuid = %q
max_clients = 200
prio_workers = 5
`, uuid)
}

// virtlogdConf bounds what a guest can write to our disk by its console.
const virtlogdConf = `max_size = 1048576
max_backups = 1
`

// qemuConf confines QEMU: a user of its own without capabilities, the seccomp
// filter on, no file made over to it that nodectl did not make over. Serial
// consoles go through virtlogd, so that QEMU needs no right to write their files.
func (c Config) qemuConf() string {
	return fmt.Sprintf(`user = "+%d"
group = "+%d"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
seccomp_sandbox = 1
cgroup_controllers = []
namespaces = []
stdio_handler = "logd"
nbd_tls = 1
nbd_tls_x509_cert_dir = %q
max_core = 0
`, c.User, c.Group, c.NBD)
}

var errEnded = errors.New("without an error")

// waitReady returns when libvirtd answers on its socket, or has ended.
func (c Config) waitReady(ctx context.Context, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	for {
		if conn, err := net.Dial("unix", Socket(c.State)); err == nil {
			return conn.Close()
		}
		select {
		case err := <-ended:
			return fmt.Errorf("libvirtd has ended at once (see %s): %w", c.path("libvirtd.out"), cmp.Or(err, errEnded))
		case <-ctx.Done():
			return fmt.Errorf("libvirtd does not answer (see %s): %w", c.path("libvirtd.out"), ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// pid returns the process of one of our daemons and whether it is alive. A
// number that now belongs to another program does not count.
func (c Config) pid(daemon string) (int, bool) {
	b, err := os.ReadFile(c.path("run", daemon+".pid"))
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 1 {
		return 0, false
	}
	return pid, c.ours(pid, daemon)
}

// ours reports whether process pid runs program with one of our folders in the
// place of the host's.
func (c Config) ours(pid int, program string) bool {
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || strings.TrimSpace(string(comm)) != program {
		return false
	}
	mounts, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	return err == nil && slices.ContainsFunc(places, func(p [2]string) bool {
		return strings.Contains(string(mounts), " "+c.path(p[1])+" "+p[0]+" ")
	})
}
