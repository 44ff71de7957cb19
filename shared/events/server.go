package events

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"karri/shared/pki"
)

// A Server is an event server within this process, for the components of one
// cloud.
type Server struct {
	srv   *server.Server
	token string // of this process's own connection
}

// Serve starts a server at addr, host:port (port 0: any), until Close.
func Serve(addr string, self func() *pki.Credentials, log *slog.Logger) (*Server, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("event server: %w", err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("event server: %q is no port", port)
	}
	s := &Server{token: rand.Text()}
	o := &server.Options{
		ServerName: "karri", Host: host, Port: int(number), NoSigs: true, NoSystemAccount: true, MaxPayload: 256 << 10, MaxConn: 1000, MaxSubs: 1000,
		TLS: true, TLSVerify: true, TLSTimeout: 5, AuthTimeout: 6, PingInterval: 10 * time.Second, MaxPingsOut: 2, WriteDeadline: 5 * time.Second,
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert, SessionTicketsDisabled: true,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				c := self().TLS()
				return &c, nil
			},
			VerifyConnection: func(c tls.ConnectionState) error {
				_, err := pki.Verify(c.PeerCertificates, self().Root, time.Now())
				return err
			},
		},
		CustomClientAuthentication: &gate{token: s.token, self: self},
	}
	if number == 0 {
		o.Port = server.RANDOM_PORT
	}
	if s.srv, err = server.NewServer(o); err != nil {
		return nil, fmt.Errorf("event server: %w", err)
	}
	s.srv.SetLoggerV2(natsLog{log.With("part", "event server")}, false, false, false)
	s.srv.Start()
	if !s.srv.ReadyForConnections(10 * time.Second) {
		s.srv.Shutdown()
		return nil, fmt.Errorf("event server: it cannot listen at %s", addr)
	}
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.srv.Addr().String() }

// Close ends all connections.
func (s *Server) Close() {
	s.srv.Shutdown()
	s.srv.WaitForShutdown()
}

// gate lets components in, each to its own subjects.
type gate struct {
	token string
	self  func() *pki.Credentials
}

// Check is server.Authentication's.
func (g *gate) Check(c server.ClientAuthentication) bool {
	state := c.GetTLSConnectionState()
	if state == nil { // a connection within this process
		if !hmac.Equal([]byte(c.GetOpts().Token), []byte(g.token)) {
			return false
		}
		c.RegisterUser(user(pki.Identity{Role: pki.Cloudctl}))
		return true
	}
	id, err := pki.Verify(state.PeerCertificates, g.self().Root, time.Now())
	if err != nil {
		return false
	}
	u := user(id)
	if u == nil {
		return false
	}
	c.RegisterUser(u)
	return true
}

// user is what a component may say and hear; nil: it may not come in.
func user(id pki.Identity) *server.User {
	say, hear := subjects(id)
	if say == nil {
		return nil
	}
	below := func(patterns []string) *server.SubjectPermission {
		p := &server.SubjectPermission{}
		for _, each := range patterns {
			p.Allow = append(p.Allow, root+each)
		}
		return p
	}
	return &server.User{Username: id.String(), Permissions: &server.Permissions{Publish: below(say), Subscribe: below(hear)}}
}

// natsLog is the log of the server, as ours.
type natsLog struct{ log *slog.Logger }

// Noticef is server.Logger's.
func (l natsLog) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }

// Warnf is server.Logger's.
func (l natsLog) Warnf(format string, v ...any) { l.log.Warn(fmt.Sprintf(format, v...)) }

// Fatalf is server.Logger's.
func (l natsLog) Fatalf(format string, v ...any) { l.log.Error(fmt.Sprintf(format, v...)) }

// Errorf is server.Logger's.
func (l natsLog) Errorf(format string, v ...any) { l.log.Warn(fmt.Sprintf(format, v...)) }

// Debugf is server.Logger's.
func (l natsLog) Debugf(string, ...any) {}

// Tracef is server.Logger's.
func (l natsLog) Tracef(string, ...any) {}
