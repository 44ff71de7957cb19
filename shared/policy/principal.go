package policy

import (
	"slices"
	"strings"
)

// A Principal is who asks. Anonymous callers are the zero Principal.
type Principal struct {
	Account   string
	ARN       string // arn:aws:iam::A:root, ...:user/NAME, arn:aws:sts::A:assumed-role/ROLE/SESSION
	ID        string // of the user or session: aws:userid
	Role      string // ARN of the role that a session has
	Canonical string // canonical user id of the account
	Service   string // "logging.s3.amazonaws.com"; then nothing else is set
	Federated string // the provider that vouches, before it is a session
}

// Root reports whether it is the account itself.
func (p *Principal) Root() bool {
	return p.Account != "" && (p.ARN == "" || strings.HasSuffix(p.ARN, ":root"))
}

// A PrincipalRef is one entry of a Principal element: the kind as it is
// written (AWS, CanonicalUser, Federated, Service) and the value. Everyone is
// the kind "" with the value "*".
type PrincipalRef struct {
	Kind  string
	Value string
}

// Everyone reports whether it means all callers, anonymous ones too.
func (r PrincipalRef) Everyone() bool { return r.Value == "*" && (r.Kind == "" || r.Kind == "AWS") }

// Account returns the account that it means, as a whole or a part of it.
func (r PrincipalRef) Account() string {
	if r.Kind != "AWS" {
		return ""
	}
	if isAccount(r.Value) {
		return r.Value
	}
	parts, _ := splitARN(r.Value)
	return parts[4]
}

// ByID reports whether it names a user, a role or a session of a role by the
// unique id, which no other ever has.
func (r PrincipalRef) ByID() bool { return r.Kind == "AWS" && isID(r.Value) }

// isID reports whether s is AIDA..., AROA... or AROA...:SESSION.
func isID(s string) bool {
	id, session, named := strings.Cut(s, ":")
	if len(id) < 16 || len(id) > 128 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return false
	}
	if strings.HasPrefix(id, "AROA") {
		return !named || session != "" && len(session) <= 64 && !strings.ContainsAny(session, "*?$: ")
	}
	return strings.HasPrefix(id, "AIDA") && !named
}

// A grade says how closely a statement means a principal.
type grade int

const (
	notMeant  grade = iota
	byAccount       // its account, which decides by its own policies
	directly        // everyone, or its role
	byName          // this user or session
)

func (r PrincipalRef) means(p *Principal) grade {
	switch r.Kind {
	case "Service":
		return gradeIf(p.Service != "" && r.Value == p.Service, byName)
	case "Federated":
		return gradeIf(p.Federated != "" && (r.Value == p.Federated || r.Value == "*"), byName)
	case "CanonicalUser":
		return gradeIf(p.Canonical != "" && r.Value == p.Canonical, accountGrade(p))
	}
	switch {
	case r.Value == "*":
		return directly
	case p.Account == "":
		return notMeant
	case r.ByID():
		return gradeIf(r.Value == p.ID, byName) + gradeIf(strings.HasPrefix(p.ID, r.Value+":"), directly)
	case r.Value == p.ARN && !p.Root():
		return byName
	case p.Role != "" && r.Value == p.Role:
		return directly
	case isAccount(r.Value) && r.Value == p.Account,
		strings.HasSuffix(r.Value, ":root") && r.Account() == p.Account:
		return accountGrade(p)
	}
	return notMeant
}

func accountGrade(p *Principal) grade {
	if p.Root() {
		return byName
	}
	return byAccount
}

func gradeIf(ok bool, g grade) grade {
	if ok {
		return g
	}
	return notMeant
}

// meant returns how closely the statement means p. One without principals, of
// the policy of a user, is about whoever has it.
func (s *Statement) meant(p *Principal) grade {
	if s.Principals == nil {
		return directly
	}
	best := notMeant
	for _, r := range s.Principals {
		best = max(best, r.means(p))
	}
	if s.NotPrincipal {
		return gradeIf(best == notMeant, directly)
	}
	return best
}

func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// principals reads a Principal or NotPrincipal element.
func principals(n *node) ([]PrincipalRef, error) {
	if n.scalar {
		if n.quoted && n.text == "*" {
			return []PrincipalRef{{Value: "*"}}, nil
		}
		return nil, malformed(n.where, "Invalid principal in policy: it must be \"*\" or name kinds of principals.")
	}
	if !n.object || len(n.list) == 0 {
		return nil, malformed(n.where, "Invalid principal in policy.")
	}
	var all []PrincipalRef
	for i, kind := range n.names {
		if !slices.Contains([]string{"AWS", "CanonicalUser", "Federated", "Service"}, kind) {
			return nil, malformed(n.list[i].where, "Invalid principal in policy: there is no such kind.")
		}
		values, err := n.list[i].texts()
		if err != nil {
			return nil, err
		}
		for j, v := range values {
			if !validPrincipal(kind, v) {
				return nil, malformed(n.list[i].part(j).where, "Invalid principal in policy: '%s'", v)
			}
			all = append(all, PrincipalRef{kind, v})
		}
	}
	return all, nil
}

func validPrincipal(kind, v string) bool {
	switch kind {
	case "CanonicalUser":
		return len(v) == 64 && strings.Trim(v, "0123456789abcdef") == ""
	case "Federated", "Service":
		return v != "" && len(v) <= 1024 && (v == "*" || !strings.ContainsAny(v, "*? ${"))
	}
	if v == "*" || isAccount(v) || isID(v) {
		return true
	}
	parts, ok := splitARN(v)
	if !ok || parts[1] != "aws" || parts[3] != "" || !isAccount(parts[4]) || strings.ContainsAny(v, "*?$ ") {
		return false
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch parts[2] + ":" + kind {
	case "iam:root":
		return parts[5] == "root"
	case "iam:user", "iam:role", "sts:federated-user":
		return name != ""
	case "sts:assumed-role":
		role, session, _ := strings.Cut(name, "/")
		return role != "" && session != ""
	}
	return false
}

// value answers the condition keys that are about the principal.
func (p *Principal) value(key string) (string, bool) {
	switch key {
	case "aws:principalarn":
		if p.Role != "" {
			return p.Role, true
		}
		return p.ARN, p.ARN != ""
	case "aws:principalaccount":
		return p.Account, p.Account != ""
	case "aws:userid":
		if p.ID == "" && p.Root() {
			return p.Account, true
		}
		return p.ID, p.ID != ""
	case "aws:username":
		parts, _ := splitARN(p.ARN)
		if path, ok := strings.CutPrefix(parts[5], "user/"); ok {
			return path[strings.LastIndexByte(path, '/')+1:], true
		}
	case "aws:principaltype":
		return p.kind(), true
	case "aws:principalisawsservice":
		if p.Service != "" {
			return "true", true
		}
		return "false", true
	case "aws:principalservicename":
		return p.Service, p.Service != ""
	}
	return "", false
}

func (p *Principal) kind() string {
	parts, _ := splitARN(p.ARN)
	word, _, _ := strings.Cut(parts[5], "/")
	switch {
	case p.Service != "":
		return "Service"
	case p.Root():
		return "Account"
	case word == "user":
		return "User"
	case word == "assumed-role":
		return "AssumedRole"
	case word == "federated-user":
		return "FederatedUser"
	}
	return "Anonymous"
}

// Answers reports whether a condition key, in lower case, is one that the
// principal itself has a value for.
func (p *Principal) Answers(key string) bool {
	_, ok := p.value(key)
	return ok
}
