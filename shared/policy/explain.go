package policy

import "strings"

// A Match is a statement that speaks of a request and of who asks.
type Match struct {
	By     *Statement
	Source Source
	// Unmet is the first condition of the statement that does not hold; nil when
	// all do, so that it counted.
	Unmet *Condition
}

// Explain returns the statements that speak of a request: those that counted,
// what denies first, and those that would have but for a condition. Limit
// statements have no part in a decision.
func Explain(r *Request, p *Policies) (counted, failed []Match) {
	q := &question{Request: r, action: strings.ToLower(r.Action)}
	q.arn, q.isARN = splitARN(r.Resource)
	look := q.look
	var allowing []Match
	for _, from := range []struct {
		source Source
		of     []*Policy
	}{{Laid, p.Account}, {Resource, []*Policy{p.Resource}}, {Identity, p.Identity}, {Boundary, p.Boundary}, {Session, p.Session}} {
		for _, doc := range from.of {
			if doc == nil {
				continue
			}
			for _, s := range doc.Statements {
				if s.Limit || from.source == Laid && !s.Deny || s.meant(&q.Principal) == notMeant || !s.matchesAction(q.action) || !s.matchesResource(q, look) {
					continue
				}
				switch m := (Match{s, from.source, s.unmet(look)}); {
				case m.Unmet != nil:
					failed = append(failed, m)
				case s.Deny:
					counted = append(counted, m)
				default:
					allowing = append(allowing, m)
				}
			}
		}
	}
	return append(counted, allowing...), failed
}

// unmet returns the first condition that does not hold.
func (s *Statement) unmet(look func(string) []string) *Condition {
	for _, c := range s.Conditions {
		if !c.holds(look) {
			return c
		}
	}
	return nil
}
