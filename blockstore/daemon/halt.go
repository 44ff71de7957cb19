package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"karri/blockstore/export"
	"karri/shared/config"
	"karri/shared/id"
)

// Command runs the subcommand that args begin with and returns its exit
// status; false when they begin with none.
func Command(args []string) (status int, is bool) {
	if len(args) == 0 || args[0] != "halt" {
		return 0, false
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := halt(ctx, args[1:])
	if err == nil || errors.Is(err, config.ErrHelp) {
		return 0, true
	}
	fmt.Fprintf(os.Stderr, "blockstore halt: %v\n", err)
	return 1, true
}

// halt ends the storage daemons that run on after a blockstore. What was
// granted stays granted: the next blockstore serves it again.
func halt(ctx context.Context, args []string) error {
	var c struct {
		State string `flag:"state" required:"true" help:"state folder of the blockstore, which does not run"`
	}
	_, err := config.Load(config.Program{Name: "blockstore halt",
		Purpose: "Ends the storage daemons that run on after a blockstore. Volumes, and who may have them, are kept: the next blockstore serves them again.",
	}, args, &c)
	if err != nil {
		return err
	}
	dir := filepath.Join(c.State, "exports")
	served, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	daemons, err := export.OpenDaemons(dir)
	if err != nil {
		return err
	}
	for _, e := range served {
		if v := id.Volume(e.Name()); id.Valid[id.Volume](e.Name()) {
			err = errors.Join(err, daemons.End(ctx, v))
		}
	}
	return err
}
