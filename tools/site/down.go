package site

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Down stops all daemons and the instances of this site, and keeps the data;
// with purge it leaves the machine as it was found.
func (s *Site) Down(ctx context.Context, purge bool) error {
	var err error
	all := s.daemons()
	for i := len(all) - 1; i >= 0; i-- {
		err = errors.Join(err, all[i].Stop(ctx))
	}
	for _, d := range s.nodes() {
		args := []string{filepath.Join(s.Bin, "nodectl"), "halt", "--state", d.state, "--cloud", s.Cloud + fmt.Sprint(d.host.index)}
		if purge {
			args = append(args, "--purge")
		}
		if d.host.NS == "" || exists(d.host.NS) {
			err = errors.Join(err, run(ctx, d.host.Within(args...)...))
		}
	}
	err = errors.Join(err, s.haltVolumes(ctx))
	if !purge || err != nil {
		return err
	}
	if err := s.unwire(ctx); err != nil {
		return err
	}
	return removeAll(s.Dir)
}

// haltVolumes ends the storage daemons, which outlive blockstore.
func (s *Site) haltVolumes(ctx context.Context) error {
	state := s.path("blockstore")
	if _, err := os.Stat(state); err != nil {
		return nil
	}
	return run(ctx, filepath.Join(s.Bin, "blockstore"), "halt", "--state", state)
}

// removeAll tries for a moment: a process that was just killed may still hold a mount.
func removeAll(dir string) error {
	var err error
	for range 20 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}
