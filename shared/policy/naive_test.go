package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// naive decides as the language's description reads, over the plain JSON, with
// regular expressions and no compiled thing of this package.
type naive struct {
	who    Principal
	action string
	arn    string
	owner  string
	keys   map[string][]string
}

func list(v any) []string {
	if l, ok := v.([]any); ok {
		var all []string
		for _, x := range l {
			all = append(all, fmt.Sprint(x))
		}
		return all
	}
	return []string{fmt.Sprint(v)}
}

// regex writes a pattern as a regular expression, its variables put in.
func (n *naive) regex(p string, wild, fold bool) *regexp.Regexp {
	out := ""
	for p != "" {
		if m := regexp.MustCompile(`^\$\{([^}]*)\}`).FindStringSubmatch(p); m != nil {
			p = p[len(m[0]):]
			switch name, def, has := strings.Cut(m[1], ","); {
			case m[1] == "*" || m[1] == "?" || m[1] == "$":
				out += regexp.QuoteMeta(m[1])
			case len(n.keys[strings.ToLower(name)]) == 1:
				out += regexp.QuoteMeta(n.keys[strings.ToLower(name)][0])
			case has && len(n.keys[strings.ToLower(name)]) == 0:
				out += regexp.QuoteMeta(strings.Trim(strings.TrimSpace(def), "'"))
			default:
				return regexp.MustCompile(`\z.\A`) // nothing
			}
			continue
		}
		c := string([]rune(p)[0])
		p = p[len(c):]
		switch {
		case c == "*" && wild:
			out += "(?s:.*)"
		case c == "?" && wild:
			out += "(?s:.)"
		default:
			out += regexp.QuoteMeta(c)
		}
	}
	flag := ""
	if fold {
		flag = "(?i)"
	}
	return regexp.MustCompile(flag + `\A` + out + `\z`)
}

func (n *naive) arnMatches(p, arn string) bool {
	if p == "*" {
		return true
	}
	hidden := regexp.MustCompile(`\$\{[^}]*\}`).ReplaceAllStringFunc(p, func(v string) string { return strings.ReplaceAll(v, ":", "\x00") })
	ps, as := strings.SplitN(hidden, ":", 6), strings.SplitN(arn, ":", 6)
	if len(as) < 6 {
		return false
	}
	for i := range ps {
		if !n.regex(strings.ReplaceAll(ps[i], "\x00", ":"), true, false).MatchString(as[i]) {
			return false
		}
	}
	return true
}

func (n *naive) element(s map[string]any, name string, match func(string) bool) bool {
	if v, ok := s[name]; ok {
		return slices.ContainsFunc(list(v), match)
	}
	return !slices.ContainsFunc(list(s["Not"+name]), match)
}

func (n *naive) condition(op, key string, want []string) bool {
	values := n.keys[strings.ToLower(key)]
	set, rest, ok := strings.Cut(op, ":")
	if !ok {
		set, rest = "", op
	}
	base, ifExists := strings.CutSuffix(rest, "IfExists")
	if base == "Null" {
		return slices.Contains(want, fmt.Sprint(len(values) == 0))
	}
	negative := strings.Contains(base, "Not")
	if len(values) == 0 {
		switch {
		case ifExists, set == "ForAllValues":
			return true
		case set == "ForAnyValue":
			return false
		}
		return negative
	}
	hit := func(v string) bool {
		return slices.ContainsFunc(want, func(w string) bool {
			switch strings.Replace(base, "Not", "", 1) {
			case "StringEquals":
				return n.regex(w, false, false).MatchString(v)
			case "StringLike":
				return n.regex(w, true, false).MatchString(v)
			case "StringEqualsIgnoreCase":
				return n.regex(w, false, true).MatchString(v)
			case "ArnLike", "ArnEquals":
				return n.arnMatches(w, v)
			case "IpAddress":
				a, err := netip.ParseAddr(v)
				return err == nil && netip.MustParsePrefix(w).Contains(a)
			}
			panic(base)
		})
	}
	hits := 0
	for _, v := range values {
		if hit(v) != negative {
			hits++
		}
	}
	if set == "ForAllValues" || set == "" && negative {
		return hits == len(values)
	}
	return hits > 0
}

// meant: 0 not, 1 by account, 2 by everyone, 3 by name.
func (n *naive) meant(s map[string]any) int {
	v, ok := s["Principal"]
	if !ok {
		if v, not := s["NotPrincipal"]; not {
			if n.entry(v) > 0 {
				return 0
			}
		}
		return 2
	}
	return n.entry(v)
}

func (n *naive) entry(v any) int {
	if v == "*" {
		return 2
	}
	best := 0
	for _, w := range list(v.(map[string]any)["AWS"]) {
		account := strings.TrimSuffix(strings.TrimPrefix(w, "arn:aws:iam::"), ":root")
		switch {
		case w == "*":
			best = max(best, 2)
		case n.who.Account != "" && account == n.who.Account && n.who.Root():
			best = 3
		case n.who.Account != "" && account == n.who.Account:
			best = max(best, 1)
		case w == n.who.ARN && w != "":
			best = 3
		}
	}
	return best
}

// says returns the closest that a statement with the effect means the caller.
func (n *naive) says(effect string, docs ...string) int {
	best := 0
	for _, d := range docs {
		var p struct{ Statement []map[string]any }
		if err := json.Unmarshal([]byte(d), &p); err != nil {
			panic(err)
		}
		for _, s := range p.Statement {
			ok := s["Effect"] == effect &&
				n.element(s, "Action", func(p string) bool { return n.regex(p, true, true).MatchString(n.action) }) &&
				n.element(s, "Resource", func(p string) bool { return n.arnMatches(p, n.arn) })
			if c, has := s["Condition"].(map[string]any); ok && has {
				for op, keys := range c {
					for key, v := range keys.(map[string]any) {
						ok = ok && n.condition(op, key, list(v))
					}
				}
			}
			if ok {
				best = max(best, n.meant(s))
			}
		}
	}
	return best
}

func (n *naive) allowed(all bool, identity, boundary, session, resource []string) bool {
	if n.says("Deny", slices.Concat(identity, boundary, session, resource)...) > 0 {
		return false
	}
	r := n.says("Allow", resource...)
	if n.who.Account == "" {
		return r >= 2
	}
	same := n.who.Account == n.owner
	mine := all || n.says("Allow", identity...) > 0
	bounded := (len(boundary) == 0 || n.says("Allow", boundary...) > 0) && (len(session) == 0 || n.says("Allow", session...) > 0)
	if same {
		return r == 3 || (mine || r == 2) && bounded
	}
	return r > 0 && mine && bounded
}

type dice struct{ *rand.Rand }

func (d dice) of(all ...string) string { return all[d.IntN(len(all))] }

func (d dice) some(all ...string) string {
	if d.IntN(2) == 0 {
		return `"` + d.of(all...) + `"`
	}
	return `["` + d.of(all...) + `","` + d.of(all...) + `"]`
}

func (d dice) statement(resource bool) string {
	s := `"Effect":"` + d.of("Allow", "Allow", "Deny") + `"`
	s += `,"` + d.of("Action", "Action", "Action", "NotAction") + `":` + d.some("*", "s3:*", "s3:Get*", "S3:getobject", "s3:PutObject", "s3:?etObject", "ec2:Run")
	s += `,"` + d.of("Resource", "Resource", "Resource", "NotResource") + `":` + d.some("*", "arn:aws:s3:::pond/*", "arn:aws:s3:::p*", "arn:aws:s3:::pond", "arn:*:s3:*:*:pond/?ey",
		"arn:aws:s3:::pond/${aws:username}/*", "arn:aws:s3:::pond/${x:none, 'key'}", "arn:aws:s3:::pond/${x:none}*", "arn:aws:s3:::${*}*")
	if resource {
		if strings.Contains(s, "Deny") && d.IntN(3) == 0 {
			s += `,"NotPrincipal":{"AWS":` + d.some("111111111111", "arn:aws:iam::111111111111:user/eng/ann") + `}`
		} else if d.IntN(3) == 0 {
			s += `,"Principal":"*"`
		} else {
			s += `,"Principal":{"AWS":` + d.some("*", "111111111111", "arn:aws:iam::222222222222:root", "arn:aws:iam::111111111111:user/eng/ann", "333333333333") + `}`
		}
	}
	if d.IntN(2) == 0 {
		return "{" + s + "}"
	}
	op := d.of("", "", "ForAllValues:", "ForAnyValue:")
	exists := d.of("", "", "IfExists")
	switch d.IntN(4) {
	case 0:
		op += d.of("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike") + exists
		s += fmt.Sprintf(`,"Condition":{"%s":{"%s":%s}}`, op, d.of("aws:username", "x:tags", "x:none", "X:One"), d.some("ann", "ANN", "a*", "b?", "*", "${aws:username}", "${x:none}", "${x:none,'b'}", "${*}", "b"))
	case 1:
		s += fmt.Sprintf(`,"Condition":{"%s":{"x:source":%s}}`, op+d.of("ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals")+exists, d.some("*", "arn:aws:s3:::p*", "arn:aws:s3:::lake", "arn:aws:s?:::pond"))
	case 2:
		s += fmt.Sprintf(`,"Condition":{"%s":{"aws:SourceIp":%s}}`, op+d.of("IpAddress", "NotIpAddress")+exists, d.some("10.0.0.0/8", "10.1.2.3/32", "0.0.0.0/0", "192.168.0.0/16"))
	default:
		s += fmt.Sprintf(`,"Condition":{"Null":{"%s":%s}}`, d.of("x:none", "x:tags", "aws:username"), d.some("true", "false"))
	}
	return "{" + s + "}"
}

func (d dice) policies(most int, resource bool) []string {
	var all []string
	for range d.IntN(most + 1) {
		var s []string
		for range 1 + d.IntN(3) {
			s = append(s, d.statement(resource))
		}
		if !resource && d.IntN(4) == 0 { // decides nothing
			s = append(s, `{"Effect":"Limit","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"s3:quota-bucketnumber":"`+d.of("0", "7")+`"}}}`)
		}
		all = append(all, `{"Version":"2012-10-17","Statement":[`+strings.Join(s, ",")+`]}`)
	}
	return all
}

func (d dice) keys(who *Principal) map[string][]string {
	keys := map[string][]string{"x:tags": {"a", "b"}, "x:one": {"b*"}, "x:source": {d.of("arn:aws:s3:::pond", "arn:aws:s3:::lake", "text")}, "aws:sourceip": {d.of("10.1.2.3", "192.168.1.1", "1.2.3.4")}}
	if name, ok := who.value("aws:username"); ok {
		keys["aws:username"] = []string{name}
	}
	if d.IntN(3) == 0 {
		delete(keys, slices.Sorted(maps.Keys(keys))[0]) // never what the principal itself answers: aws:sourceip
	}
	return keys
}

func TestAgreesWithANaiveEvaluator(t *testing.T) {
	d := dice{rand.New(rand.NewPCG(1, 2))}
	allowed := 0
	const rounds = 10_000
	for range rounds {
		who := []Principal{user("ann"), user("bob"), root(acct), root(other), {}}[d.IntN(5)]
		n := &naive{who: who, owner: acct, action: d.of("s3:GetObject", "s3:PutObject", "ec2:Run"),
			arn: d.of("arn:aws:s3:::pond", "arn:aws:s3:::pond/key", "arn:aws:s3:::pond/ann/x", "arn:aws:s3:::lake/${x}", "*"), keys: d.keys(&who)}
		all := d.IntN(2) == 0
		docs := [][]string{d.policies(3, false), d.policies(1, false), d.policies(1, false), d.policies(1, true)}
		p := &Policies{All: all}
		for i, to := range []*[]*Policy{&p.Identity, &p.Boundary, &p.Session} {
			for _, doc := range docs[i] {
				*to = append(*to, mustParse(t, doc, false))
			}
		}
		if len(docs[3]) > 0 {
			p.Resource = mustParse(t, docs[3][0], true)
		}
		want := n.allowed(all, docs[0], docs[1], docs[2], docs[3])
		asked := &Request{Principal: who, Action: n.action, Resource: n.arn, Owner: acct, Keys: func(k string) []string { return n.keys[k] }}
		got := Evaluate(asked, p)
		if got.Allowed != want {
			t.Fatalf("got %s, want allowed=%v\n%+v\nall=%v %s", got, want, n, all, docs)
		}
		counted, failed := Explain(asked, p)
		if told := slices.ContainsFunc(counted, func(m Match) bool { return m.By == got.By && m.Source == got.Source }); told != (got.By != nil) ||
			got.Denied != (len(counted) > 0 && counted[0].By.Deny) || slices.ContainsFunc(failed, func(m Match) bool { return m.Unmet == nil || m.By == got.By }) {
			t.Fatalf("%s is told as %+v, %+v", got, counted, failed)
		}
		if want {
			allowed++
		}
	}
	if allowed < rounds/20 || allowed > rounds*19/20 {
		t.Errorf("%d of %d were allowed: the dice are loaded", allowed, rounds)
	}
}

func FuzzParse(f *testing.F) {
	d := dice{rand.New(rand.NewPCG(3, 4))}
	for i := range 20 {
		for _, doc := range d.policies(2, i%2 == 0) {
			f.Add([]byte(doc), i%2 == 0)
		}
	}
	f.Add([]byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"2026"},"NumericEquals":{"a:b":[1,2e3]}}}}`), false)
	for _, c := range limits {
		f.Add([]byte(one(c.rest)), false)
	}
	f.Fuzz(func(t *testing.T, doc []byte, resource bool) {
		p, err := Parse(doc, Rules{Resource: resource})
		if err != nil {
			return
		}
		for _, who := range []Principal{{}, root(acct), user("ann")} {
			r := &Request{Principal: who, Action: "s3:GetObject", Resource: "arn:aws:s3:::pond/key", Owner: acct, Keys: func(string) []string { return []string{"1", "a"} }}
			set := &Policies{Resource: p}
			if !resource {
				set = &Policies{Identity: []*Policy{p}}
			}
			if d := Evaluate(r, set); d.Allowed && d.By == nil || d.Allowed && d.Denied {
				t.Fatal(d)
			}
			if l, ok := LimitOf(r, "s3:quota-bucketnumber", []*Policy{p}); ok && (l.Most < 0 || !l.By.Limit || resource) {
				t.Fatal(l)
			}
			if e, ok := ExpiryOf(r, time.Unix(0, 0), []*Policy{p}); ok && !e.By.Limit {
				t.Fatal(e)
			}
		}
	})
}
