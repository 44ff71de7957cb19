package policy

import (
	"strings"
	"unicode/utf8"
)

type elemKind byte

const (
	literal elemKind = iota
	anything
	anyone   // one character
	variable // of the request
)

type elem struct {
	kind elemKind
	text string // literal; of a variable its lower-case key
	def  string // of a variable
	has  bool   // it has a default
}

// A pattern is text with wildcards and variables.
type pattern struct {
	elems     []elem
	variables bool
}

// compile reads a pattern. Without wild, * and ? are text; without vars, ${} is.
func compile(s string, wild, vars bool) (pattern, error) {
	var p pattern
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			p.elems = append(p.elems, elem{text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch {
		case vars && strings.HasPrefix(s[i:], "${"):
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return p, malformed("", "The variable in '%s' has no end.", s)
			}
			name := s[i+2 : i+end]
			i += end
			if name == "*" || name == "?" || name == "$" {
				text.WriteString(name)
				continue
			}
			e, err := variableOf(name)
			if err != nil {
				return p, err
			}
			flush()
			p.elems, p.variables = append(p.elems, e), true
		case wild && s[i] == '*':
			flush()
			if n := len(p.elems); n == 0 || p.elems[n-1].kind != anything {
				p.elems = append(p.elems, elem{kind: anything})
			}
		case wild && s[i] == '?':
			flush()
			p.elems = append(p.elems, elem{kind: anyone})
		default:
			text.WriteByte(s[i])
		}
	}
	flush()
	return p, nil
}

// variableOf reads what stands between the braces: key, or key, 'default'.
func variableOf(s string) (elem, error) {
	key, def, has := strings.Cut(s, ",")
	key, def = strings.TrimSpace(key), strings.TrimSpace(def)
	if has {
		if len(def) < 2 || def[0] != '\'' || def[len(def)-1] != '\'' {
			return elem{}, malformed("", "The default of the variable '${%s}' must stand in single quotes.", s)
		}
		def = def[1 : len(def)-1]
	}
	if !validKey(key) {
		return elem{}, malformed("", "'${%s}' is not a variable.", s)
	}
	return elem{kind: variable, text: strings.ToLower(key), def: def, has: has}, nil
}

// validKey reports whether s has the form of a condition key: VENDOR:NAME, or
// ISSUER:CLAIM for what the token of a web identity says, where the issuer is an
// URL without its scheme.
func validKey(s string) bool {
	vendor, name, ok := strings.Cut(s, ":")
	if ok && !validVendor(vendor) {
		i := strings.LastIndexByte(s, ':')
		vendor, name, ok = s[:i], s[i+1:], validIssuer(s[:i])
	}
	return ok && name != "" && len(s) <= 512 && !strings.ContainsAny(s, "${}*")
}

func validIssuer(s string) bool {
	host, _, _ := strings.Cut(s, "/")
	host, _, _ = strings.Cut(host, ":")
	for label := range strings.SplitSeq(host, ".") {
		if !validVendor(label) {
			return false
		}
	}
	return strings.Contains(host, ".") && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

func validVendor(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return s != ""
}

// fixed reports whether the pattern means one text, whatever the request.
func (p *pattern) fixed() bool {
	return len(p.elems) == 0 || len(p.elems) == 1 && p.elems[0].kind == literal
}

// expand puts the values of variables in. A variable that has no value, or
// several, matches nothing.
func (p *pattern) expand(look func(string) []string) ([]elem, bool) {
	if !p.variables {
		return p.elems, true
	}
	out := make([]elem, 0, len(p.elems))
	for _, e := range p.elems {
		if e.kind == variable {
			v := look(e.text)
			switch {
			case len(v) == 1:
				e = elem{text: v[0]}
			case len(v) == 0 && e.has:
				e = elem{text: e.def}
			default:
				return nil, false
			}
		}
		out = append(out, e)
	}
	return out, true
}

func (p *pattern) match(s string, look func(string) []string) bool {
	elems, ok := p.expand(look)
	return ok && match(elems, s)
}

// text returns what the pattern means as a text, where it has no wildcards.
func (p *pattern) text(look func(string) []string) (string, bool) {
	if p.fixed() {
		if len(p.elems) == 0 {
			return "", true
		}
		return p.elems[0].text, true
	}
	elems, ok := p.expand(look)
	var b strings.Builder
	for _, e := range elems {
		b.WriteString(e.text)
	}
	return b.String(), ok
}

// match goes back to the last star alone, which is enough and keeps it quick
// whatever the pattern.
func match(elems []elem, s string) bool {
	i, p, star, mark := 0, 0, -1, 0
	for {
		if i < len(elems) {
			switch e := &elems[i]; e.kind {
			case anything:
				if star, mark = i, p; i == len(elems)-1 {
					return true
				}
				i++
				continue
			case anyone:
				if p < len(s) {
					_, n := utf8.DecodeRuneInString(s[p:])
					p += n
					i++
					continue
				}
			default:
				if strings.HasPrefix(s[p:], e.text) {
					p += len(e.text)
					i++
					continue
				}
			}
		} else if p == len(s) {
			return true
		}
		if star < 0 || mark >= len(s) {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[mark:])
		mark += n
		i, p = star+1, mark
	}
}

// An arnPattern is a pattern for each of the six parts of an ARN: a wildcard
// does not reach over a colon, but for the last part, which may hold some.
type arnPattern struct {
	every bool // "*"
	parts [6]pattern
}

func compileARN(s string, vars bool) (arnPattern, error) {
	if s == "*" {
		return arnPattern{every: true}, nil
	}
	var a arnPattern
	parts, ok := splitPattern(s)
	if !ok || parts[0] != "arn" || parts[1] == "" || parts[2] == "" {
		return a, malformed("", "'%s' must be an ARN or \"*\".", s)
	}
	for i, text := range parts {
		var err error
		if a.parts[i], err = compile(text, true, vars); err != nil {
			return a, err
		}
	}
	return a, nil
}

// splitPattern splits at colons that are not within a variable.
func splitPattern(s string) (parts [6]string, ok bool) {
	n, start, inside := 0, 0, false
	for i := 0; i < len(s) && n < 5; i++ {
		switch {
		case strings.HasPrefix(s[i:], "${"):
			inside = true
		case s[i] == '}':
			inside = false
		case s[i] == ':' && !inside:
			parts[n] = s[start:i]
			n, start = n+1, i+1
		}
	}
	parts[n] = s[start:]
	return parts, n == 5
}

// splitARN splits an ARN of a request.
func splitARN(s string) (parts [6]string, ok bool) {
	for i := range 5 {
		if parts[i], s, ok = strings.Cut(s, ":"); !ok {
			return parts, false
		}
	}
	parts[5] = s
	return parts, parts[0] == "arn"
}

func (a *arnPattern) match(arn *[6]string, is bool, look func(string) []string) bool {
	if a.every {
		return true
	}
	if !is {
		return false
	}
	for i := range a.parts {
		if !a.parts[i].match(arn[i], look) {
			return false
		}
	}
	return true
}

// Matches reports whether a text is meant by a pattern with * and ?. A variable
// in it stands for any text.
func Matches(text, s string) bool {
	p, err := compile(text, true, true)
	if err != nil {
		return false
	}
	elems := make([]elem, 0, len(p.elems))
	for _, e := range p.elems {
		if e.kind == variable {
			e = elem{kind: anything}
		}
		elems = append(elems, e)
	}
	return match(elems, s)
}
