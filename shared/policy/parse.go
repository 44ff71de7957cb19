package policy

import (
	"slices"
	"strings"
)

// Rules say what a document must be.
type Rules struct {
	Resource bool // the policy of a resource, which names principals; else of a user, group or role, which does not
	Trust    bool // the policy of a role, which says who may take it: as Resource, but on the role alone
	Max      int  // how long it may be, white space not counted; 0: 20 KiB
}

// Parse reads a policy. Its error is a fault with the code Malformed, whose
// text begins with the place: "Statement[1].Condition.StringEqual: ...".
func Parse(doc []byte, rules Rules) (*Policy, error) {
	if rules.Max == 0 {
		rules.Max = 20 << 10
	}
	if n := dense(doc); n > rules.Max {
		return nil, malformed("", "The policy is longer than %d bytes.", rules.Max)
	}
	root, err := readDocument(doc)
	if err != nil {
		return nil, err
	}
	if !root.object {
		return nil, malformed("", "A policy must be a JSON object.")
	}
	p := &Policy{Version: Version2008}
	var statements *node
	for i, name := range root.names {
		n := root.list[i]
		switch name {
		case "Version":
			p.Version, err = n.one()
			if err == nil && p.Version != Version2008 && p.Version != Version2012 {
				err = malformed(n.where, "There is no such version of the language: '%s'", p.Version)
			}
		case "Id":
			p.ID, err = n.one()
		case "Statement":
			statements = n
		default:
			err = malformed(n.where, "There is no such element.")
		}
		if err != nil {
			return nil, err
		}
	}
	if statements == nil || statements.scalar || len(statements.list) == 0 {
		return nil, malformed("Statement", "A policy must have at least one.")
	}
	return p, p.add(statements, rules)
}

func (p *Policy) add(statements *node, rules Rules) error {
	all := statements.list
	if statements.object {
		all = []*node{statements}
	}
	sids := map[string]bool{}
	for i, n := range all {
		if !n.object {
			return malformed(n.where, "A statement must be an object.")
		}
		s := &Statement{Policy: p, Index: i}
		if err := s.read(n, rules); err != nil {
			return err
		}
		if s.Sid != "" && sids[s.Sid] {
			return malformed(n.where+".Sid", "Two statements have the Sid '%s'.", s.Sid)
		}
		sids[s.Sid] = true
		p.Statements = append(p.Statements, s)
	}
	return nil
}

// dense returns how long a document is without white space.
func dense(b []byte) int {
	n := len(b)
	for _, c := range b {
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			n--
		}
	}
	return n
}

func (s *Statement) read(n *node, rules Rules) error {
	seen := map[string]bool{}
	for i, name := range n.names {
		plain := strings.TrimPrefix(name, "Not")
		if seen[plain] {
			return malformed(n.list[i].where, "%s and Not%s exclude each other.", plain, plain)
		}
		seen[plain] = true
		if err := s.element(name, n.list[i]); err != nil {
			return err
		}
	}
	switch {
	case !seen["Effect"]:
		return malformed(n.where, "The statement has no Effect.")
	case !seen["Action"]:
		return malformed(n.where, "The statement has no Action.")
	case rules.Trust && seen["Resource"]:
		return malformed(n.where, "Has prohibited field Resource: a trust policy is about its role alone.")
	case !rules.Trust && !seen["Resource"]:
		return malformed(n.where, "The statement has no Resource.")
	case (rules.Resource || rules.Trust) && !seen["Principal"]:
		return malformed(n.where, "The statement has no Principal.")
	case !rules.Resource && !rules.Trust && seen["Principal"]:
		return malformed(n.where, "The policy of a user, group or role must not have a Principal.")
	case s.NotPrincipal && !s.Deny:
		return malformed(n.where, "NotPrincipal is not allowed with the effect Allow.")
	case s.Limit:
		return s.checkLimit(n.where, rules)
	case rules.Trust:
		return s.checkTrust(n.where)
	}
	return nil
}

// checkTrust refuses actions that nobody does to a role.
func (s *Statement) checkTrust(where string) error {
	for _, a := range s.Actions {
		vendor, name, _ := strings.Cut(strings.ToLower(a), ":")
		if s.NotAction || vendor != "sts" || !strings.HasPrefix(name, "assumerole") && !slices.Contains([]string{"*", "tagsession", "setsourceidentity"}, name) {
			return malformed(where+".Action", "AssumeRole policy may only specify STS AssumeRole actions: '%s'", a)
		}
	}
	return nil
}

func (s *Statement) element(name string, n *node) (err error) {
	switch name {
	case "Sid":
		if s.Sid, err = n.one(); err == nil && len(s.Sid) > 256 {
			err = malformed(n.where, "It is longer than 256 characters.")
		}
	case "Effect":
		if !slices.Contains([]string{"Allow", "Deny", "Limit"}, n.text) || !n.quoted {
			return malformed(n.where, "It must be Allow or Deny, or Limit.")
		}
		s.Deny, s.Limit = n.text == "Deny", n.text == "Limit"
	case "Principal", "NotPrincipal":
		s.NotPrincipal = name != "Principal"
		s.Principals, err = principals(n)
	case "Action", "NotAction":
		s.NotAction = name != "Action"
		s.Actions, err = n.texts()
		for i := 0; err == nil && i < len(s.Actions); i++ {
			err = s.action(s.Actions[i], n.part(i).where)
		}
	case "Resource", "NotResource":
		s.NotResource = name != "Resource"
		s.Resources, err = n.texts()
		for i := 0; err == nil && i < len(s.Resources); i++ {
			err = s.resource(s.Resources[i], n.part(i).where)
		}
	case "Condition":
		s.Conditions, err = conditions(n, s.variables())
	default:
		err = malformed(n.where, "There is no such element.")
	}
	return err
}

func (s *Statement) variables() bool { return s.Policy.Version == Version2012 }

// action compiles one action: "*", or the name of a service and a pattern.
func (s *Statement) action(text, where string) error {
	vendor, name, ok := strings.Cut(text, ":")
	if text != "*" && (!ok || !validVendor(vendor) || name == "" || strings.ContainsAny(name, ":${} ")) {
		return malformed(where, "'%s' is not an action: it must be \"*\" or begin with the name of a service and a colon.", text)
	}
	p, err := compile(strings.ToLower(text), true, false)
	s.actions = append(s.actions, p)
	return err
}

func (s *Statement) resource(text, where string) error {
	a, err := compileARN(text, s.variables())
	if err != nil {
		return at(where, err)
	}
	s.resources = append(s.resources, a)
	return nil
}
