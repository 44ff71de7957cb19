// Package metadata answers http://169.254.169.254 for the instances of one
// host, versions 1 and 2, from the order book alone: it works while everything
// above the host is down.
//
// Who asks is not a matter of what is asked: the listener stands in the router
// of one VPC, and the router's source check lets no packet pass that is not
// from its tap's own address. So (VPC, source address) names the instance, and
// nothing in a request can name another. A token of version 2 is a keyed hash
// over the instance and a time; the key is in a file of this host, so tokens
// outlive a restart and are worth nothing to another instance or host.
//
// Nothing is written but the key, once; a crash loses nothing. The credentials
// of an instance's role are had from above when they are asked for, and kept in
// memory alone (Roles).
package metadata

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"karri/shared/id"
	"karri/shared/wire"
)

// Options are what the service must know.
type Options struct {
	Orders  func() wire.NodeOrders // the order book as it is now
	KeyFile string                 // of the tokens; made when it is not there
	Zone    string                 // us-east-1a
	Region  string                 // us-east-1
	Domain  string                 // of the services, default amazonaws.com
	Now     func() time.Time       // default time.Now
	Roles   *Roles                 // the credentials of instances; nil: none has any
}

// A Service answers the instances of one host.
type Service struct {
	opt Options
	key []byte
}

// New returns the service; it makes the tokens' key if there is none.
func New(o Options) (*Service, error) {
	if o.Domain == "" {
		o.Domain = "amazonaws.com"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	key, err := readKey(o.KeyFile)
	if err != nil {
		return nil, err
	}
	return &Service{opt: o, key: key}, nil
}

// Serve answers the instances of one VPC by a listener that stands in its
// router, until the context ends or the listener is closed.
func (s *Service) Serve(ctx context.Context, vpc id.VPC, l net.Listener) error {
	srv := &http.Server{
		Handler:           s.handler(vpc),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    8 << 10,
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	err := srv.Serve(newLimited(l))
	// The listener may have been closed without the server: end its connections.
	if cerr := srv.Close(); cerr != nil && !errors.Is(cerr, net.ErrClosed) {
		slog.Debug("close the metadata service", "vpc", vpc, "error", cerr)
	}
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("serve metadata of %s: %w", vpc, err)
}

// A Guest is the instance that asks, by one of its interfaces.
type Guest struct {
	ID        id.Instance
	Order     wire.Instance
	Interface wire.Interface
	Networks  map[id.VPC]wire.Network
}

// Find returns the guest that has an address in a VPC.
func Find(o wire.NodeOrders, vpc id.VPC, a netip.Addr) (Guest, bool) {
	for i, w := range o.Instances {
		for _, f := range w.Interfaces {
			if f.VPC == vpc && f.Address == a && w.Want != wire.Gone {
				return Guest{ID: i, Order: w, Interface: f, Networks: o.Networks}, true
			}
		}
	}
	return Guest{}, false
}

const (
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	tokenPath   = "/latest/api/token"
	maxTTL      = 21600
)

func (s *Service) handler(vpc id.VPC) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Cache-Control", "no-store")
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			refuse(w, http.StatusForbidden)
			return
		}
		g, ok := Find(s.opt.Orders(), vpc, from.Addr().Unmap())
		switch {
		case !ok:
			refuse(w, http.StatusNotFound)
		case !g.Order.Metadata.Enabled || !ownHost(r):
			refuse(w, http.StatusForbidden)
		case r.Method == http.MethodPut:
			s.putToken(w, r, g)
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			s.get(w, r, g)
		default:
			w.Header().Set("Allow", "GET, HEAD, PUT")
			refuse(w, http.StatusMethodNotAllowed)
		}
	})
}

// ownHost refuses requests under a name that is not the service's: a page in a
// guest's browser that calls its own host name by our address is not the guest.
func ownHost(r *http.Request) bool {
	if r.URL.IsAbs() {
		return false
	}
	h := strings.TrimSuffix(strings.ToLower(r.Host), ":80")
	return h == "169.254.169.254" || h == "instance-data" || strings.HasPrefix(h, "instance-data.") || h == "" && !r.ProtoAtLeast(1, 1)
}

func refuse(w http.ResponseWriter, status int) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "%d - %s\n", status, http.StatusText(status))
}

// putToken begins a session of version 2. Its answer travels no more hops than
// the instance's options say, so that it cannot be had from behind the guest.
func (s *Service) putToken(w http.ResponseWriter, r *http.Request, g Guest) {
	if r.URL.Path != tokenPath || r.URL.RawPath != "" {
		refuse(w, http.StatusNotFound)
		return
	}
	if _, proxied := r.Header["X-Forwarded-For"]; proxied {
		refuse(w, http.StatusForbidden)
		return
	}
	asked := r.Header[ttlHeader]
	if len(asked) != 1 {
		refuse(w, http.StatusBadRequest)
		return
	}
	ttl, err := strconv.ParseUint(asked[0], 10, 16)
	if err != nil || ttl < 1 || ttl > maxTTL {
		refuse(w, http.StatusBadRequest)
		return
	}
	w.Header().Set("Connection", "close") // the limit is the connection's
	if err := limitHops(r.Context(), g.Order.Metadata.HopLimit); err != nil {
		slog.Error("limit the hops of a token", "instance", g.ID, "error", err)
		refuse(w, http.StatusInternalServerError)
		return
	}
	w.Header().Set(ttlHeader, asked[0])
	fmt.Fprint(w, newToken(s.key, g.ID, s.opt.Now().Add(time.Duration(ttl)*time.Second)))
}

func (s *Service) get(w http.ResponseWriter, r *http.Request, g Guest) {
	tokens, given := r.Header[tokenHeader]
	if given && (len(tokens) != 1 || !validToken(s.key, g.ID, tokens[0], s.opt.Now())) || !given && g.Order.Metadata.TokensRequired {
		refuse(w, http.StatusUnauthorized)
		return
	}
	if r.URL.RawPath != "" || strings.Contains(r.URL.Path, "\x00") {
		refuse(w, http.StatusNotFound)
		return
	}
	body, kind, ok := s.page(g, r.URL.Path)
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	if kind == fresh {
		var err error
		if body, err = s.credentials(r.Context(), g); err != nil {
			if refused(err) {
				refuse(w, http.StatusNotFound)
			} else {
				refuse(w, http.StatusServiceUnavailable)
			}
			return
		}
		kind = text
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		// A guest that went away while it was answered is not our trouble.
		_, _ = w.Write(body)
	}
}
