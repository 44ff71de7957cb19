package events

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
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

// NATS is the Bus of a whole cloud.
type NATS struct {
	o      Options
	dialer *dialer
	reader reader
	quit   context.CancelFunc

	mu      sync.Mutex
	conn    *nats.Conn
	gaps    []func()
	said    string    // the trouble that was logged last
	refused time.Time // when a message was that no component signed
}

// Options say how to reach the server.
type Options struct {
	Name  string // of the connection, in the server's log
	Self  func() *pki.Credentials
	Where func(ctx context.Context) (Address, error) // asked before each try
	Local *Server                                    // instead of Where: in this process
	// Credentials is a file with what an outside cluster wants besides, or
	// instead of, the component's certificate; "": nothing.
	Credentials string
	Log         *slog.Logger
	Again       time.Duration // the first pause between tries; 100 ms when zero
	Refused     func()        // a message came that no component said; may be nil
}

// Connect returns a bus at once; the connection is made, and made again, in the
// background.
func Connect(o Options) (*NATS, error) {
	ctx, quit := context.WithCancel(context.Background())
	n := &NATS{quit: quit, o: o, reader: reader{self: o.Self}}
	n.dialer = &dialer{ctx: ctx, o: o, next: rand.IntN(1000)}
	again := cmp.Or(o.Again, 100*time.Millisecond)
	opts := []nats.Option{
		nats.Name(o.Name), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1), nats.IgnoreAuthErrorAbort(),
		nats.SkipHostLookup(), nats.IgnoreDiscoveredServers(), nats.Timeout(5 * time.Second), nats.PingInterval(3 * time.Second), nats.MaxPingsOutstanding(2),
		nats.CustomReconnectDelay(func(tries int) time.Duration {
			n.failed()
			return min(again<<min(max(tries-1, 0), 8), longestPause)
		}),
		nats.ConnectHandler(n.gap), nats.ReconnectHandler(n.gap),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if ctx.Err() == nil {
				n.trouble("the event server is away", err)
			}
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { n.trouble("the event server is not reached", err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			n.trouble("events", err)
			n.tell() // a listener was too slow, or may not listen
		}),
	}
	if o.Local != nil {
		opts = append(opts, nats.InProcessServer(o.Local.srv), nats.Token(o.Local.token))
	} else {
		login, err := credentials(o.Credentials)
		if err != nil {
			quit()
			return nil, err
		}
		opts = append(append(opts, nats.SetCustomDialer(n.dialer), nats.Secure(n.dialer.tls())), login...)
	}
	conn, err := nats.Connect("nats://event-server:4222", opts...)
	if err != nil {
		quit()
		return nil, fmt.Errorf("event server: %w", err)
	}
	n.mu.Lock()
	n.conn = conn
	n.mu.Unlock()
	return n, nil
}

// failed says why the last try to connect did, once it was let dial.
func (n *NATS) failed() {
	n.mu.Lock()
	conn := n.conn
	n.mu.Unlock()
	if conn == nil {
		return
	}
	if err := conn.LastError(); err != nil {
		n.trouble("the event server is not reached", err)
	}
}

// trouble logs an error with what to do about it, the same one once until
// there was a connection or another.
func (n *NATS) trouble(what string, err error) {
	if err == nil || errors.Is(err, errBackground) {
		return
	}
	at, outside := n.dialer.now()
	n.mu.Lock()
	again := n.said == err.Error()
	n.said = err.Error()
	n.mu.Unlock()
	if again {
		return
	}
	args := []any{"server", at, "err", err}
	if todo := advice(err, outside); todo != "" {
		args = append(args, "advice", todo)
	}
	n.o.Log.Warn(what, args...)
}

// dialer finds the server anew for each connection.
type dialer struct {
	ctx   context.Context
	o     Options
	mu    sync.Mutex
	at    Address // as it was told last
	host  string  // of the server that is dialed
	next  int     // which of the servers is tried next; by chance the first time
	tried bool
}

const (
	longestPause = 4 * time.Second // between two tries to connect
	dialPatience = 2 * time.Second // with one server of several
)

var errBackground = errors.New("the connection is made in the background")

// Dial is nats.CustomDialer's. It tries the servers in turn, the next time
// from the next one on: one that takes a connection may still refuse it.
func (d *dialer) Dial(network, _ string) (net.Conn, error) {
	if d.first() {
		return nil, errBackground
	}
	at, err := d.where()
	if err != nil {
		return nil, err
	}
	if len(at.URLs) == 0 {
		return nil, errors.New("there is no event server")
	}
	var failed error
	for range at.URLs {
		u, err := url.Parse(d.turn(at.URLs))
		if err != nil {
			return nil, err
		}
		d.mu.Lock()
		d.host = u.Hostname()
		d.mu.Unlock()
		ctx, cancel := context.WithTimeout(d.ctx, dialPatience)
		c, err := (&net.Dialer{}).DialContext(ctx, network, u.Host)
		cancel()
		if err == nil {
			return c, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// where asks for the address; while nobody tells, the one that was told last is
// as good as ever.
func (d *dialer) where() (Address, error) {
	ctx, cancel := context.WithTimeout(d.ctx, 5*time.Second)
	defer cancel()
	at, err := d.o.Where(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil && len(d.at.URLs) > 0 {
		return d.at, nil
	}
	d.at = at
	return at, err
}

// turn returns the server whose turn it is.
func (d *dialer) turn(urls []string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next++
	return urls[d.next%len(urls)]
}

// now returns the server that was dialed last.
func (d *dialer) now() (host string, outside bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.host, d.at.Outside
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
			at, host := d.at, d.host
			d.mu.Unlock()
			if at.Outside {
				return verifyOutside(at, host, s.PeerCertificates)
			}
			id, err := pki.Verify(s.PeerCertificates, d.o.Self().Root, time.Now())
			if err == nil && id.Role != pki.Cloudctl {
				err = fmt.Errorf("%s is no event server", id)
			}
			return err
		},
	}
}

// spreading is how long the servers of a cluster take to tell each other, with
// time to spare, who listens at which.
const spreading = time.Second

// gap tells, when the server has all subscriptions again, that events may have
// been missed; and once more when other servers of a cluster know of them too.
func (n *NATS) gap(c *nats.Conn) {
	if err := c.FlushTimeout(5 * time.Second); err != nil {
		return // it is gone again, and will be back
	}
	n.mu.Lock()
	n.said = ""
	n.mu.Unlock()
	at, outside := n.dialer.now()
	n.tell()
	if outside {
		n.o.Log.Info("connected to the event server", "server", at)
		time.AfterFunc(spreading, func() {
			if !c.IsClosed() {
				n.tell()
			}
		})
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

// flushPatience is how long a server may take to answer.
const flushPatience = 3 * time.Second

// Publish is Bus's.
func (n *NATS) Publish(ctx context.Context, list ...Event) error {
	before := n.conn.LastError()
	for _, e := range list {
		if err := e.check(); err != nil {
			return err
		}
		b, err := seal(e, n.o.Self())
		if err == nil {
			err = n.conn.Publish(root+e.Subject, b)
		}
		if err != nil {
			return fmt.Errorf("publish %s: %w", e.Subject, err)
		}
	}
	flush, cancel := context.WithTimeout(ctx, flushPatience)
	defer cancel()
	if err := n.conn.FlushWithContext(flush); err != nil {
		if ctx.Err() == nil && n.conn.IsConnected() {
			_ = n.conn.ForceReconnect() // to another server, if there is one
		}
		return fault.New(fault.Later, "EventsAway", "The event server does not answer.").Because(err)
	}
	// A server that does not let us say something answers the flush all the same.
	if err := n.conn.LastError(); err != before && errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(strings.ToLower(err.Error()), "for publish") {
		return fault.New(fault.Later, "EventsRefused", "The event server does not take events.").Because(err)
	}
	return nil
}

// Subscribe is Bus's.
func (n *NATS) Subscribe(pattern string, f func(Event)) (stop func(), err error) {
	if err := CheckPattern(pattern); err != nil {
		return nil, err
	}
	s, err := n.conn.Subscribe(root+pattern, func(m *nats.Msg) {
		e, err := n.reader.read(strings.TrimPrefix(m.Subject, root), m.Data)
		if err != nil {
			n.refuse(m.Subject, err)
			return
		}
		f(e)
	})
	if err != nil {
		return nil, err
	}
	return func() { _ = s.Unsubscribe() }, nil
}

// refuse counts a message that nobody of this cloud said. In an outside cluster
// others may speak, and other clouds: the log has one a minute.
func (n *NATS) refuse(subject string, err error) {
	if n.o.Refused != nil {
		n.o.Refused()
	}
	now := time.Now()
	n.mu.Lock()
	first := now.Sub(n.refused) > time.Minute
	if first {
		n.refused = now
	}
	n.mu.Unlock()
	if first {
		n.o.Log.Warn("an event is not believed", "subject", subject, "err", err)
	}
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
