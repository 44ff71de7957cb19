package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"karri/nodectl/hypervisor"
	"karri/nodectl/keep"
	"karri/nodectl/libvirtd"
	"karri/nodectl/network"
	"karri/shared/config"
	"karri/shared/id"
)

// Command runs the subcommand that args begin with and returns its exit
// status; false when they begin with none.
func Command(args []string) (int, bool) {
	if len(args) == 0 {
		return 0, false
	}
	run, is := map[string]func(context.Context, []string) error{"libvirtd": runLibvirtd, "halt": runHalt}[args[0]]
	if !is {
		return 0, false
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, args[1:])
	if err == nil || errors.Is(err, config.ErrHelp) {
		return 0, true
	}
	fmt.Fprintf(os.Stderr, "nodectl %s: %v\n", args[0], err)
	return 1, true
}

type libvirtdConfig struct {
	State      string `flag:"state" required:"true" help:"folder of libvirtd's files"`
	QEMUUser   int    `flag:"qemu-user" default:"64055" help:"user that QEMU runs as when it is tried out, and the group of all guests"`
	NBD        string `flag:"nbd" help:"folder with the certificate for volumes; STATE/nbd when not given"`
	Stop       bool   `flag:"stop" help:"stop libvirtd and return; guests run on"`
	StopGuests bool   `flag:"stop-guests" help:"stop libvirtd and every guest, as if by a power cut"`
	Purge      bool   `flag:"purge" help:"stop everything and remove the folder"`
}

// runLibvirtd runs a libvirtd of its own until it is told to end.
func runLibvirtd(ctx context.Context, args []string) error {
	var c libvirtdConfig
	_, err := config.Load(config.Program{Name: "nodectl libvirtd",
		Purpose: "Runs a libvirtd with folders and a socket of its own, and keeps it running. It never touches the host's. Guests outlive it.",
		Files:   [][2]string{{"STATE/run/libvirt-sock", "the socket"}, {"STATE/libvirtd.out", "what it says"}},
	}, args, &c)
	if err != nil {
		return err
	}
	lv := libvirtd.Config{State: c.State, User: c.QEMUUser, NBD: c.NBD}
	switch {
	case c.Purge:
		return lv.Purge(ctx)
	case c.StopGuests:
		return lv.StopAll(ctx)
	case c.Stop:
		return lv.Stop(ctx)
	}
	err = libvirtd.Supervise(ctx, lv, func() { fmt.Println("ready", libvirtd.Socket(c.State)) })
	return errors.Join(err, lv.Stop(context.WithoutCancel(ctx)))
}

type haltConfig struct {
	State string `flag:"state" required:"true" help:"state folder of the nodectl, which does not run"`
	Cloud string `flag:"cloud" default:"k" help:"as nodectl was given it"`
	Purge bool   `flag:"purge" help:"remove what was made outside the state folder too, and libvirtd's files"`
}

// guestPatience is how long guests may take to shut down when a host halts.
const guestPatience = 20 * time.Second

// runHalt ends all that a nodectl leaves running: guests, libvirtd, routers.
func runHalt(ctx context.Context, args []string) error {
	var c haltConfig
	_, err := config.Load(config.Program{Name: "nodectl halt",
		Purpose: "Ends what runs on after a nodectl: shuts its guests down, stops its libvirtd, removes its routers. Disks and orders are kept: the next nodectl starts the guests again.",
	}, args, &c)
	if err != nil {
		return err
	}
	state, err := filepath.Abs(c.State)
	if err != nil {
		return err
	}
	lv := libvirtd.Config{State: filepath.Join(state, "libvirt")}
	if !c.Purge {
		if err := noteHalt(filepath.Join(state, "instances")); err != nil {
			return err
		}
		shutDown(ctx, lv, c.Cloud)
		err = lv.StopAll(ctx)
	} else {
		err = lv.Purge(ctx)
	}
	return errors.Join(err, network.Purge(ctx, c.Cloud))
}

// noteHalt notes of every instance that its end will not be its own doing, so
// that the next nodectl starts it again.
func noteHalt(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	notes := keep.Folder(dir)
	for _, e := range entries {
		i := id.Instance(e.Name())
		if !id.Valid[id.Instance](e.Name()) {
			continue
		}
		n, err := notes.Read(i)
		if err != nil {
			return err
		}
		if n.Boot == "" || n.Ended != "" || n.Stopping {
			continue
		}
		n.Stopping = true
		if err := notes.Write(i, n); err != nil {
			return err
		}
	}
	return err
}

// shutDown presses the power button of every guest until all are off or the
// patience is over; what is left is switched off by the caller.
func shutDown(ctx context.Context, lv libvirtd.Config, cloud string) {
	ctx, cancel := context.WithTimeout(ctx, guestPatience)
	defer cancel()
	hv := hypervisor.Open(hypervisor.Config{Socket: libvirtd.Socket(lv.State), Cloud: cloud})
	defer hv.Close()
	for n := 0; len(lv.Guests()) > 0; n++ {
		all, err := hv.List(ctx)
		if err != nil {
			return
		}
		for _, i := range all {
			if n%10 == 0 {
				_ = hv.Shutdown(ctx, i) // again in a while
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
}
