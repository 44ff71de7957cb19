package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// A check looks at one thing that a host needs. It finds nothing wrong, or says
// what is wrong and how to mend it.
type check struct {
	ID    string
	Grave bool // without it no instance runs here
	Look  func(ctx context.Context, state string) (seen string, err error)
	Cure  string
}

// A finding is what a check saw.
type finding struct {
	ID    string `json:"id"`
	State string `json:"state"` // ok, warning or error
	Seen  string `json:"seen"`
	Cure  string `json:"cure,omitempty"`
}

var checks = []check{
	{"root", true, isRoot, "run nodectl as root: it makes network namespaces and virtual machines"},
	{"qemu", true, program("qemu-system-x86_64", "--version"), "apt-get install qemu-system-x86 qemu-utils"},
	{"libvirt", true, program("libvirtd", "--version"), "apt-get install libvirt-daemon libvirt-daemon-driver-qemu"},
	{"nft", true, program("nft", "--version"), "apt-get install nftables"},
	{"iproute", true, program("ip", "-Version"), "apt-get install iproute2"},
	{"tun", true, device("/dev/net/tun", ""), "modprobe tun"},
	{"kvm", false, device("/dev/kvm", "; whether it is faster than emulation is measured by nodectl"), "switch on virtualisation in the firmware, or go on: nodectl measures what is fastest and falls back to emulation"},
	{"vxlan", true, vxlan, "modprobe vxlan"},
	{"memory", false, memory, "instances and daemons share less than 2 GiB: add memory"},
	{"disk", true, disk, "less than 5 GiB are free where the state is kept: make room, or choose another folder with --state"},
	{"fsync", false, fsync, "the disk takes long to make a write durable: put the state on an SSD"},
	{"resolver", false, resolver, "guests have no DNS beyond the cloud until /etc/resolv.conf names a server"},
}

func doctorCommand() *cobra.Command {
	state := "/var/lib/karri"
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine this host and say how to mend what is wrong",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := examine(cmd.Context(), state)
			if out, err := cmd.Flags().GetString("output"); err == nil && out == "json" {
				b, err := json.MarshalIndent(findings, "", "  ")
				if err != nil {
					return err
				}
				fmt.Println(string(b))
			} else {
				tell(findings)
			}
			if slices.ContainsFunc(findings, func(f finding) bool { return f.State == "error" }) {
				return errors.New("this host cannot run instances as it is")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&state, "state", state, "folder where the cloud keeps its state")
	return cmd
}

func examine(ctx context.Context, state string) []finding {
	var all []finding
	for _, c := range checks {
		seen, err := c.Look(ctx, state)
		f := finding{ID: c.ID, State: "ok", Seen: seen}
		if err != nil {
			f.State, f.Seen, f.Cure = "warning", err.Error(), c.Cure
			if c.Grave {
				f.State = "error"
			}
		}
		all = append(all, f)
	}
	return all
}

func tell(all []finding) {
	for _, f := range all {
		fmt.Printf("%-8s %-9s %s\n", f.State, f.ID, f.Seen)
		if f.Cure != "" {
			fmt.Printf("%18s mend: %s\n", "", f.Cure)
		}
	}
}

func isRoot(context.Context, string) (string, error) {
	if os.Geteuid() != 0 {
		return "", fmt.Errorf("this is user %d", os.Geteuid())
	}
	return "yes", nil
}

func program(name string, args ...string) func(context.Context, string) (string, error) {
	return func(ctx context.Context, _ string) (string, error) {
		out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("%s does not run: %w", name, err)
		}
		first, _, _ := strings.Cut(string(out), "\n")
		return first, nil
	}
}

func device(path, more string) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return "", err
		}
		return path + " opens" + more, f.Close()
	}
}

// vxlan tries in a namespace of its own, so that nothing is left behind.
func vxlan(ctx context.Context, _ string) (string, error) {
	out, err := exec.CommandContext(ctx, "unshare", "--net", "ip", "link", "add", "doctor", "type", "vxlan", "id", "1", "dstport", "4789").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("no VXLAN interface can be made: %s", strings.TrimSpace(string(out)))
	}
	return "can be made", nil
}

func memory(context.Context, string) (string, error) {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "MemAvailable:" {
			kib, err := strconv.Atoi(f[1])
			if err == nil && kib < 2<<20 {
				err = fmt.Errorf("%d MiB are available", kib>>10)
			}
			return fmt.Sprintf("%d MiB are available", kib>>10), err
		}
	}
	return "", errors.New("/proc/meminfo names no MemAvailable")
}

func disk(_ context.Context, state string) (string, error) {
	dir := existing(state)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return "", err
	}
	gib := fs.Bavail * uint64(fs.Bsize) >> 30
	if gib < 5 {
		return "", fmt.Errorf("%d GiB are free in %s", gib, dir)
	}
	return fmt.Sprintf("%d GiB are free in %s", gib, dir), nil
}

// fsync measures how long a small durable write takes, in the middle of eleven.
func fsync(_ context.Context, state string) (string, error) {
	f, err := os.CreateTemp(existing(state), "doctor")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var took []time.Duration
	for range 11 {
		t := time.Now()
		if _, err := f.WriteString("karri"); err != nil {
			return "", err
		}
		if err := f.Sync(); err != nil {
			return "", err
		}
		took = append(took, time.Since(t))
	}
	slices.Sort(took)
	mid := took[len(took)/2].Round(10 * time.Microsecond)
	if mid > 20*time.Millisecond {
		return "", fmt.Errorf("%v for a durable write", mid)
	}
	return fmt.Sprintf("%v for a durable write", mid), nil
}

func resolver(context.Context, string) (string, error) {
	b, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "nameserver" {
			return f[1], nil
		}
	}
	return "", errors.New("/etc/resolv.conf names no server")
}

// existing returns dir or the nearest folder above it that is there.
func existing(dir string) string {
	for dir != "/" && dir != "." {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	return dir
}
