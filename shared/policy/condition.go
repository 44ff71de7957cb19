package policy

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"karri/shared/fault"
)

// A Condition is one key of one operator of a Condition element.
type Condition struct {
	Operator string // without set and IfExists: "StringLike"
	Set      string // "ForAllValues", "ForAnyValue" or ""
	IfExists bool
	Key      string // as written
	Values   []string

	key     string // lower case
	negated bool
	tests   []test
}

// Name returns the operator as it is written: "ForAllValues:StringLikeIfExists".
func (c *Condition) Name() string {
	name := c.Operator
	if c.IfExists {
		name += "IfExists"
	}
	if c.Set != "" {
		name = c.Set + ":" + name
	}
	return name
}

// A test holds one value of the policy against one of the request.
type test func(value string, look func(string) []string) bool

type operator struct {
	compile func(value string, vars bool) (test, error)
	negated bool
}

var operators = map[string]operator{
	"StringEquals": {stringEquals, false}, "StringNotEquals": {stringEquals, true},
	"StringEqualsIgnoreCase": {stringFolds, false}, "StringNotEqualsIgnoreCase": {stringFolds, true},
	"StringLike": {stringLike, false}, "StringNotLike": {stringLike, true},
	"NumericEquals": {numeric(func(c int) bool { return c == 0 }), false}, "NumericNotEquals": {numeric(func(c int) bool { return c == 0 }), true},
	"NumericLessThan": {numeric(func(c int) bool { return c < 0 }), false}, "NumericLessThanEquals": {numeric(func(c int) bool { return c <= 0 }), false},
	"NumericGreaterThan": {numeric(func(c int) bool { return c > 0 }), false}, "NumericGreaterThanEquals": {numeric(func(c int) bool { return c >= 0 }), false},
	"DateEquals": {date(func(c int) bool { return c == 0 }), false}, "DateNotEquals": {date(func(c int) bool { return c == 0 }), true},
	"DateLessThan": {date(func(c int) bool { return c < 0 }), false}, "DateLessThanEquals": {date(func(c int) bool { return c <= 0 }), false},
	"DateGreaterThan": {date(func(c int) bool { return c > 0 }), false}, "DateGreaterThanEquals": {date(func(c int) bool { return c >= 0 }), false},
	"Bool":         {boolean, false},
	"BinaryEquals": {binary, false},
	"IpAddress":    {address, false}, "NotIpAddress": {address, true},
	"ArnEquals": {arnLike, false}, "ArnNotEquals": {arnLike, true}, "ArnLike": {arnLike, false}, "ArnNotLike": {arnLike, true},
	"Null": {boolean, false},
}

// conditions reads a Condition element: operator, key, values.
func conditions(n *node, vars bool) ([]*Condition, error) {
	if !n.object {
		return nil, malformed(n.where, "It must be an object of operators.")
	}
	var all []*Condition
	for i, name := range n.names {
		o := n.list[i]
		c := Condition{Operator: name}
		if set, rest, ok := strings.Cut(name, ":"); ok && (set == "ForAllValues" || set == "ForAnyValue") {
			c.Set, c.Operator = set, rest
		}
		c.Operator, c.IfExists = strings.CutSuffix(c.Operator, "IfExists")
		op, ok := operators[c.Operator]
		if !ok || c.Operator == "Null" && (c.IfExists || c.Set != "") {
			return nil, malformed(o.where, "There is no such operator.")
		}
		if !o.object || len(o.list) == 0 {
			return nil, malformed(o.where, "It must be an object of condition keys.")
		}
		keys := map[string]bool{}
		for j, key := range o.names {
			one := c
			if err := one.read(key, o.list[j], op, vars); err != nil {
				return nil, err
			}
			if keys[one.key] {
				return nil, malformed(o.list[j].where, "It stands there twice.")
			}
			keys[one.key] = true
			all = append(all, &one)
		}
	}
	return all, nil
}

func (c *Condition) read(key string, n *node, op operator, vars bool) (err error) {
	if !validKey(key) {
		return malformed(n.where, "Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: '%s' is not a condition key.", key)
	}
	c.Key, c.key, c.negated = key, strings.ToLower(key), op.negated
	if c.Values, err = n.scalars(); err != nil {
		return err
	}
	for i, v := range c.Values {
		t, err := op.compile(v, vars)
		if err != nil {
			return at(n.part(i).where, err)
		}
		c.tests = append(c.tests, t)
	}
	return nil
}

// at adds the place to a fault that does not know it.
func at(where string, err error) error { return malformed(where, "%s", fault.Of(err).Text) }

// holds reports whether the condition is met. A key that the request does not
// have meets what is negated, and what says that it need not exist.
func (c *Condition) holds(look func(string) []string) bool {
	values := look(c.key)
	switch {
	case c.Operator == "Null":
		return c.any(strconv.FormatBool(len(values) == 0), look)
	case len(values) == 0:
		return c.IfExists || c.Set == "ForAllValues" || c.Set == "" && c.negated
	}
	// Without a set operator, no value may be one of those excluded; else one
	// must be among those asked for.
	all := c.Set == "ForAllValues" || c.Set == "" && c.negated
	for _, v := range values {
		if met := c.any(v, look) != c.negated; met != all {
			return met
		}
	}
	return all
}

func (c *Condition) any(v string, look func(string) []string) bool {
	for _, t := range c.tests {
		if t(v, look) {
			return true
		}
	}
	return false
}

func stringEquals(want string, vars bool) (test, error) {
	p, err := compile(want, false, vars)
	return func(v string, look func(string) []string) bool {
		s, ok := p.text(look)
		return ok && s == v
	}, err
}

func stringFolds(want string, vars bool) (test, error) {
	p, err := compile(want, false, vars)
	return func(v string, look func(string) []string) bool {
		s, ok := p.text(look)
		return ok && strings.EqualFold(s, v)
	}, err
}

func stringLike(want string, vars bool) (test, error) {
	p, err := compile(want, true, vars)
	return func(v string, look func(string) []string) bool { return p.match(v, look) }, err
}

func arnLike(want string, vars bool) (test, error) {
	p, err := compileARN(want, vars)
	return func(v string, look func(string) []string) bool {
		parts, ok := splitARN(v)
		return p.match(&parts, ok, look)
	}, err
}

func numeric(ok func(int) bool) func(string, bool) (test, error) {
	return func(want string, _ bool) (test, error) {
		w, err := strconv.ParseFloat(want, 64)
		if err != nil || w != w {
			return nil, malformed("", "'%s' is not a number.", want)
		}
		return func(v string, _ func(string) []string) bool {
			n, err := strconv.ParseFloat(v, 64)
			switch {
			case err != nil || n != n:
				return false
			case n < w:
				return ok(-1)
			case n > w:
				return ok(1)
			}
			return ok(0)
		}, nil
	}
}

var dateForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02", "2006-01", "2006"}

// parseDate reads the forms of ISO 8601 that W3C names, and seconds since 1970.
func parseDate(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) > 4 {
		return time.Unix(n, 0), true
	}
	for _, form := range dateForms {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func date(ok func(int) bool) func(string, bool) (test, error) {
	return func(want string, _ bool) (test, error) {
		w, is := parseDate(want)
		if !is {
			return nil, malformed("", "'%s' is not a date.", want)
		}
		return func(v string, _ func(string) []string) bool {
			t, is := parseDate(v)
			return is && ok(t.Compare(w))
		}, nil
	}
}

func boolean(want string, _ bool) (test, error) {
	w := strings.ToLower(want)
	if w != "true" && w != "false" {
		return nil, malformed("", "'%s' is neither true nor false.", want)
	}
	return func(v string, _ func(string) []string) bool { return strings.EqualFold(v, w) }, nil
}

func binary(want string, _ bool) (test, error) {
	w, err := base64.StdEncoding.DecodeString(want)
	if err != nil {
		return nil, malformed("", "'%s' is not base64.", want)
	}
	return func(v string, _ func(string) []string) bool {
		b, err := base64.StdEncoding.DecodeString(v)
		return err == nil && bytes.Equal(b, w)
	}, nil
}

// ParseRange reads what IpAddress compares with: an address or a CIDR range.
func ParseRange(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, malformed("", "'%s' is not an address or a range of them.", s)
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 { // as addresses are compared
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

func address(want string, _ bool) (test, error) {
	w, err := ParseRange(want)
	return func(v string, _ func(string) []string) bool {
		a, err := netip.ParseAddr(v)
		return err == nil && w.Contains(a.Unmap().WithZone(""))
	}, err
}
