// Package daemon wires the cloud controller: the database, the public door of
// all query services, the internal API of the components, a link to each
// daemon of each zone, and the loops.
//
// What it keeps is in the state folder: cloud.db with all records, master.key
// with the key that seals users' secrets, and ca/ with the cloud's authority. A
// crash at any point loses nothing that was acknowledged; at the next start
// the loops look again at everything.
package daemon

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"karri/cloudctl/account"
	"karri/cloudctl/ec2"
	"karri/cloudctl/enroll"
	"karri/cloudctl/federation"
	"karri/cloudctl/keep"
	"karri/cloudctl/ledger"
	"karri/cloudctl/local"
	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/shared/config"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/service"
)

// Config is the configuration of cloudctl.
type Config struct {
	service.Flags
	service.PublicFlags
	service.AuthorityFlags
	EventFlags
	MasterKey       string        `flag:"master-key-file" help:"file with the key that seals users' secrets, outside the state folder and its copies; STATE/master.key when not given"`
	TrailDelivery   time.Duration `flag:"trail-delivery" default:"5m" help:"how often trails write events into their buckets"`
	IssuerNetworks  []string      `flag:"issuer-networks" help:"networks as 10.20.0.0/16 in which OIDC issuers may be asked for their keys; without any only public addresses are, since accounts name the URLs"`
	TrailDigest     time.Duration `flag:"trail-digest" default:"1h" help:"how often trails with log file validation write signed digests"`
	Region          string        `flag:"region" default:"us-east-1" help:"name of the region that this cloud is"`
	PublicAddresses string        `flag:"public-addresses" help:"public IPv4 addresses to give out: ranges as 192.0.2.0/28 or 192.0.2.10-192.0.2.20, separated by commas"`
	Endpoint        string        `flag:"endpoint" help:"URL of the public API, as users' settings name it; where it listens, when not given"`
	S3Endpoint      string        `flag:"s3-endpoint" help:"URL of walrus' public API, as users' settings name it"`
}

// Spec returns what distinguishes cloudctl from the other daemons.
func Spec(c *Config) service.Spec {
	return service.Spec{
		Program: config.Program{
			Name: "cloudctl",
			Purpose: "The cloud controller: serves EC2, STS and the administrator's API to users, and tells " +
				"the clusterctl and the blockstore of each zone what is wanted.",
			Usage: "[flags]\n       cloudctl join-token --state DIR --role ROLE [--zone ZONE]\n       cloudctl root-key --state DIR\n       cloudctl rotate-master-key --state DIR",
			Files: [][2]string{
				{"STATE/cloud.db", "all records"}, {"STATE/audit.db", "the index of the audit logs, for searches"}, {"STATE/master.key", "the key that seals users' secrets"},
				{"STATE/ca", "the cloud's authority and its key"}, {"STATE/pki", "the daemon's own certificate"},
			},
		},
		Identity: func() pki.Identity { return pki.Identity{Role: pki.Cloudctl} },
		Founds:   true,
		Issues:   func() time.Duration { return c.CertificateLife },
		Run:      func(ctx context.Context, s *service.Service) error { return run(ctx, s, c) },
	}
}

// cloud is a cloudctl that runs.
type cloud struct {
	*service.Service
	config  *Config
	store   *store.Store
	reports *report.Latest
	book    *account.Book
	desk    *enroll.Desk
	keeper  *keep.Keeper
	zones   *zones
	api     *ec2.API
	issuers *federation.Issuers
	events  *telling
	ledger  *ledger.Ledger
	signer  *ledger.Signer
}

func run(ctx context.Context, s *service.Service, conf *Config) error {
	pool, err := parsePool(conf.PublicAddresses)
	if err != nil {
		return err
	}
	reach, err := federation.Reach(conf.IssuerNetworks)
	if err != nil {
		return fmt.Errorf("--issuer-networks: %w", err)
	}
	book, err := local.OpenBookWith(ctx, s.State, cmp.Or(conf.MasterKey, local.MasterKeyFile(s.State)))
	if err != nil {
		return err
	}
	st := book.Store
	defer st.Close()
	desk := &enroll.Desk{Store: st, Accounts: book, Root: s.Root, Clock: time.Now}
	if err := desk.Open(ctx, s.Addr); err != nil {
		return err
	}
	c := &cloud{Service: s, config: conf, store: st, reports: &report.Latest{}, book: book, desk: desk, issuers: &federation.Issuers{Clock: time.Now, Reach: reach}}
	c.zones = newZones(c)
	book.Buckets = c.zones
	book.Used = &account.Usage{Store: st, Log: s.Log}
	c.keeper = &keep.Keeper{Store: st, Reports: c.reports, Clock: time.Now, Buckets: c.zones, Bounds: c.zones.walrusStore, Log: s.Log, Wrote: c.zones.nudge}
	c.api = &ec2.API{
		Store: st, Reports: c.reports, Clock: time.Now, Region: conf.Region, Pool: pool,
		Buckets: c.zones, Console: c.zones, Nudge: c.nudge,
	}
	c.serveInternal()
	if c.events, err = c.openEvents(); err != nil {
		return err
	}
	defer c.events.close()
	if err := c.openLedger(ctx); err != nil {
		return err
	}
	defer c.ledger.Index.Close()
	if conf.Endpoint == "" {
		conf.Endpoint = "http://" + conf.Public
		if conf.PublicCert != "" {
			conf.Endpoint = "https://" + conf.Public
		}
	}
	if u, err := url.Parse(conf.Endpoint); err == nil {
		c.api.Endpoint = u.Host
	}
	if _, err := s.Public(ctx, conf.PublicFlags, c.door(), nil); err != nil {
		return err
	}
	s.Admin.Check("database", st.Check)
	for name, loop := range c.keeper.Loops() {
		s.Go(name, func(ctx context.Context) error { loop(ctx); return nil })
	}
	s.Go("usage", func(ctx context.Context) error { book.Used.Run(ctx); return nil })
	s.Go("master key", c.dropOldKeys)
	s.Go("zones", func(ctx context.Context) error { c.zones.run(ctx); return nil })
	return s.Serve(ctx)
}

// nudge wakes the loops after an action.
func (c *cloud) nudge() {
	c.zones.nudge()
	c.keeper.Nudge()
}

func (c *cloud) serveInternal() {
	c.Internal.ServeJoin(func(ctx context.Context, who pki.Identity, r rest.JoinRequest) (rest.JoinReply, error) {
		defer c.zones.nudge()
		return c.desk.Admit(ctx, who, r)
	})
	c.Internal.ServeRenew(rest.Roles(pki.Clusterctl, pki.Blockstore, pki.Walrus), func() *pki.Credentials { return c.Root },
		func(ctx context.Context, who pki.Identity, address string, chain []byte) (map[string]string, error) {
			defer c.zones.nudge()
			return c.desk.Moved(ctx, who, address, chain)
		})
	c.serveKeys()
	c.servePrincipals()
	c.serveExplain()
	c.serveCredentials()
}

// parsePool reads ranges of addresses, each a prefix, one address, or two with
// a dash between.
func parsePool(text string) ([]netip.Prefix, error) {
	var pool []netip.Prefix
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		first, last, dash := strings.Cut(part, "-")
		if !strings.Contains(part, "/") && !dash {
			last = first
		}
		if strings.Contains(part, "/") {
			p, err := netip.ParsePrefix(part)
			if err != nil || !p.Addr().Is4() {
				return nil, fmt.Errorf("--public-addresses: %q is no range of IPv4 addresses", part)
			}
			pool = append(pool, p.Masked())
			continue
		}
		a, err1 := netip.ParseAddr(first)
		b, err2 := netip.ParseAddr(last)
		if err1 != nil || err2 != nil || !a.Is4() || !b.Is4() || b.Less(a) {
			return nil, fmt.Errorf("--public-addresses: %q is no range of IPv4 addresses", part)
		}
		for n := 0; a.Compare(b) <= 0; a = a.Next() {
			if n++; n > 1<<16 {
				return nil, fmt.Errorf("--public-addresses: %q is longer than 65536 addresses", part)
			}
			pool = append(pool, netip.PrefixFrom(a, 32))
		}
	}
	return pool, nil
}
