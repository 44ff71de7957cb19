package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/netutil"

	"karri/nodectl/network/rules"
)

// Connections that the guests of one VPC may hold to one of its services.
const maxConns = 256

// services are what a router answers to its guests. Their sockets are opened
// in the router's namespace; who asks is known by the tap that the packet came
// by, or by the address that the source check let pass.
type services struct {
	cancel  context.CancelFunc
	done    sync.WaitGroup
	closers []func() error
}

func (s *services) close() {
	s.cancel()
	for _, c := range s.closers {
		if err := c(); err != nil && !errors.Is(err, net.ErrClosed) {
			slog.Debug("close a router's service", "error", err)
		}
	}
	s.done.Wait()
}

// serve starts the services unless they run. All sockets are opened, or none
// stays open and the next Sync tries again.
func (r *router) serve() (err error) {
	if r.services != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &services{cancel: cancel}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	leases, err := r.space.ListenUDP(ctx, "0.0.0.0:67")
	if err != nil {
		return fmt.Errorf("serve DHCP: %w", err)
	}
	s.closers = append(s.closers, leases.Close)
	names, err := r.space.ListenUDP(ctx, "0.0.0.0:53")
	if err != nil {
		return fmt.Errorf("serve DNS: %w", err)
	}
	s.closers = append(s.closers, names.Close)
	namesTCP, err := r.space.Listen(ctx, "tcp4", "0.0.0.0:53")
	if err != nil {
		return fmt.Errorf("serve DNS: %w", err)
	}
	s.closers = append(s.closers, namesTCP.Close)
	var metadata net.Listener
	if r.net.opt.Metadata != nil {
		if metadata, err = r.space.Listen(ctx, "tcp4", rules.Metadata+":80"); err != nil {
			return fmt.Errorf("serve metadata: %w", err)
		}
		s.closers = append(s.closers, metadata.Close)
	}

	packets := ipv4.NewPacketConn(leases)
	if err := packets.SetControlMessage(ipv4.FlagInterface, true); err != nil {
		return fmt.Errorf("serve DHCP: %w", err)
	}
	h := newNames(r.view, r.net.resolver)
	udp := &dns.Server{PacketConn: names, Handler: h}
	tcp := &dns.Server{Listener: netutil.LimitListener(namesTCP, maxConns), Handler: h, ReadTimeout: 5 * time.Second}
	s.run(ctx, r, "DHCP", func() error { return r.serveDHCP(packets) })
	s.run(ctx, r, "DNS", udp.ActivateAndServe)
	s.run(ctx, r, "DNS over TCP", tcp.ActivateAndServe)
	if metadata != nil {
		s.run(ctx, r, "metadata", func() error {
			return r.net.opt.Metadata(ctx, r.vpc, netutil.LimitListener(metadata, maxConns))
		})
	}
	r.services = s
	return nil
}

// run runs one service until its socket is closed.
func (s *services) run(ctx context.Context, r *router, name string, serve func() error) {
	s.done.Go(func() {
		if err := serve(); err != nil && ctx.Err() == nil {
			slog.Error("a router's service ended", "vpc", r.vpc, "service", name, "error", err)
		}
	})
}
