package rest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"karri/shared/audit"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/token"
)

// UnknownComponent is the code of the refusal of a certificate that is not, or
// no longer, one of this cloud.
const UnknownComponent = "UnknownComponent"

// maxBody bounds a body that is read whole before its handler runs.
const maxBody = 64 << 20

// Allow says whether a component may use a route.
type Allow func(pki.Identity) bool

// Roles allows components of the given roles.
func Roles(roles ...string) Allow {
	return func(id pki.Identity) bool { return slices.Contains(roles, id.Role) }
}

// NodesOf allows the nodes of one zone.
func NodesOf(zone string) Allow {
	return func(id pki.Identity) bool { return id.Role == pki.Nodectl && id.Zone == zone }
}

// Internal is the API that a daemon serves to other components.
type Internal struct {
	router  *Router
	self    func() *pki.Credentials
	tokens  *token.Verifier
	metrics *Metrics
	routes  []Route

	// Audit, when there, takes a line for each request, but for the few open ones
	// that only read.
	Audit func(*audit.Line)
}

// Route is something that a daemon can be asked by other components.
type Route struct {
	Method, Pattern string
	Open            bool // by anyone who can connect
}

// Routes returns all routes, in the order in which they were added.
func (in *Internal) Routes() []Route { return slices.Clone(in.routes) }

// NewInternal returns an internal API with the routes that all have:
// GET /v1/boot answers the id of this start, which tokens are made for, and
// GET /v1/root the root, for those who have only its hash.
func NewInternal(self func() *pki.Credentials, m *Metrics) *Internal {
	in := &Internal{router: NewRouter(nil), self: self, metrics: m,
		tokens: &token.Verifier{Boot: token.ID(), Now: time.Now}}
	in.Open("GET", "/v1/root", func(w http.ResponseWriter, _ *http.Request) error {
		return JSON(w, JoinReply{Root: in.self().RootPEM()})
	})
	in.Open("GET", "/v1/boot", func(w http.ResponseWriter, r *http.Request) error {
		callOf(r.Context()).quiet = true
		return JSON(w, boot{in.tokens.Boot})
	})
	return in
}

type boot struct {
	Boot string `json:"boot"`
}

// Open serves a route to anyone who can connect, without token or certificate.
func (in *Internal) Open(method, pattern string, h Handler) {
	in.routes = append(in.routes, Route{method, pattern, true})
	in.router.Handle(method, pattern, func(w http.ResponseWriter, r *http.Request) error {
		began := time.Now()
		err := h(w, r)
		if method != http.MethodGet {
			in.note(r, pattern, began, err)
		}
		return err
	})
}

// Handle serves a route to the components that who allows.
func (in *Internal) Handle(method, pattern string, who Allow, h Handler) {
	in.routes = append(in.routes, Route{method, pattern, false})
	in.router.Handle(method, pattern, func(w http.ResponseWriter, r *http.Request) error {
		began := time.Now()
		if err := in.admit(r, who); err != nil {
			callOf(r.Context()).claimed = claimed(r)
			in.note(r, pattern, began, err)
			in.metrics.refused.WithLabelValues(fault.CodeOf(err)).Inc()
			w.Header().Set(bootHeader, in.tokens.Boot)
			return err
		}
		callOf(r.Context()).quiet = r.Method == http.MethodGet
		err := h(w, r)
		in.note(r, pattern, began, err)
		return err
	})
}

// note writes a request down. What loops ask of each other all the time is no
// management: reports, orders, keys.
func (in *Internal) note(r *http.Request, pattern string, began time.Time, err error) {
	if in.Audit == nil {
		return
	}
	c := callOf(r.Context())
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	path, _, _ := strings.Cut(r.RequestURI, "?")
	l := &audit.Line{
		Time: began, Service: "internal", Action: r.Method + " " + pattern, Read: r.Method == http.MethodGet || r.Method == http.MethodHead,
		Data: r.Method != http.MethodPost || strings.HasPrefix(pattern, "/v1/keys/"), Kind: "component", ARN: c.caller.String(), Auth: "certificate",
		Claimed: c.claimed, For: r.Header.Get(ForHeader), Source: host, On: []string{path}, RequestID: c.id,
	}
	if c.caller == (pki.Identity{}) {
		l.Kind, l.ARN, l.Auth = "anonymous", "", ""
	} else if l.Claimed == l.ARN {
		l.Claimed = ""
	}
	if err == nil {
		err = c.err
	}
	if err != nil {
		f := fault.Of(err)
		l.Code, l.Text = f.Code, f.Text
	} else if c.unnoted {
		return
	}
	in.Audit(l)
}

// claimed returns the component that a request which was not let in names as its
// sender: by its token, else by its certificate.
func claimed(r *http.Request) string {
	name := token.Claimed(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if name == "" && r.TLS != nil {
		name = named(r.TLS.PeerCertificates)
	}
	return component(name)
}

// named returns whom a certificate is made out to.
func named(chain []*x509.Certificate) string {
	if len(chain) == 0 || len(chain[0].DNSNames) == 0 {
		return ""
	}
	return chain[0].DNSNames[0]
}

// component returns name if a component may be called so; else it is no name
// to be written down.
func component(name string) string {
	if _, err := pki.Parse(name); err != nil {
		return ""
	}
	return name
}

// turnedAway notes a connection that was refused for its certificate, which is
// not, or no longer, one of this cloud.
func (in *Internal) turnedAway(from net.Addr, chain []*x509.Certificate, err error) {
	in.metrics.refused.WithLabelValues(UnknownComponent).Inc()
	if in.Audit == nil {
		return
	}
	host, _, _ := net.SplitHostPort(from.String())
	in.Audit(&audit.Line{Time: time.Now(), Service: "internal", Action: "connect", Kind: "anonymous", Claimed: component(named(chain)), Source: host,
		RequestID: NewRequestID(), Code: UnknownComponent, Text: "The certificate is not one of this cloud: " + err.Error()})
}

// admit checks who sends the request and that it is what was signed.
func (in *Internal) admit(r *http.Request, who Allow) error {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return fault.New(fault.Denied, token.Unsigned, "A component's certificate is needed here.")
	}
	id, err := pki.Verify(r.TLS.PeerCertificates, in.self().Root, time.Now())
	if err != nil {
		return fault.New(fault.Denied, UnknownComponent, "The certificate is not one of this cloud.").Because(err)
	}
	callOf(r.Context()).caller = id
	key := r.TLS.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	callOf(r.Context()).key = pki.KeyHash(key)
	path, query, _ := strings.Cut(r.RequestURI, "?")
	req := token.Request{Method: r.Method, Path: path, Query: query, Body: token.Streamed}
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if _, streams := r.Trailer[digestHeader]; streams {
		jti, err := in.tokens.Verify(bearer, id.String(), key, req)
		if err != nil {
			return err
		}
		r.Body = &signedBody{ReadCloser: r.Body, hash: sha256.New(), check: func(sum string) error {
			req.Body = sum
			return in.tokens.VerifyTrailer(r.Trailer.Get(digestHeader), id.String(), key, jti, req)
		}}
	} else if err := in.admitWhole(r, bearer, id, key, req); err != nil {
		return err
	}
	if !who(id) {
		return fault.New(fault.Denied, "NotForYou", "%s may not use this.", id)
	}
	return nil
}

func (in *Internal) admitWhole(r *http.Request, bearer string, id pki.Identity, key ed25519.PublicKey, req token.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return fault.New(fault.Invalid, "TooLarge", "The body is larger than %d bytes.", maxBody)
		}
		return fault.New(fault.Invalid, "BadRequest", "The body was cut off.").Because(err)
	}
	sum := sha256.Sum256(body)
	req.Body = hex.EncodeToString(sum[:])
	if _, err := in.tokens.Verify(bearer, id.String(), key, req); err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// signedBody gives io.EOF only when the token in the trailer is for the bytes
// that came, so who reads to the end and commits then, commits what was signed.
type signedBody struct {
	io.ReadCloser
	hash  hash.Hash
	check func(sum string) error
	done  error
}

func (b *signedBody) Read(p []byte) (int, error) {
	if b.done != nil {
		return 0, b.done
	}
	n, err := b.ReadCloser.Read(p)
	b.hash.Write(p[:n])
	if err == io.EOF {
		if bad := b.check(hex.EncodeToString(b.hash.Sum(nil))); bad != nil {
			err = bad
		}
	}
	b.done = err
	return n, err
}

// ServeHTTP implements http.Handler.
func (in *Internal) ServeHTTP(w http.ResponseWriter, r *http.Request) { in.router.ServeHTTP(w, r) }

// TLS returns how the internal listener speaks: certificates of this cloud,
// or none for the few open routes.
func (in *Internal) TLS() *tls.Config {
	conf := in.tls(nil)
	conf.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return in.tls(hello.Conn.RemoteAddr()), nil }
	return conf
}

func (in *Internal) tls(from net.Addr) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequestClientCert, SessionTicketsDisabled: true,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c := in.self().TLS()
			return &c, nil
		},
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 {
				return nil
			}
			_, err := pki.Verify(s.PeerCertificates, in.self().Root, time.Now())
			if err != nil && from != nil {
				in.turnedAway(from, s.PeerCertificates, err)
			}
			return err
		},
	}
}
