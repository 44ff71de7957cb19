package site

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
)

// A Process is one daemon of a site. It outlives the program that starts it.
type Process struct {
	Name string   // cloudctl, nodectl-h1
	Args []string // the program and its arguments
	Log  string   // what it says
	file string   // holds "pid start-time"
}

func (s *Site) process(name string, args ...string) *Process {
	return &Process{Name: name, Args: args, Log: s.path("log", name+".log"), file: s.path("run", name+".pid")}
}

// Running returns the pid if the process that was started still runs. A pid
// that the kernel gave to another process meanwhile is told by its start time.
func (p *Process) Running() (pid int, ok bool) {
	b, err := os.ReadFile(p.file)
	if err != nil {
		return 0, false
	}
	var start string
	if _, err := fmt.Sscan(string(b), &pid, &start); err != nil {
		return 0, false
	}
	now, err := startTime(pid)
	return pid, err == nil && now == start
}

// Start starts the process unless it runs.
func (p *Process) Start() error {
	if _, ok := p.Running(); ok {
		return nil
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(p.Log), 0o755), os.MkdirAll(filepath.Dir(p.file), 0o755)); err != nil {
		return err
	}
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.Args[0], p.Args[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	pid := cmd.Process.Pid
	start, err := startTime(pid)
	if err != nil {
		return fmt.Errorf("%s ended at once; see %s", p.Name, p.Log)
	}
	go cmd.Wait() // whoever waits first reaps it; a restarted parent need not
	return renameio.WriteFile(p.file, fmt.Appendf(nil, "%d %s\n", pid, start), 0o644)
}

// Kill sends sig to the process if it runs.
func (p *Process) Kill(sig syscall.Signal) error {
	pid, ok := p.Running()
	if !ok {
		return nil
	}
	if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill %s: %w", p.Name, err)
	}
	return nil
}

// Stop asks the process to end, waits, and after ten seconds kills it.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.Kill(syscall.SIGTERM); err != nil {
		return err
	}
	if !until(ctx, 10*time.Second, func() bool { _, ok := p.Running(); return !ok }) {
		if err := p.Kill(syscall.SIGKILL); err != nil {
			return err
		}
		if !until(ctx, 5*time.Second, func() bool { _, ok := p.Running(); return !ok }) {
			return fmt.Errorf("%s does not end", p.Name)
		}
	}
	if err := os.Remove(p.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Tail returns the last lines of the process's log, for an error that says why.
func (p *Process) Tail(lines int) string {
	b, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// startTime is when pid was started, in the kernel's ticks since boot; a
// zombie counts as ended.
func startTime(pid int) (string, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", err
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 20 || f[0] == "Z" {
		return "", fs.ErrNotExist
	}
	return f[19], nil
}

// until asks ok every 50 ms until it says yes, for at most d.
func until(ctx context.Context, d time.Duration, ok func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
	return true
}
