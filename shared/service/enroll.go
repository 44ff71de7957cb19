package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"karri/shared/durable"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/shared/token"
)

// joined is what is kept of a join besides the credentials: STATE/pki/joined.json.
type joined struct {
	Issuer  string            `json:"issuer"`  // address, for renewals
	By      string            `json:"by"`      // its identity
	Address string            `json:"address"` // ours, as the issuer knows it
	Peers   map[string]string `json:"peers"`
}

func (s *Service) keepJoined(j joined) error {
	b, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(s.State, "pki", "joined.json"), b, 0o600)
}

// enroll loads the credentials, or wins them.
func (s *Service) enroll(ctx context.Context) error {
	dir, err := s.Dir("pki")
	if err != nil {
		return err
	}
	if err := durable.Sweep(dir); err != nil {
		return err
	}
	if s.spec.Founds {
		return s.found(dir)
	}
	c, err := pki.Load(dir)
	if errors.Is(err, os.ErrNotExist) {
		c, err = s.join(ctx, dir)
	}
	if err != nil {
		return err
	}
	if c.Identity() != s.Identity() {
		return fmt.Errorf("the credentials in %s are those of %s, not of %s", dir, c.Identity(), s.Identity())
	}
	s.use(c)
	j, err := s.joined()
	s.Peers = j.Peers
	s.moved = j.Issuer != "" && j.Address != s.Addr
	return err
}

// found loads or makes the cloud's authority in STATE/ca and our own
// certificate under it.
func (s *Service) found(dir string) error {
	ca, err := s.Dir("ca")
	if err != nil {
		return err
	}
	s.Root, err = pki.Load(ca)
	if errors.Is(err, os.ErrNotExist) {
		if s.Root, err = pki.NewRoot(time.Now()); err == nil {
			err = s.Root.Save(ca)
		}
	}
	if err != nil {
		return fmt.Errorf("the cloud's authority: %w", err)
	}
	s.Root.Life = s.life()
	c, err := pki.Load(dir)
	if errors.Is(err, os.ErrNotExist) {
		c, err = s.fresh(dir, func(csr []byte) ([]byte, []byte, error) {
			chain, err := s.Root.Issue(csr, time.Now())
			return chain, s.Root.RootPEM(), err
		})
	}
	if err != nil {
		return err
	}
	s.use(c)
	return nil
}

// fresh saves the credentials that issue makes of our key.
func (s *Service) fresh(dir string, issue func(csr []byte) (chain, root []byte, err error)) (*pki.Credentials, error) {
	key, err := pki.Key(dir)
	if err != nil {
		return nil, err
	}
	csr, err := pki.Request(key, s.Identity())
	if err != nil {
		return nil, err
	}
	chain, root, err := issue(csr)
	if err != nil {
		return nil, err
	}
	c, err := pki.Enrolled(key, chain, root, time.Now())
	if err != nil {
		return nil, fmt.Errorf("the certificate that was issued: %w", err)
	}
	return c, c.Save(dir)
}

// join wins credentials with the join token. While the issuer is away it tries
// again: daemons may be started in any order.
func (s *Service) join(ctx context.Context, dir string) (*pki.Credentials, error) {
	text, err := s.joinToken()
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, errors.New("this component has not joined a cloud: give it a token by --join or --join-file")
	}
	tok, err := token.ParseJoin(text)
	if err != nil {
		return nil, err
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		c, err := s.fresh(dir, func(csr []byte) ([]byte, []byte, error) { return s.askJoin(ctx, tok, csr) })
		if err == nil || fault.KindOf(err) != fault.Later {
			return c, err
		}
		s.Log.Info("waiting to join", "issuer", tok.Address, "err", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// askJoin asks the issuer. What it tells besides the certificate is saved
// first, since the certificate is the commit.
func (s *Service) askJoin(ctx context.Context, tok token.Join, csr []byte) ([]byte, []byte, error) {
	rep, err := rest.Join(ctx, tok, rest.JoinRequest{CSR: csr, Address: s.Addr}, s.env.Dial)
	if err != nil {
		return nil, nil, fmt.Errorf("join at %s: %w", tok.Address, err)
	}
	by := pki.Identity{Role: pki.Cloudctl}
	if who := s.Identity(); who.Role == pki.Nodectl {
		by = pki.Identity{Role: pki.Clusterctl, Zone: who.Zone}
	}
	peers := map[string]string{by.Role: tok.Address}
	for k, v := range rep.Peers {
		peers[k] = v
	}
	return rep.Chain, rep.Root, s.keepJoined(joined{Issuer: tok.Address, By: by.String(), Address: s.Addr, Peers: peers})
}

func (s *Service) joined() (j joined, err error) {
	b, err := os.ReadFile(filepath.Join(s.State, "pki", "joined.json"))
	if errors.Is(err, os.ErrNotExist) {
		return j, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &j)
	}
	return j, err
}

// life is how long certificates are good that this daemon issues; 0: a year.
func (s *Service) life() time.Duration {
	if s.spec.Issues == nil {
		return 0
	}
	return s.spec.Issues()
}

func (s *Service) checkLife() error {
	if life := s.life(); life != 0 && (life < shortestLife || life > longestLife) {
		return fmt.Errorf("--certificate-life is from %.0fh to %.0fh, not %s", shortestLife.Hours(), longestLife.Hours(), life)
	}
	return nil
}

// use speaks with credentials from now on.
func (s *Service) use(c *pki.Credentials) {
	c.Life = s.life()
	s.creds.Store(c)
}

// renewals asks for a fresh certificate when a third of the life is left, and
// at once when the issuer knows us at another address.
func (s *Service) renewals(ctx context.Context) error {
	for {
		wait := min(time.Hour, s.Self().Lasts()/10)
		if s.moved || s.Self().Due(time.Now()) {
			err := s.renew(ctx)
			switch {
			case err == nil:
				s.moved = false
			case ctx.Err() == nil:
				s.Log.Warn("cannot renew the certificate", "err", err)
				wait = min(wait, 5*time.Second)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

func (s *Service) renew(ctx context.Context) error {
	dir := filepath.Join(s.State, "pki")
	c, err := s.fresh(dir, func(csr []byte) ([]byte, []byte, error) {
		if s.Root != nil {
			chain, err := s.Root.Issue(csr, time.Now())
			return chain, s.Root.RootPEM(), err
		}
		j, err := s.joined()
		if err != nil {
			return nil, nil, err
		}
		by, err := pki.Parse(j.By)
		if err != nil {
			return nil, nil, err
		}
		issuer := s.Client(by, j.Issuer)
		defer issuer.Close()
		var rep rest.JoinReply
		if err := issuer.Call(ctx, "POST", "/v1/renew", nil, rest.JoinRequest{CSR: csr, Address: s.Addr}, &rep); err != nil {
			return nil, nil, err
		}
		j.Address = s.Addr
		if j.Peers == nil {
			j.Peers = map[string]string{}
		}
		maps.Copy(j.Peers, rep.Peers) // for the next start
		return rep.Chain, rep.Root, s.keepJoined(j)
	})
	if err != nil {
		return err
	}
	s.use(c)
	s.Log.Info("the certificate was renewed", "until", c.Chain[0].NotAfter)
	return nil
}
