package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"karri/shared/id"
)

// process is a storage daemon that runs. It is held by a pidfd, so that a
// signal can never reach another process that got its number.
type process struct {
	pid   int
	fd    int
	epoch uint64
}

func closeAll(all []process) {
	for _, p := range all {
		_ = unix.Close(p.fd)
	}
}

// find returns the daemons of a volume, by the pid file if it is good.
func (d *Daemons) find(v id.Volume) ([]process, error) {
	b, err := os.ReadFile(d.pidFile(v))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(d.folder(v)); errors.Is(err, fs.ErrNotExist) {
			return nil, nil // the folder is made before a daemon and goes after it
		}
		return d.scan(v)
	}
	if err != nil {
		return nil, err
	}
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
		if p, ok := d.open(pid, v); ok {
			return []process{p}, nil
		}
	}
	return d.scan(v)
}

// scan looks at every process for the daemons of a volume.
func (d *Daemons) scan(v id.Volume) ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var all []process
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if p, ok := d.open(pid, v); ok {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// open takes hold of a process if it is a daemon of the volume. The command
// line is read after the pidfd is open: what is held is what was read.
func (d *Daemons) open(pid int, v id.Volume) (process, bool) {
	if _, ok := d.ours(pid, v); !ok {
		return process{}, false
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return process{}, false
	}
	epoch, ok := d.ours(pid, v)
	if !ok || ended(fd, 0) {
		_ = unix.Close(fd)
		return process{}, false
	}
	return process{pid, fd, epoch}, true
}

// ours reads the epoch from a daemon's command line, if the process is one of
// the volume in this folder.
func (d *Daemons) ours(pid int, v id.Volume) (uint64, bool) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return 0, false
	}
	return parseCommand(b, d.pidFile(v), v)
}

// parseCommand finds out what a command line serves.
func parseCommand(cmdline []byte, pidFile string, v id.Volume) (uint64, bool) {
	args := strings.Split(string(bytes.TrimRight(cmdline, "\x00")), "\x00")
	if filepath.Base(args[0]) != program {
		return 0, false
	}
	own, name := false, ""
	for i := 1; i+1 < len(args); i++ {
		switch args[i] {
		case "--pidfile":
			own = args[i+1] == pidFile
		case "--export":
			var e struct{ Name string }
			if json.Unmarshal([]byte(args[i+1]), &e) == nil {
				name = e.Name
			}
		}
	}
	text, ok := strings.CutPrefix(name, string(v)+"/")
	epoch, err := strconv.ParseUint(text, 10, 64)
	return epoch, own && ok && err == nil && epoch > 0
}

// ended waits for a process's end, at most so long.
func ended(fd int, most time.Duration) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, int(most.Milliseconds()))
		if err != unix.EINTR {
			return err == nil && n > 0
		}
	}
}

// end asks the process to end, then makes it, and returns when it is gone.
func (p process) end(ctx context.Context) error {
	const grain = 50 * time.Millisecond
	signal := unix.SIGTERM
	for waited := time.Duration(0); ; waited += grain {
		if waited == 0 || waited == endTime {
			if err := unix.PidfdSendSignal(p.fd, signal, nil, 0); err != nil && err != unix.ESRCH {
				return err
			}
			signal = unix.SIGKILL
		}
		if ended(p.fd, grain) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("it still runs: %w", err)
		}
	}
}
