// Package daemon wires a clusterctl.
//
// It opens the book of orders, the store and the image cache in the state
// folder, serves its API to cloudctl and to the nodes of its zone, and runs the
// keeper. Everything that must outlive a crash is in the book and the store;
// what nodes report is asked for again.
package daemon

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"time"

	"karri/clusterctl/api"
	"karri/clusterctl/choose"
	"karri/clusterctl/images"
	"karri/clusterctl/keep"
	"karri/clusterctl/store"
	"karri/shared/bucket"
	"karri/shared/config"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/service"
	"karri/shared/wire"
)

// Config is the configuration of a clusterctl.
type Config struct {
	service.Flags
	service.AuthorityFlags
	Zone      string `flag:"zone" default:"us-east-1a" help:"availability zone whose nodes this clusterctl looks after"`
	Scheduler string `flag:"scheduler" default:"greedy" help:"how nodes are chosen: greedy fills one after the other, roundrobin takes them in turn"`
	CacheGiB  int64  `flag:"image-cache-gib" default:"20" help:"GiB of images that are kept for the nodes"`
	Walrus    string `flag:"walrus" help:"host:port of walrus's internal API; what the join told, when not given"`
}

// Main is the program.
func Main() {
	var c Config
	service.Main(c.Spec(), &c)
}

// Spec returns what distinguishes a clusterctl from other daemons.
func (c *Config) Spec() service.Spec {
	return service.Spec{
		Program: config.Program{
			Name: "clusterctl",
			Purpose: "clusterctl looks after the nodes of one availability zone: it lets them in, places instances on them, tells " +
				"them their orders and packet rules, caches images for them, and reports what they see to cloudctl.",
			Files: [][2]string{
				{"STATE/orders", "what cloudctl wants: a snapshot and a journal of changes"},
				{"STATE/clusterctl.db", "nodes, placements and join tokens (SQLite)"},
				{"STATE/images", "images by their SHA-256; can be removed at any time"},
				{"STATE/pki", "key and certificate of this component"},
			},
		},
		Identity: func() pki.Identity { return pki.Identity{Role: pki.Clusterctl, Zone: c.Zone} },
		Issues:   func() time.Duration { return c.CertificateLife },
		Run:      c.run,
	}
}

func (c *Config) run(ctx context.Context, s *service.Service) error {
	policy := choose.Policies[strings.ToLower(c.Scheduler)]
	if policy == nil {
		return fault.New(fault.Invalid, "BadConfiguration", "--scheduler is greedy or roundrobin, not %q.", c.Scheduler)
	}
	book, err := wire.OpenBook[wire.ClusterOrders](filepath.Join(s.State, "orders"))
	if err != nil {
		return err
	}
	defer book.Close()
	db, err := store.Open(ctx, filepath.Join(s.State, "clusterctl.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	source, closeSource := c.source(s)
	defer closeSource()
	cache, err := images.Open(filepath.Join(s.State, "images"), c.CacheGiB<<30, source)
	if err != nil {
		return err
	}
	defer cache.Close()
	client := func(n store.Node) *rest.Client {
		return s.Client(pki.Identity{Role: pki.Nodectl, Zone: c.Zone, Name: n.Name}, n.Address)
	}
	board := wire.NewBoard[wire.ClusterReport]()
	keeper := keep.New(&keep.Keeper{Zone: c.Zone, Store: db, Book: book, Board: board, Policy: policy, Log: s.Log, Self: s.Self,
		Dial: func(n store.Node) (keep.Node, func()) {
			cl := client(n)
			return wire.Dial[wire.NodeOrders, wire.NodeReport](cl), cl.Close
		}})
	cloud := s.Client(pki.Identity{Role: pki.Cloudctl}, s.Peers[pki.Cloudctl])
	defer cloud.Close()
	a := &api.API{Cloud: cloud, Zone: c.Zone, Addr: s.Addr, Self: s.Self, Store: db, Keeper: keeper, Images: cache, Book: book, Board: board, Client: client}
	defer a.Close()
	a.Register(s.Internal)
	s.Admin.Check("database", db.Check)
	s.Admin.Check("orders", func(context.Context) error {
		if book.Accepted() == 0 {
			return fault.New(fault.Later, "NoOrders", "cloudctl has not told its orders yet.")
		}
		return nil
	})
	s.Go("keeper", keeper.Run)
	return s.Serve(ctx)
}

// source returns where images come from, and what frees it.
func (c *Config) source(s *service.Service) (images.Source, func()) {
	addr := c.Walrus
	if addr == "" {
		addr = s.Peers[pki.Walrus]
	}
	if addr == "" {
		return func(context.Context, string, string) (io.ReadCloser, int64, error) {
			return nil, 0, fault.New(fault.Later, "NoWalrus", "The address of walrus is not known: give it by --walrus.")
		}, func() {}
	}
	walrus := s.Client(pki.Identity{Role: pki.Walrus}, addr)
	from := bucket.New(walrus)
	return func(ctx context.Context, b, key string) (io.ReadCloser, int64, error) {
		r, o, err := from.Get(ctx, b, key, 0, -1)
		return r, o.Size, err
	}, walrus.Close
}
