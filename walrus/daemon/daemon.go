// Package daemon wires walrus.
//
// It opens the content engine and the index in the state folder (the index's
// lock keeps a second walrus out), serves S3 on the public listener to users
// and on the internal one to components, and runs the mill. Users' keys are
// asked of cloudctl; no secret is ever here. After a crash the next start finds
// what was acknowledged in the index, and the mill sweeps the rest.
package daemon

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"time"

	"karri/shared/bucket"
	"karri/shared/config"
	"karri/shared/events"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/service"
	"karri/shared/sign"
	"karri/walrus/access"
	"karri/walrus/check"
	"karri/walrus/content"
	"karri/walrus/index"
	"karri/walrus/mill"
	"karri/walrus/s3"
	"karri/walrus/seal"
	"karri/walrus/setting"
)

// Config is the configuration of walrus.
type Config struct {
	service.Flags
	service.PublicFlags
	WorkFlags
	service.EventCredentials
	Region     string        `flag:"region" default:"us-east-1" help:"region that requests must be signed for and that buckets are in"`
	Domains    []string      `flag:"domain" help:"host names under which BUCKET.NAME names a bucket, for virtual-hosted requests"`
	Websites   []string      `flag:"website-domain" help:"host names under which BUCKET.NAME answers as the website that the bucket is"`
	Events     []string      `flag:"event-target" help:"ARN=URL: where the events of buckets go that name the ARN (of an sqs, sns or lambda service); with an account in it, only of that account's buckets"`
	Replicas   []string      `flag:"replication-target" help:"arn:karri:s3:REGION:ACCOUNT:BUCKET=ENDPOINT#FILE: a bucket of another S3 that buckets may be copied to; FILE has access key and secret, each in a line"`
	Reserve    int           `flag:"reserve-mib" default:"256" help:"MiB of the disk that are left free; writes are refused before that"`
	KeyRefresh time.Duration `flag:"key-refresh" default:"30s" help:"how old what is known of an access key may become before cloudctl is asked again"`
	KeyStale   time.Duration `flag:"key-stale" default:"1h" help:"how long it serves while cloudctl cannot be asked; then requests are answered with 503"`
	OrphanAge  time.Duration `flag:"orphan-age" default:"1h" help:"how old bytes must be before they are removed because no object claims them"`
	OrphanMost int           `flag:"orphan-most" default:"1000" help:"how many such bytes are removed at once; when there are more, none are"`
	Index      string        `flag:"index" help:"where the index is: a folder, or postgres://... of a database that several walruses share; STATE/index when not given"`
	Content    string        `flag:"content" help:"where the bytes are: a folder, or rados://POOL of Ceph where walrus is built with -tags rados; one for all walruses that share an index; STATE/content when not given"`
	ReadTime   time.Duration `flag:"read-time" default:"15m" help:"with a shared index: how long bytes stay after their object is gone, for those who are still reading it from another walrus"`
	Ownership  string        `flag:"object-ownership" default:"ObjectWriter" help:"who owns objects in new buckets: ObjectWriter, BucketOwnerPreferred, or BucketOwnerEnforced, which also switches access control lists off"`
	MasterKeys string        `flag:"master-key-file" help:"file of the master keys of server-side encryption, a line NAME:BASE64 for each, the last one current; STATE/master.keys, made at the first start, when not given"`
	EventKeep  time.Duration `flag:"event-keep" default:"24h" help:"how long an event, or a copy to another S3, is tried again before it is given up"`
	Cloudctl   string        `flag:"cloudctl" help:"host:port of cloudctl's internal API; what the join told, when not given"`

	Clock func() time.Time // of objects and of what the mill does with them; nil: time.Now
	Pace  time.Duration    // how often the mill's loops look at the least; 5 s when zero
}

// Main is the program.
func Main() {
	var c Config
	service.Main(c.Spec(), &c)
}

// Spec returns what distinguishes walrus from other daemons.
func (c *Config) Spec() service.Spec {
	return service.Spec{
		Program: config.Program{
			Name:    "walrus",
			Purpose: "Walrus keeps buckets and objects. Users reach it by the S3 API, components of the cloud by mutual TLS.",
			Files: [][2]string{
				{"STATE/index", "which objects there are; an ordered key-value store"},
				{"STATE/content", "the bytes of objects, in pieces that never change"},
				{"STATE/master.keys", "the master keys under which objects are sealed; without them their bytes are lost"},
				{"STATE/journal", "access logs of buckets that are not delivered yet"},
				{"STATE/pki", "key and certificate of this component"},
			},
		},
		Identity: func() pki.Identity { return pki.Identity{Role: pki.Walrus} },
		Run:      c.run,
	}
}

func (c *Config) run(ctx context.Context, s *service.Service) error {
	targets, badEvents := setting.ParseEventTargets(c.Events)
	replicas, badReplicas := setting.ParseReplicationTargets(c.Replicas)
	ownership, badOwnership := access.ParseOwnership(cmp.Or(c.Ownership, string(access.ObjectWriter)))
	if err := errors.Join(badEvents, badReplicas, badOwnership); err != nil {
		return err
	}
	files, x, closeAll, err := c.open(ctx, s)
	if err != nil {
		return err
	}
	defer closeAll()
	ring, err := seal.OpenRing(cmp.Or(c.MasterKeys, filepath.Join(s.State, "master.keys")), c.MasterKeys == "")
	if err != nil {
		return err
	}
	known, bus, leave, err := c.reach(s)
	if err != nil {
		return err
	}
	defer leave()
	holds := &content.Holds{}
	m := &mill.Mill{Index: x, Content: files, Holds: holds, Log: s.Log, OrphanAge: c.OrphanAge, OrphanMost: c.OrphanMost}
	if x.Shared() {
		m.ReadTime = c.ReadTime
	}
	conf := s3.Config{
		Region: c.Region, Domains: c.Domains, WebsiteDomains: c.Websites, Buckets: x, Objects: x, Uploads: x,
		Principals: principals{known.cloud}, Ownership: ownership, Content: files, Holds: holds, Master: ring, Changed: m.Nudge, Accounts: x,
		EventTargets: targets, ReplicationTargets: replicas,
		Auth: &users{sign.Verifier{
			Dialect: sign.S3, Region: c.Region, Services: []string{"s3"},
			Keys:   known,
			Bucket: func(r *http.Request) string { return s3.HostBucket(c.Domains, r.Host) },
		}},
	}
	w, err := c.works(s, x, conf)
	if err != nil {
		return err
	}
	defer w.close(s.Log)
	conf.Now, conf.Told, conf.Probe, conf.Journal = w.now, w.told, w.hooks.Test, w.journal
	if err := c.listen(ctx, s, x, conf); err != nil {
		return err
	}
	s.Admin.Check("content", func(context.Context) error { return files.Room() })
	s.Admin.Check("index", func(ctx context.Context) error {
		_, err := x.BucketsOf(ctx, bucket.SystemAccount, index.Query{Max: 1})
		return err
	})
	s.Go("memory", tuneMemory)
	s.Admin.Handle("POST /check", checking(check.Checker{Index: x, Content: files, Holds: holds, Ring: ring, OrphanAge: c.OrphanAge, OrphanMost: c.OrphanMost}))
	s.Go("mill", m.Run)
	s.Go("rewrapper", (&mill.Rewrapper{Buckets: x, Objects: x, Ring: ring, Log: s.Log}).Run)
	w.measure(s, m.Census)
	w.start(s, x, x.Shared(), events.NewRelay(outbox{x, s.Identity().String()}, bus, s.Log).Run)
	return s.Serve(ctx)
}

// reach makes the connections to cloudctl and to the event server.
func (c *Config) reach(s *service.Service) (known *keys, bus events.Bus, leave func(), err error) {
	cloud := s.Client(pki.Identity{Role: pki.Cloudctl}, cmp.Or(c.Cloudctl, s.Peers[pki.Cloudctl]))
	known = &keys{cloud: client{cloud}, refresh: c.KeyRefresh, stale: c.KeyStale}
	if bus, err = hear(s, cloud, known, c.EventsCredentials); err != nil {
		cloud.Close()
		return nil, nil, nil, err
	}
	return known, bus, func() { bus.Close(); cloud.Close() }, nil
}

// listen serves S3 to users and to components.
func (c *Config) listen(ctx context.Context, s *service.Service, x index.Index, conf s3.Config) error {
	conf.Audit = s.Audit.Note
	api := s3.New(conf)
	if _, err := s.Public(ctx, c.PublicFlags, api, api.Panicked); err != nil {
		return err
	}
	conf.Audit = nil // the internal API notes each request itself
	conf.Auth, conf.Fail, conf.Domains, conf.WebsiteDomains = components{}, rest.Fault, nil, nil
	serveComponents(s.Internal, s3.New(conf))
	keeper{x}.serve(s.Internal)
	return nil
}
