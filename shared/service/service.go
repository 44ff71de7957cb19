// Package service is what the five daemons have in common: flags, logs,
// credentials, listeners, loops, and an orderly end.
//
// A daemon's main calls Main with its configuration, which embeds Flags, and
// with Run, which wires the tier: it opens the store, adds routes to
// s.Internal, hands its public handler to s.Public and its loops to s.Go, and
// ends with return s.Serve(ctx). The credentials are there before Run is
// called: read from STATE/pki, or won by joining with a one-time token. A join
// that is cut off is tried again with the same key; nothing else of this
// package is on disk.
//
// New does the same for a cloud within one process, over connections and
// clocks that the test gives.
package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"karri/shared/audit"
	"karri/shared/config"
	"karri/shared/pki"
	"karri/shared/rest"
)

// Flags are the settings that every daemon has.
type Flags struct {
	State     string `flag:"state" required:"true" help:"folder where the daemon keeps all that it keeps"`
	Listen    string `flag:"listen" default:"127.0.0.1:0" help:"host:port of the internal API, for the other components"`
	Advertise string `flag:"advertise" help:"host:port at which the other components reach the internal API; where it listens, when not given"`
	Admin     string `flag:"admin" default:"127.0.0.1:0" help:"loopback host:port of /healthz, /readyz, /metrics and /debug/pprof"`
	AuditMiB  int    `flag:"audit-mib" default:"4096" help:"how much of the audit log is kept; the oldest part goes"`
	AuditDays int    `flag:"audit-days" default:"365" help:"how old lines of the audit log become; 0: however old"`
	LogLevel  string `flag:"log-level" default:"info" help:"debug, info, warn or error"`
	Join      string `flag:"join" help:"one-time token that lets this component into the cloud; needed at the first start only"`
	JoinFile  string `flag:"join-file" help:"file that holds the join token"`
}

func (f *Flags) flags() *Flags { return f }

// Env is the world that a daemon runs in; the zero Env is the real one.
type Env struct {
	Listen func(ctx context.Context, addr string) (net.Listener, error)
	Dial   rest.Dial
	Log    *slog.Logger
}

// AuthorityFlags are the settings of a daemon that gives certificates to others.
type AuthorityFlags struct {
	CertificateLife time.Duration `flag:"certificate-life" default:"8760h" help:"how long certificates are good that are given out from now on, 1h to 43800h; components renew them when a third of it is left; one that is away for longer has to join again, and a volume that stays attached for longer has to be attached anew when its storage daemon was restarted"`
}

// EventCredentials is the setting of a daemon that reaches the event server.
type EventCredentials struct {
	EventsCredentials string `flag:"events-credentials" help:"file with what an outside NATS cluster wants besides the certificate of this component: a .creds file or nkey seed of NATS, user and password, each in a line, or a token"`
}

// The bounds of AuthorityFlags.CertificateLife: shorter ones would end while a
// component or its issuer is restarted, longer ones outlive the cause for them.
const (
	shortestLife = time.Hour
	longestLife  = 5 * 365 * 24 * time.Hour
)

// A Spec is what distinguishes a daemon.
type Spec struct {
	Program  config.Program
	Identity func() pki.Identity // who it is; called when the configuration is loaded
	Founds   bool                // it makes the cloud's authority at its first start: cloudctl
	Run      func(ctx context.Context, s *Service) error
	// Issues is for a daemon that gives certificates to others: for how long;
	// called when the configuration is loaded. Nil, or 0: a year.
	Issues func() time.Duration
}

// Service is a daemon that runs. Its fields may be used until Run returns.
type Service struct {
	Flags
	Log      *slog.Logger
	Metrics  *rest.Metrics
	Internal *rest.Internal
	Admin    *rest.Admin
	Addr     string            // the internal API, as others reach it
	Root     *pki.Credentials  // the cloud's authority, with its key, where Founds; else nil
	Audit    *audit.Log        // of all that this daemon is asked
	Peers    map[string]string // addresses told at the join, by role: "walrus", "cloudctl", "clusterctl"

	env       Env
	spec      Spec
	moved     bool // the issuer knows us at another address
	creds     atomic.Pointer[pki.Credentials]
	listener  net.Listener
	loops     []loop
	onAudited atomic.Pointer[func()]
	servers   []bound
}

type loop struct {
	name string
	run  func(ctx context.Context) error
}

type bound struct {
	server *rest.Server
	ln     net.Listener
}

// cfg is what Main needs of a configuration: the embedded Flags.
type cfg interface{ flags() *Flags }

// Main runs a daemon until SIGINT or SIGTERM, and ends the process.
func Main(spec Spec, c cfg) {
	os.Exit(mainStatus(spec, c))
}

func mainStatus(spec Spec, c cfg) int {
	left, err := config.Load(spec.Program, os.Args[1:], c)
	if errors.Is(err, config.ErrHelp) {
		return 0
	}
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("unexpected argument %q", left[0])
	}
	var level slog.Level
	if err == nil {
		err = level.UnmarshalText([]byte(c.flags().LogLevel))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", spec.Program.Name, err)
		return 2
	}
	log := rest.NewLog(os.Stderr, level).With("daemon", spec.Program.Name)
	slog.SetDefault(log)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := New(ctx, spec, Env{Log: log}, *c.flags())
	if err == nil {
		err = s.Run(ctx)
	}
	if err != nil && ctx.Err() == nil {
		log.Error("ended", "err", err)
		return 1
	}
	log.Info("ended")
	return 0
}

// New makes a daemon ready to Run: state folder, listeners, credentials.
func New(ctx context.Context, spec Spec, env Env, f Flags) (*Service, error) {
	if env.Listen == nil {
		env.Listen = func(ctx context.Context, addr string) (net.Listener, error) {
			return (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		}
	}
	if env.Log == nil {
		env.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{Flags: f, Log: env.Log, Metrics: rest.NewMetrics(), env: env, spec: spec}
	if err := s.checkLife(); err != nil {
		return nil, err
	}
	s.Internal = rest.NewInternal(s.Self, s.Metrics)
	s.Admin = rest.NewAdmin(s.Metrics)
	if err := s.open(ctx); err != nil {
		if s.Audit != nil {
			err = errors.Join(err, s.Audit.Close())
		}
		for _, b := range s.servers {
			_ = b.ln.Close()
		}
		return nil, err
	}
	return s, nil
}

func (s *Service) open(ctx context.Context) error {
	if err := os.MkdirAll(s.State, 0o700); err != nil {
		return err
	}
	if err := s.openAudit(); err != nil {
		return err
	}
	ln, err := s.env.Listen(ctx, s.Flags.Listen)
	if err != nil {
		return fmt.Errorf("internal listener: %w", err)
	}
	s.serve("internal", ln, &rest.Server{Handler: s.Internal, TLS: s.Internal.TLS()})
	if s.Addr = s.Advertise; s.Addr == "" {
		s.Addr = ln.Addr().String()
	}
	if host, _, err := net.SplitHostPort(s.Addr); err == nil && (host == "" || net.ParseIP(host).IsUnspecified()) {
		return fmt.Errorf("--advertise is needed: other components cannot reach %s", s.Addr)
	}
	if ln, err = s.env.Listen(ctx, s.Flags.Admin); err != nil {
		return fmt.Errorf("admin listener: %w", err)
	}
	s.serve("admin", ln, &rest.Server{Handler: s.Admin})
	return s.enroll(ctx)
}

func (s *Service) serve(name string, ln net.Listener, srv *rest.Server) {
	srv.Listener, srv.Log, srv.Metrics = name, s.Log, s.Metrics
	s.servers = append(s.servers, bound{srv, ln})
}

// PublicFlags are the settings of a daemon with a public API.
type PublicFlags struct {
	Public     string `flag:"public" default:"127.0.0.1:0" help:"host:port of the public API; plain HTTP on loopback, HTTPS elsewhere"`
	PublicCert string `flag:"public-cert" help:"PEM file with the certificate chain of the public API"`
	PublicKey  string `flag:"public-key" help:"PEM file with the key of the public API"`
}

// Public serves h as the public API and returns the address it listens on.
// answer writes the fault of a panic in the API's own form.
func (s *Service) Public(ctx context.Context, f PublicFlags, h http.Handler, answer func(http.ResponseWriter, *http.Request, error)) (string, error) {
	srv := &rest.Server{Handler: h, Observer: rest.Observer{Fault: answer}}
	if f.PublicCert != "" || f.PublicKey != "" {
		conf, err := rest.PublicTLS(f.PublicCert, f.PublicKey)
		if err != nil {
			return "", fmt.Errorf("public listener: %w", err)
		}
		srv.TLS = conf
	}
	ln, err := s.env.Listen(ctx, f.Public)
	if err != nil {
		return "", fmt.Errorf("public listener: %w", err)
	}
	s.serve("public", ln, srv)
	return ln.Addr().String(), nil
}

// Go adds a loop that runs, while the daemon serves, until its context ends. A
// loop that returns an error ends the daemon.
func (s *Service) Go(name string, run func(ctx context.Context) error) {
	s.loops = append(s.loops, loop{name, run})
}

// Dir returns the folder called name in the state folder, made if need be.
func (s *Service) Dir(name string) (string, error) {
	dir := filepath.Join(s.State, name)
	return dir, os.MkdirAll(dir, 0o700)
}

// Self returns the credentials as they are now; they change when renewed.
func (s *Service) Self() *pki.Credentials { return s.creds.Load() }

// Identity returns who this daemon is.
func (s *Service) Identity() pki.Identity { return s.spec.Identity() }

// Client returns a client of peer at addr. The caller closes it.
func (s *Service) Client(peer pki.Identity, addr string) *rest.Client {
	return rest.NewClient(s.Self, peer, addr, s.env.Dial)
}

// Run wires the daemon by its Spec and serves until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	err := s.spec.Run(ctx, s)
	return errors.Join(err, s.Audit.Close())
}

// Serve runs the loops and serves all listeners until ctx ends or one of them
// fails, then waits for all to end. Run calls it last.
func (s *Service) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	start := func(name string, run func(context.Context) error) {
		wg.Go(func() {
			if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				mu.Lock()
				failed = errors.Join(failed, fmt.Errorf("%s: %w", name, err))
				mu.Unlock()
				cancel(err)
			}
		})
	}
	for _, b := range s.servers {
		s.Log.Info("listening", "listener", b.server.Listener, "addr", b.ln.Addr().String())
		start(b.server.Listener+" listener", func(ctx context.Context) error { return b.server.Serve(ctx, b.ln) })
	}
	for _, l := range append(s.loops, loop{"renewal", s.renewals}) {
		start(l.name, l.run)
	}
	wg.Wait()
	return failed
}

// joinToken returns the token that was given, "" for none.
func (s *Service) joinToken() (string, error) {
	if s.Join != "" || s.JoinFile == "" {
		return s.Join, nil
	}
	f, err := os.Open(s.JoinFile)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	return strings.TrimSpace(string(b)), err
}
