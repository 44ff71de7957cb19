package metadata

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// How long before their end credentials are renewed, how long to wait for them,
// and how long after a failure not to ask again.
const (
	renewal = 2 * time.Hour
	asking  = 5 * time.Second
	resting = 10 * time.Second
)

// A Source asks the tier above for the credentials of an instance. A fault of
// the kinds Denied and Missing says that there are none.
type Source func(ctx context.Context, i id.Instance, w wire.CredentialsOf) (wire.Credentials, error)

// Roles has the credentials of the roles of the host's instances, for as long
// as this process runs: they are never on disk. What was had once is renewed
// two hours before its end and served to its end, whoever above is down.
type Roles struct {
	ask  Source
	now  func() time.Time
	mu   sync.Mutex
	held map[id.Instance]*role
}

// role is what is had for one instance. Who asks for it holds busy.
type role struct {
	association string
	busy        chan struct{}

	mu     sync.Mutex
	c      wire.Credentials
	failed time.Time // when asking last failed
	why    error
}

// NewRoles returns Roles that ask a source. now is time.Now but in tests.
func NewRoles(ask Source, now func() time.Time) *Roles {
	return &Roles{ask: ask, now: now, held: map[id.Instance]*role{}}
}

// of returns what is had for an instance by an association; another one that
// it had before is forgotten.
func (s *Roles) of(i id.Instance, association string) *role {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.held[i]
	if r == nil || r.association != association {
		r = &role{association: association, busy: make(chan struct{}, 1)}
		s.held[i] = r
	}
	return r
}

// Get returns the credentials of an instance by an association.
func (s *Roles) Get(ctx context.Context, i id.Instance, association string) (wire.Credentials, error) {
	r := s.of(i, association)
	if c, fresh := r.have(s.now()); fresh {
		return c, nil
	}
	return s.renew(ctx, i, r)
}

// have returns what is had, and whether that will do.
func (r *role) have(now time.Time) (wire.Credentials, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.c, r.c.Expires.Sub(now) > renewal
}

// renew asks anew, one at a time, unless that failed just now. What is had and
// has not ended does when it fails, but not against a plain no.
func (s *Roles) renew(ctx context.Context, i id.Instance, r *role) (wire.Credentials, error) {
	select {
	case r.busy <- struct{}{}:
		defer func() { <-r.busy }()
	case <-ctx.Done():
		return wire.Credentials{}, ctx.Err()
	}
	now := s.now()
	c, fresh := r.have(now)
	if fresh {
		return c, nil // somebody else did it
	}
	r.mu.Lock()
	rests, err := now.Sub(r.failed) < resting, r.why
	r.mu.Unlock()
	if !rests {
		ctx, cancel := context.WithTimeout(ctx, asking)
		defer cancel()
		var got wire.Credentials
		if got, err = s.ask(ctx, i, wire.CredentialsOf{Association: r.association}); err == nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.c, r.failed, r.why = got, time.Time{}, nil
			return got, nil
		}
		slog.Warn("the credentials of an instance's role cannot be had", "instance", i, "err", err)
		r.mu.Lock()
		r.failed, r.why = now, err
		if refused(err) {
			r.c = wire.Credentials{}
		}
		c = r.c
		r.mu.Unlock()
	}
	if c.Expires.After(now) {
		return c, nil
	}
	return wire.Credentials{}, err
}

// refused tells a plain no from trouble on the way.
func refused(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.Denied && fault.CodeOf(err) == wire.NoRole || kind == fault.Missing
}

// Run renews what instances were given, in time, and forgets what is no longer
// in the orders, until the context ends.
func (s *Roles) Run(ctx context.Context, orders func() wire.NodeOrders) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Minute):
		}
		s.Pass(ctx, orders())
	}
}

// Pass does what Run does, once.
func (s *Roles) Pass(ctx context.Context, o wire.NodeOrders) {
	s.mu.Lock()
	due := map[id.Instance]*role{}
	for i, r := range s.held {
		w, there := o.Instances[i]
		if !there || w.Profile == nil || w.Profile.Association != r.association {
			delete(s.held, i)
			continue
		}
		if c, fresh := r.have(s.now()); !fresh && c.Expires.After(s.now()) {
			due[i] = r
		}
	}
	s.mu.Unlock()
	for i, r := range due {
		_, _ = s.renew(ctx, i, r) // logged there
	}
}

const iam = "meta-data/iam/"

// addRole adds the pages of an instance's role; that with its credentials is
// made when it is asked for.
func addRole(t map[string]string, w wire.Instance, now time.Time) {
	p := w.Profile
	if p == nil {
		return
	}
	t[iam+"info"] = pretty(map[string]string{
		"Code": "Success", "LastUpdated": stamp(now), "InstanceProfileArn": p.ARN, "InstanceProfileId": p.ID,
	})
	t[iam+"security-credentials/"+p.Role] = ""
}

// credentials is the page with the credentials of an instance's role.
func (s *Service) credentials(ctx context.Context, g Guest) ([]byte, error) {
	if s.opt.Roles == nil {
		return nil, fault.New(fault.Missing, wire.NoRole, "This host has nobody to ask for credentials.")
	}
	c, err := s.opt.Roles.Get(ctx, g.ID, g.Order.Profile.Association)
	if err != nil {
		return nil, err
	}
	return []byte(pretty(struct {
		Code, LastUpdated, Type, AccessKeyId, SecretAccessKey, Token, Expiration string
	}{"Success", stamp(c.Issued), "AWS-HMAC", c.AccessKey, c.Secret, c.Token, stamp(c.Expires)})), nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// pretty writes JSON as the public service does, a member a line.
func pretty(v any) string {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil { // only texts are in it
		return "{}"
	}
	return string(b)
}
