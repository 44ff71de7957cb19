// Package daemon wires blockstore.
//
// It opens its records and the orders it accepted, looks at the volumes on its
// disk and at the storage daemons that run, and lets the loops go on from
// there. Ending blockstore ends none of what it serves.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"karri/blockstore/api"
	"karri/blockstore/chunk"
	"karri/blockstore/export"
	"karri/blockstore/keep"
	"karri/blockstore/store"
	"karri/blockstore/volume"
	"karri/shared/bucket"
	"karri/shared/config"
	"karri/shared/durable"
	"karri/shared/pki"
	"karri/shared/service"
	"karri/shared/wire"
)

// Config is the configuration of a blockstore.
type Config struct {
	service.Flags
	Zone      string        `flag:"zone" required:"true" help:"availability zone that this is the blockstore of"`
	NBDListen string        `flag:"nbd-listen" help:"IP address to serve volumes on, at which the nodes reach them; that of the internal API, when not given"`
	NBDPorts  string        `flag:"nbd-ports" default:"10809-11808" help:"range of ports to serve volumes on, one for each attached volume"`
	Walrus    string        `flag:"walrus" help:"host:port of walrus's internal API; what the join told, when not given"`
	Users     string        `flag:"storage-users" default:"200000000-1099999999" help:"users that storage daemons run as, for each volume one of its own, when blockstore runs as root; when empty, as blockstore does"`
	Grace     time.Duration `flag:"sweep-grace" default:"1h" help:"how old a piece that no snapshot names must be before it is removed"`
	Parallel  int           `flag:"parallel" default:"4" help:"pieces of a snapshot that are on their way to or from walrus at once"`

	// Disk and Exporter take the place of qcow2 files and storage daemons in a
	// cloud that is pretended; nil: the real ones.
	Disk     volume.Engine
	Exporter export.Exporter
}

// Main is the program.
func Main() {
	var c Config
	service.Main(c.Spec(), &c)
}

// Spec returns what distinguishes blockstore from other daemons.
func (c *Config) Spec() service.Spec {
	return service.Spec{
		Program: config.Program{
			Name:    "blockstore",
			Purpose: "Blockstore keeps the volumes of one zone, serves each to the one node that may have it, and keeps snapshots in walrus.",
			Files: [][2]string{
				{"STATE/volumes", "a folder for each volume, with its layers"},
				{"STATE/exports", "a folder for each volume that is served, with what belongs to its storage daemon"},
				{"STATE/blockstore.db", "records: granted epochs, snapshots in the making"},
				{"STATE/orders", "what cloudctl wants"},
				{"STATE/uploads", "how far snapshots have come"},
				{"STATE/pki", "key and certificate of this component"},
			},
		},
		Identity: func() pki.Identity { return pki.Identity{Role: pki.Blockstore, Zone: c.Zone} },
		Run:      c.run,
	}
}

func (c *Config) run(ctx context.Context, s *service.Service) error {
	records, err := store.Open(ctx, filepath.Join(s.State, "blockstore.db"))
	if err != nil {
		return err
	}
	defer records.Close()
	book, err := wire.OpenBook[wire.BlockOrders](filepath.Join(s.State, "orders"))
	if err != nil {
		return err
	}
	defer func() {
		if err := book.Close(); err != nil {
			s.Log.Error("cannot close the orders", "err", err)
		}
	}()
	listen := c.NBDListen
	if listen == "" {
		if listen, _, err = net.SplitHostPort(s.Addr); err != nil {
			return err
		}
	}
	if err := c.engines(s, listen); err != nil {
		return err
	}
	uploads, err := s.Dir("uploads")
	if err == nil {
		err = durable.Sweep(uploads)
	}
	if err != nil {
		return err
	}
	addr := c.Walrus
	if addr == "" {
		addr = s.Peers[pki.Walrus]
	}
	walrus := s.Client(pki.Identity{Role: pki.Walrus}, addr)
	defer walrus.Close()
	w := newWorks(&keep.Keeper{
		Zone: c.Zone, Orders: book.Orders, Store: records, Disk: c.Disk, Export: c.Exporter,
		Chunks: &chunk.Store{Walrus: bucket.New(walrus), Zone: c.Zone, Parallel: c.Parallel},
		Drafts: uploads, Listen: listen, Now: time.Now, Grace: c.Grace,
	}, book, s)
	api.Serve(s.Internal, book, w.board, w.explain)
	s.Admin.Check("records", records.Check)
	s.Admin.Check("volumes", func(ctx context.Context) error {
		_, err := c.Disk.Volumes(ctx)
		return err
	})
	w.start()
	return s.Serve(ctx)
}

// engines opens the real engines, where no others were given.
func (c *Config) engines(s *service.Service, listen string) error {
	users, err := c.storageUsers()
	if err != nil {
		return err
	}
	if users.Count > 0 {
		// The storage daemons pass through here to their own folders.
		if err := os.Chmod(s.State, 0o711); err != nil {
			return err
		}
	}
	if c.Disk == nil {
		files, err := volume.OpenFiles(filepath.Join(s.State, "volumes"))
		if err != nil {
			return err
		}
		files.Users = users
		c.Disk = files
	}
	if c.Exporter != nil {
		return nil
	}
	daemons, err := export.OpenDaemons(filepath.Join(s.State, "exports"))
	if err != nil {
		return err
	}
	daemons.Listen, daemons.Users, daemons.Credentials = listen, users, s.Self
	daemons.Direct = export.CanDirect(daemons.Dir)
	if daemons.First, daemons.Last, err = span(c.NBDPorts, math.MaxUint16); err != nil {
		return fmt.Errorf("--nbd-ports: %w", err)
	}
	c.Exporter = daemons
	return nil
}

func (c *Config) storageUsers() (volume.Users, error) {
	if c.Users == "" || os.Geteuid() != 0 {
		return volume.Users{}, nil
	}
	first, last, err := span(c.Users, math.MaxInt32)
	if err != nil {
		return volume.Users{}, fmt.Errorf("--storage-users: %w", err)
	}
	return volume.Users{First: first, Count: last - first + 1}, nil
}

// span reads a range as 10809-11808, of numbers from 1 to most.
func span(text string, most int) (first, last int, err error) {
	a, b, _ := strings.Cut(text, "-")
	first, err1 := strconv.Atoi(a)
	last, err2 := strconv.Atoi(b)
	if errors.Join(err1, err2) != nil || first < 1 || last < first || last > most {
		return 0, 0, fmt.Errorf("%q is not a range such as 10809-11808, up to %d", text, most)
	}
	return first, last, nil
}

// room tells how large the disk below a folder is.
func room(dir string) (wire.Store, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return wire.Store{}, err
	}
	const gib = 1 << 30
	return wire.Store{TotalGiB: int(st.Blocks * uint64(st.Bsize) / gib), FreeGiB: int(st.Bavail * uint64(st.Bsize) / gib)}, nil
}
