package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// cpu returns what the processes of a side have used, to the nanosecond: each
// process has a clock that others may read.
func (s *side) cpu() time.Duration {
	var total time.Duration
	for _, pid := range s.pids {
		var t syscall.Timespec
		clock := ^uintptr(pid)<<3 | 2 // CLOCK_PROCESS_CPUTIME_ID of that process
		if _, _, e := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&t)), 0); e == 0 {
			total += time.Duration(t.Nano())
		}
	}
	return total
}

// memory returns a figure of /proc/PID/status in MiB.
func (s *side) memory(name string) float64 {
	var total float64
	for _, pid := range s.pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(b), name+":")
		var kib float64
		if _, err := fmt.Sscan(rest, &kib); err == nil {
			total += kib / 1024
		}
	}
	return total
}

const (
	glance = 50 * time.Millisecond
	calm   = glance / 25 // of CPU in a glance: at rest
)

// settle waits until the servers are at rest.
func (b *bench) settle(ctx context.Context) error {
	for deadline := time.Now().Add(b.Settle); time.Now().Before(deadline); {
		before := b.cpu()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(glance):
		}
		if b.cpu()-before < calm {
			return nil
		}
	}
	return ctx.Err()
}

func (b *bench) cpu() (total time.Duration) {
	for _, s := range b.sides {
		total += s.cpu()
	}
	return total
}
