package events

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"karri/shared/fault"
	"karri/shared/pki"
)

// root is what all subjects begin with on NATS, where there may be others.
const root = "karri."

// An Address is where the event server is: what cloudctl tells components.
type Address struct {
	URL string `json:"url"`          // tls://host:port; "": there is none
	CA  []byte `json:"ca,omitempty"` // PEM: the authority of an outside cluster; none: the cloud's own
}

// CheckURL refuses what is no address of an outside cluster. Connections show
// the component's certificate, so there is no place for a password.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "tls" && u.Scheme != "nats" || u.Host == "" || u.Port() == "" || u.User != nil {
		return errors.New("the URL of an event server is tls://HOST:PORT, without a password: components show their certificates")
	}
	return nil
}

// NATS is the Bus of a whole cloud.
type NATS struct {
	conn *nats.Conn

	mu   sync.Mutex
	gaps []func()
	quit context.CancelFunc
}

// Options say how to reach the server.
type Options struct {
	Name  string // of the connection, in the server's log
	Self  func() *pki.Credentials
	Where func(ctx context.Context) (Address, error) // asked before each try
	Local *Server                                    // instead of Where: in this process
	Log   *slog.Logger
	Again time.Duration // the first pause between tries; 100 ms when zero
}

// Connect returns a bus at once; the connection is made, and made again, in the
// background.
func Connect(o Options) (*NATS, error) {
	ctx, quit := context.WithCancel(context.Background())
	n := &NATS{quit: quit}
	d := &dialer{ctx: ctx, o: o}
	again := cmp.Or(o.Again, 100*time.Millisecond)
	opts := []nats.Option{
		nats.Name(o.Name), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1),
		nats.SkipHostLookup(), nats.IgnoreDiscoveredServers(), nats.Timeout(5 * time.Second), nats.PingInterval(10 * time.Second), nats.MaxPingsOutstanding(2),
		nats.CustomReconnectDelay(func(tries int) time.Duration { return min(again<<min(max(tries-1, 0), 8), longestPause) }),
		nats.ConnectHandler(n.gap), nats.ReconnectHandler(n.gap),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if ctx.Err() == nil {
				o.Log.Warn("the event server is away", "err", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			o.Log.Error("events", "err", err)
			n.tell() // a listener was too slow, or may not listen
		}),
	}
	if o.Local != nil {
		opts = append(opts, nats.InProcessServer(o.Local.srv), nats.Token(o.Local.token))
	} else {
		opts = append(opts, nats.SetCustomDialer(d), nats.Secure(d.tls()))
	}
	var err error
	if n.conn, err = nats.Connect("nats://event-server:4222", opts...); err != nil {
		quit()
		return nil, fmt.Errorf("event server: %w", err)
	}
	return n, nil
}

// dialer finds the server anew for each connection.
type dialer struct {
	ctx   context.Context
	o     Options
	mu    sync.Mutex
	at    Address
	tried bool
}

// longestPause is between two tries to connect.
const longestPause = 4 * time.Second

// Dial is nats.CustomDialer's.
func (d *dialer) Dial(network, _ string) (net.Conn, error) {
	if d.first() {
		return nil, errors.New("the connection is made in the background")
	}
	ctx, cancel := context.WithTimeout(d.ctx, 5*time.Second)
	defer cancel()
	at, err := d.o.Where(ctx)
	if err != nil {
		return nil, err
	}
	if at.URL == "" {
		return nil, errors.New("there is no event server")
	}
	u, err := url.Parse(at.URL)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.at = at
	d.mu.Unlock()
	return (&net.Dialer{}).DialContext(ctx, network, u.Host)
}

// first lets Connect return at once.
func (d *dialer) first() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.tried
	d.tried = true
	return !was
}

// tls shows the component's certificate, and believes cloudctl's, or that of
// the outside cluster under its own authority.
func (d *dialer) tls() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, // verified below, by the cloud's root
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			t := d.o.Self().TLS()
			return &t, nil
		},
		VerifyConnection: func(s tls.ConnectionState) error {
			d.mu.Lock()
			at := d.at
			d.mu.Unlock()
			if len(at.CA) > 0 {
				return verifyOutside(at, s.PeerCertificates)
			}
			id, err := pki.Verify(s.PeerCertificates, d.o.Self().Root, time.Now())
			if err == nil && id.Role != pki.Cloudctl {
				err = fmt.Errorf("%s is no event server", id)
			}
			return err
		},
	}
}

func verifyOutside(at Address, chain []*x509.Certificate) error {
	u, err := url.Parse(at.URL)
	if err != nil {
		return err
	}
	if len(chain) == 0 {
		return errors.New("no certificate was shown")
	}
	o := x509.VerifyOptions{DNSName: u.Hostname(), Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool()}
	if !o.Roots.AppendCertsFromPEM(at.CA) {
		return errors.New("the authority of the event server cannot be read")
	}
	for _, c := range chain[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err = chain[0].Verify(o)
	return err
}

// gap tells, when the server has all subscriptions again, that events may have
// been missed.
func (n *NATS) gap(c *nats.Conn) {
	if err := c.FlushTimeout(5 * time.Second); err == nil { // else it is gone again, and will be back
		n.tell()
	}
}

func (n *NATS) tell() {
	n.mu.Lock()
	gaps := n.gaps
	n.mu.Unlock()
	for _, f := range gaps {
		f()
	}
}

// Publish is Bus's.
func (n *NATS) Publish(ctx context.Context, list ...Event) error {
	for _, e := range list {
		if err := e.check(); err != nil {
			return err
		}
		b, err := json.Marshal(e)
		if err == nil {
			err = n.conn.Publish(root+e.Subject, b)
		}
		if err != nil {
			return fmt.Errorf("publish %s: %w", e.Subject, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := n.conn.FlushWithContext(ctx); err != nil {
		return fault.New(fault.Later, "EventsAway", "The event server does not answer.").Because(err)
	}
	return nil
}

// Subscribe is Bus's.
func (n *NATS) Subscribe(pattern string, f func(Event)) (stop func(), err error) {
	if err := CheckPattern(pattern); err != nil {
		return nil, err
	}
	s, err := n.conn.Subscribe(root+pattern, func(m *nats.Msg) {
		var e Event
		if err := json.Unmarshal(m.Data, &e); err != nil || e.Subject != strings.TrimPrefix(m.Subject, root) {
			return // nobody of this cloud said that
		}
		f(e)
	})
	if err != nil {
		return nil, err
	}
	return func() { _ = s.Unsubscribe() }, nil
}

// OnGap is Bus's.
func (n *NATS) OnGap(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gaps = append(n.gaps[:len(n.gaps):len(n.gaps)], f)
}

// Connected is Bus's.
func (n *NATS) Connected() bool { return n.conn.IsConnected() }

// Close is Bus's.
func (n *NATS) Close() {
	n.quit()
	n.conn.Close()
}
