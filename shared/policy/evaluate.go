package policy

import (
	"fmt"
	"strings"
)

// Policies are all that a decision rests on.
type Policies struct {
	// All: the caller needs no policy of its own. It is the root of its
	// account, or an account whose users have no policies.
	All      bool
	Identity []*Policy // of the user and its groups, or of the role
	Boundary []*Policy // none: no boundary
	Session  []*Policy // none: the session was not narrowed
	Account  []*Policy // laid on the account by the cloud: only what they deny counts
	Resource *Policy   // of what is asked for; nil: it has none
}

// A Source says whose policy a statement stands in.
type Source string

// The sources. Nobody is that of a refusal for want of a statement.
const (
	Nobody   Source = ""
	Resource Source = "resource"
	Identity Source = "identity"
	Boundary Source = "boundary"
	Session  Source = "session"
	Root     Source = "account" // the account's own right
	Laid     Source = "cloud"   // laid on the account by the cloud's administrator
)

// A Decision is what Evaluate finds.
type Decision struct {
	Allowed bool
	Denied  bool       // a statement denies it; else it is refused for want of one that allows it
	By      *Statement // that decided; nil with Nobody and Root
	Source  Source     // whose policy decided, or, when refused for want of a statement, lacked it
}

// String says who decided, for explanations and logs.
func (d Decision) String() string {
	verb := "refused: no statement allows it"
	switch {
	case d.Allowed:
		verb = "allowed"
	case d.Denied:
		verb = "denied"
	}
	if d.Source == Nobody {
		return verb
	}
	where := fmt.Sprintf("%s, %s policy", verb, d.Source)
	if d.By == nil {
		return where
	}
	if d.By.Policy.Name != "" {
		where += " " + d.By.Policy.Name
	}
	where += fmt.Sprintf(", statement %d", d.By.Index)
	if d.By.Sid != "" {
		where += " (" + d.By.Sid + ")"
	}
	return where
}

// A question is a request made ready for many statements.
type question struct {
	*Request
	action string
	arn    [6]string
	isARN  bool
}

func (q *question) look(key string) []string {
	if v, ok := q.Principal.value(key); ok {
		return []string{v}
	}
	if q.Keys == nil {
		return nil
	}
	return q.Keys(key)
}

// applies reports whether the statement speaks of the request, whoever asks.
func (s *Statement) applies(q *question, look func(string) []string) bool {
	return s.matchesAction(q.action) && s.matchesResource(q, look) && s.conditionsHold(look)
}

func (s *Statement) matchesAction(action string) bool {
	for i := range s.actions {
		if match(s.actions[i].elems, action) {
			return !s.NotAction
		}
	}
	return s.NotAction
}

func (s *Statement) matchesResource(q *question, look func(string) []string) bool {
	if s.resources == nil { // of a trust policy
		return true
	}
	for i := range s.resources {
		if s.resources[i].match(&q.arn, q.isARN, look) {
			return !s.NotResource
		}
	}
	return s.NotResource
}

func (s *Statement) conditionsHold(look func(string) []string) bool {
	return s.unmet(look) == nil
}

// find returns the statement of the policies that has the effect on the
// request and means the caller most closely.
func (q *question) find(policies []*Policy, deny bool, look func(string) []string) (*Statement, grade) {
	var best *Statement
	closest := notMeant
	for _, p := range policies {
		if p == nil {
			continue
		}
		for _, s := range p.Statements {
			if s.Deny != deny || s.Limit {
				continue
			}
			if g := s.meant(&q.Principal); g > closest && s.applies(q, look) {
				if best, closest = s, g; deny || s.Principals == nil {
					return best, closest
				}
			}
		}
	}
	return best, closest
}

// Evaluate decides a request.
func Evaluate(r *Request, p *Policies) Decision {
	if p.Resource == nil && len(p.Identity)+len(p.Boundary)+len(p.Session)+len(p.Account) == 0 { // the common case of the root
		switch {
		case r.Principal.Account == "" || r.Principal.Account != r.Owner:
			return Decision{Source: Resource}
		case p.All:
			return Decision{Allowed: true, Source: Root}
		}
		return Decision{Source: Identity}
	}
	q := &question{Request: r, action: strings.ToLower(r.Action)}
	q.arn, q.isARN = splitARN(r.Resource)
	look := q.look
	own := [1]*Policy{p.Resource}
	for _, s := range []struct {
		source Source
		of     []*Policy
	}{{Laid, p.Account}, {Resource, own[:]}, {Identity, p.Identity}, {Boundary, p.Boundary}, {Session, p.Session}} {
		if by, _ := q.find(s.of, true, look); by != nil {
			return Decision{Denied: true, By: by, Source: s.source}
		}
	}
	by, how := q.find(own[:], false, look)
	granted := Decision{Allowed: true, By: by, Source: Resource}
	if r.Principal.Account == "" { // anonymous, or a service
		if how >= directly {
			return granted
		}
		return Decision{Source: Resource}
	}
	within := r.Principal.Account == r.Owner
	switch {
	case within && how == byName:
		return granted // means this user or session alone: nothing narrows it
	case !within && how == notMeant:
		return Decision{Source: Resource}
	}
	mine := q.byIdentity(p, look)
	switch {
	case !mine.Allowed && !(within && how == directly):
		return mine
	case !mine.Allowed:
		mine = granted
	}
	return q.narrow(mine, p, look)
}

// byIdentity decides by the caller's own policies.
func (q *question) byIdentity(p *Policies, look func(string) []string) Decision {
	if p.All {
		return Decision{Allowed: true, Source: Root}
	}
	if by, _ := q.find(p.Identity, false, look); by != nil {
		return Decision{Allowed: true, By: by, Source: Identity}
	}
	return Decision{Source: Identity}
}

func (q *question) narrow(d Decision, p *Policies, look func(string) []string) Decision {
	if len(p.Boundary) > 0 {
		if by, _ := q.find(p.Boundary, false, look); by == nil {
			return Decision{Source: Boundary}
		}
	}
	if len(p.Session) > 0 {
		if by, _ := q.find(p.Session, false, look); by == nil {
			return Decision{Source: Session}
		}
	}
	return d
}

// Mentions reports whether a statement might allow a principal an action on
// something, whatever its conditions say.
func (p *Policy) Mentions(who *Principal, action string) bool {
	action = strings.ToLower(action)
	for _, s := range p.Statements {
		if !s.Deny && !s.Limit && s.meant(who) > notMeant && s.matchesAction(action) {
			return true
		}
	}
	return false
}
