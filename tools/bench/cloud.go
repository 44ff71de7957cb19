package main

import (
	"context"
	"net/http"
	"time"

	"karri/shared/config"
	"karri/shared/fault"
	"karri/shared/identity"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/service"
	"karri/shared/sign"
	"karri/shared/token"
)

const account = "111111111111"

// startCloud runs what walrus needs of a cloudctl: it lets components in and
// knows one access key. It returns the token to join with.
func (b *bench) startCloud(ctx context.Context, state string) (string, error) {
	id := pki.Identity{Role: pki.Cloudctl}
	spec := service.Spec{
		Program: config.Program{Name: id.Role}, Founds: true, Identity: func() pki.Identity { return id },
		Run: func(ctx context.Context, s *service.Service) error { return s.Serve(ctx) },
	}
	s, err := service.New(ctx, spec, service.Env{}, service.Flags{State: state, Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"})
	if err != nil {
		return "", err
	}
	s.Internal.ServeJoin(func(_ context.Context, _ pki.Identity, r rest.JoinRequest) (rest.JoinReply, error) {
		chain, err := s.Root.Issue(r.CSR, time.Now())
		return rest.JoinReply{Chain: chain, Root: s.Root.RootPEM()}, err
	})
	s.Internal.Handle(http.MethodPost, "/v1/keys/derive", rest.Roles(pki.Walrus), derive)
	running, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Run(running) }()
	b.stops = append(b.stops, func() {
		cancel()
		if err := <-done; err != nil && ctx.Err() == nil {
			b.say("the stand-in for cloudctl: %v", err)
		}
	})
	return token.NewJoin(s.Addr, pki.Hash(s.Root.Root)).String(), nil
}

func derive(w http.ResponseWriter, r *http.Request) error {
	var in struct{ AccessKey, Date, Region, Service string }
	if err := rest.Read(r, &in); err != nil {
		return err
	}
	if in.AccessKey != credentials.AccessKey {
		return fault.New(fault.Missing, "NoSuchKey", "There is no such access key.")
	}
	return rest.JSON(w, sign.Key{
		Account: account, ARN: "arn:aws:iam::" + account + ":root", State: sign.Active, Identity: identity.RootOf(account, false),
		Signing: sign.DeriveKey(credentials.Secret, in.Date, in.Region, in.Service),
	})
}
