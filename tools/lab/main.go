// Command lab runs a whole Karri cloud on one machine.
//
// With no hosts asked for, the machine itself is the only host: that is what
// tools/up runs. With --hosts N each host is a network namespace with a
// libvirtd of its own, joined by a bridge: several hosts on one machine, for
// tests and demonstrations. What it keeps, and what a crash does, is told in
// package site.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"karri/shared/config"
	"karri/tools/site"
)

type settings struct {
	State string `flag:"state" default:"/var/lib/karri" help:"folder of the cloud"`
	Hosts int    `flag:"hosts" help:"hosts to pretend; 0: this machine is the one host (kept from the first start)"`
	Purge bool   `flag:"purge" help:"down: also remove every network, rule and file of the cloud"`
}

var program = config.Program{
	Name:    "lab",
	Purpose: "Runs a whole cloud on this machine: lab up starts what is missing, lab down stops it, lab status tells what runs where, lab sh COMMAND... runs a command where users of a lab with several hosts are, lab ready URL tells by its exit code whether a daemon is ready.",
	Usage:   "up|down|status|sh|ready [flags]",
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil && !errors.Is(err, config.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if len(os.Args) > 2 && os.Args[1] == "ready" {
		return ready(ctx, os.Args[2])
	}
	var set settings
	args, err := config.Load(program, os.Args[1:], &set)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return errors.New("say up, down, status or sh (see lab --help)")
	}
	s, err := site.Open(set.State, set.Hosts)
	if err != nil {
		return err
	}
	switch args[0] {
	case "up":
		return s.Up(ctx, func(line string) { fmt.Println(line) })
	case "down":
		return s.Down(ctx, set.Purge)
	case "status":
		fmt.Print(s.Status())
		return nil
	case "sh":
		return shell(ctx, s, args[1:])
	}
	return fmt.Errorf("%q is none of up, down, status, sh", args[0])
}

// ready asks a daemon whether it is.
func ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// shell runs a command with the administrator's settings where users are.
func shell(ctx context.Context, s *site.Site, args []string) error {
	if len(args) == 0 {
		args = []string{"bash"}
	}
	full := s.Control().Within(append([]string{"sh", "-c", `. "$0" && exec "$@"`, s.Dir + "/admin.env"}, args...)...)
	cmd := exec.CommandContext(ctx, full[0], full[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd.Run()
}
