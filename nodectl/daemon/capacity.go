package daemon

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"karri/shared/wire"
)

// capacity returns what this host has to give: what the configuration says,
// and where it says nothing, what there is.
func capacity(c *Config, state string) (wire.Capacity, error) {
	t := wire.Capacity{VCPUs: c.VCPUs, MemoryMiB: c.MemoryMiB, DiskGiB: c.DiskGiB}
	if t.VCPUs == 0 {
		t.VCPUs = 8 * runtime.NumCPU()
	}
	if t.MemoryMiB == 0 {
		kib, err := memTotal("/proc/meminfo")
		if err != nil {
			return t, err
		}
		t.MemoryMiB = kib / 1024 * 4 / 5
	}
	if t.DiskGiB == 0 {
		var fs syscall.Statfs_t
		if err := syscall.Statfs(state, &fs); err != nil {
			return t, fmt.Errorf("size of %s: %w", state, err)
		}
		t.DiskGiB = int(fs.Blocks * uint64(fs.Bsize) >> 30 * 4 / 5)
	}
	return t, nil
}

func memTotal(file string) (kib int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if n, _ := fmt.Sscanf(s.Text(), "MemTotal: %d kB", &kib); n == 1 {
			return kib, nil
		}
	}
	return 0, fmt.Errorf("%s does not tell the size of the memory", file)
}

// reachable checks that QEMU, which runs as another user, can reach dir.
func reachable(dir string) error {
	for ; ; dir = filepath.Dir(dir) {
		fi, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if fi.Mode()&0o001 == 0 {
			return fmt.Errorf("QEMU runs as a user of its own and cannot pass through %s: chmod o+x %s", dir, dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}
