package sign

import (
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A pair is one parameter, decoded.
type pair struct{ name, value string }

// pairs are the parameters of a query string or form in the order sent.
type pairs []pair

// parsePairs decodes as url.ParseQuery does, which handlers use, but refuses
// what that would drop (a bare semicolon, a broken escape).
func parsePairs(raw string) (pairs, error) {
	if raw == "" {
		return nil, nil
	}
	ps := make(pairs, 0, strings.Count(raw, "&")+1)
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		if strings.Contains(part, ";") {
			return nil, fmt.Errorf("a bare semicolon stands in %q", part)
		}
		name, value, _ := strings.Cut(part, "=")
		n, err := url.QueryUnescape(name)
		if err != nil {
			return nil, err
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return nil, err
		}
		ps = append(ps, pair{n, v})
	}
	return ps, nil
}

func (ps pairs) count(name string) int {
	n := 0
	for _, p := range ps {
		if p.name == name {
			n++
		}
	}
	return n
}

func (ps pairs) any(names ...string) bool {
	return slices.ContainsFunc(ps, func(p pair) bool { return slices.Contains(names, p.name) })
}

// get returns the first value of name, or "".
func (ps pairs) get(name string) string {
	for _, p := range ps {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// once returns the value of name when it stands there exactly once.
func (ps pairs) once(name string) (string, bool) {
	return ps.get(name), ps.count(name) == 1
}

// canonical returns the parameters encoded and sorted by their encoded bytes,
// without the parameter but when leave is set.
func (ps pairs) canonical(but string, leave bool) string {
	es := make([]pair, 0, len(ps))
	for _, p := range ps {
		if leave && p.name == but {
			continue
		}
		es = append(es, pair{encode(p.name, false), encode(p.value, false)})
	}
	slices.SortFunc(es, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	n := 0
	for _, e := range es {
		n += len(e.name) + len(e.value) + 2
	}
	b.Grow(n)
	for i, e := range es {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(e.name)
		b.WriteByte('=')
		b.WriteString(e.value)
	}
	return b.String()
}

// encode escapes each byte but A-Z a-z 0-9 - . _ ~ and, if asked, the slash.
func encode(s string, slash bool) string {
	if plain(s, slash) {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if unreserved(c) || slash && c == '/' {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// plain reports whether encode would change nothing.
func plain(s string, slash bool) bool {
	for i := range len(s) {
		if c := s[i]; !unreserved(c) && !(slash && c == '/') {
			return false
		}
	}
	return true
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

// paths returns the canonical forms of an escaped path that clients sign. S3:
// each segment encoded once, or exactly as sent. Others: encoded twice, of
// the cleaned path or of the path as it is.
func (d *Dialect) paths(escaped string) []string {
	if escaped == "" {
		escaped = "/"
	}
	var forms []string
	if d.objects {
		forms = []string{onceEncoded(escaped), escaped}
	} else {
		forms = []string{encode(clean(escaped), true), encode(escaped, true)}
	}
	return slices.Compact(forms)
}

func onceEncoded(escaped string) string {
	if plain(escaped, true) {
		return escaped
	}
	segments := strings.Split(escaped, "/")
	for i, s := range segments {
		if plain, err := url.PathUnescape(s); err == nil {
			s = plain
		}
		segments[i] = encode(s, false)
	}
	return strings.Join(segments, "/")
}

func clean(escaped string) string {
	c := path.Clean("/" + escaped)
	if strings.HasSuffix(escaped, "/") && c != "/" {
		c += "/"
	}
	return c
}

// signedHeaders returns the canonical headers, and refuses a request in which
// a header that decides something is not signed.
func (v *Verifier) signedHeaders(r *http.Request, names []string) (string, error) {
	if !slices.Contains(names, "host") {
		return "", v.Dialect.fault(unsignedHeader, "The header 'host' must be signed.")
	}
	for name := range r.Header {
		const ours = "x-amz-"
		if len(name) < len(ours) || !strings.EqualFold(name[:len(ours)], ours) {
			continue
		}
		if low := lowOf(name); !slices.Contains(names, low) {
			return "", v.Dialect.fault(unsignedHeader, "There were headers present in the request which were not signed: %s", low)
		}
	}
	s, missing := canonicalHeaders(r, names)
	if missing != "" {
		return "", v.Dialect.fault(mismatch, "The signed header '%s' is not in the request.", missing)
	}
	return s, nil
}

// canonicalHeaders returns a line for each name, or the first name that the
// request does not have. net/http keeps some headers apart from Header.
func canonicalHeaders(r *http.Request, names []string) (lines, missing string) {
	var b strings.Builder
	b.Grow(256) // of the usual request
	for _, name := range names {
		values := r.Header[headerOf(name)]
		switch {
		case name == "host":
			values = []string{r.Host}
		case name == "content-length" && len(values) == 0 && r.ContentLength >= 0:
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		case name == "transfer-encoding" && len(r.TransferEncoding) > 0:
			values = r.TransferEncoding
		}
		if len(values) == 0 {
			return "", name
		}
		b.WriteString(name)
		b.WriteByte(':')
		for i, value := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(squeeze(value))
		}
		b.WriteByte('\n')
	}
	return b.String(), ""
}

// usual are the headers that most requests sign, as net/http writes them.
var usual = [...][2]string{
	{"x-amz-date", "X-Amz-Date"}, {"x-amz-content-sha256", "X-Amz-Content-Sha256"}, {"host", "Host"}, {"x-amz-security-token", "X-Amz-Security-Token"},
	{"content-type", "Content-Type"}, {"content-md5", "Content-Md5"}, {"content-length", "Content-Length"}, {"range", "Range"},
}

// headerOf is textproto.CanonicalMIMEHeaderKey, and lowOf strings.ToLower, which
// allocate.
func headerOf(name string) string {
	for i := range usual {
		if usual[i][0] == name {
			return usual[i][1]
		}
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

func lowOf(header string) string {
	for i := range usual {
		if usual[i][1] == header {
			return usual[i][0]
		}
	}
	return strings.ToLower(header)
}

// squeeze trims a header's value and makes runs of spaces one.
func squeeze(s string) string {
	s = strings.Trim(s, " \t")
	for strings.Contains(s, "  ") {
		s = strings.ReplaceAll(s, "  ", " ")
	}
	return s
}
