package sign

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	hashHeader = "X-Amz-Content-Sha256"
	maxField   = 128  // bytes of an access key, region or service
	maxHeaders = 4096 // bytes of a list of signed headers
)

// fromHeader takes the signature out of the Authorization header.
func (v *Verifier) fromHeader(r *http.Request, _ pairs) (*scope, error) {
	bad := func(what string) error {
		return v.Dialect.fault(malformedHeader, "The authorization header is malformed; %s", what)
	}
	var fields [3]string
	names := [3]string{"Credential", "SignedHeaders", "Signature"}
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), algorithm4), ",") {
		name, value, found := strings.Cut(strings.Trim(part, " "), "=")
		i := slices.Index(names[:], name)
		if !found || i < 0 || value == "" {
			return nil, bad("it must hold Credential, SignedHeaders and Signature.")
		}
		if fields[i] != "" {
			return nil, bad(name + " stands there twice.")
		}
		fields[i] = value
	}
	s, what := parseScope(fields[0], fields[1], fields[2])
	if what != "" {
		return nil, bad(what)
	}
	at, err := v.headerDate(r, s.headers)
	if err != nil {
		return nil, err
	}
	s.at = at
	return s, nil
}

// headerDate returns the signed time of r: X-Amz-Date, or else a signed Date.
func (v *Verifier) headerDate(r *http.Request, signed []string) (time.Time, error) {
	stamps, dates := r.Header.Values("X-Amz-Date"), r.Header.Values("Date")
	if len(stamps) == 1 {
		if at, err := time.Parse(stampForm, stamps[0]); err == nil {
			return at, nil
		}
	}
	if len(stamps) == 0 && len(dates) == 1 && slices.Contains(signed, "date") {
		if at, err := time.Parse(stampForm, dates[0]); err == nil {
			return at, nil
		}
		if at, err := http.ParseTime(dates[0]); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, v.Dialect.fault(noDate, "AWS authentication requires one valid, signed Date or x-amz-date header")
}

// fromQuery takes the signature out of a presigned request's query string.
func (v *Verifier) fromQuery(_ *http.Request, query pairs) (*scope, error) {
	bad := func(what string) error { return v.Dialect.fault(malformedQuery, "%s", what) }
	fields := map[string]string{}
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		value, ok := query.once(name)
		if !ok || value == "" {
			return nil, bad("Query-string authentication needs the parameter " + name + " exactly once.")
		}
		fields[name] = value
	}
	if fields["X-Amz-Algorithm"] != algorithm4 {
		return nil, bad("X-Amz-Algorithm only supports \"" + algorithm4 + "\"")
	}
	s, what := parseScope(fields["X-Amz-Credential"], fields["X-Amz-SignedHeaders"], fields["X-Amz-Signature"])
	if what != "" {
		return nil, bad("The presigned URL is malformed; " + what)
	}
	at, err := time.Parse(stampForm, fields["X-Amz-Date"])
	if err != nil {
		return nil, bad("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
	}
	seconds, err := strconv.ParseUint(fields["X-Amz-Expires"], 10, 32)
	if err != nil || seconds < 1 || seconds > uint64(MaxExpires/time.Second) {
		return nil, bad("X-Amz-Expires must be a number from 1 to 604800")
	}
	s.at, s.presigned = at, true
	if v.now().After(at.Add(time.Duration(seconds) * time.Second)) {
		return nil, v.Dialect.fault(expired, "Request has expired")
	}
	return s, nil
}

// checkTime bounds the clock of a request. A presigned one has been held
// against its expiry; it must only not come from the future.
func (v *Verifier) checkTime(s *scope) error {
	if !s.presigned {
		return v.checkSkew(s.at)
	}
	if s.at.After(v.now().Add(MaxSkew)) {
		return v.Dialect.fault(expired, "Request is not valid yet")
	}
	return nil
}

// parseScope checks the form of the three parts of a signature. The second
// answer says what is wrong, or nothing.
func parseScope(credential, headers, signature string) (*scope, string) {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 {
		return nil, "the Credential must be ACCESS-KEY/DATE/REGION/SERVICE/aws4_request."
	}
	for _, p := range parts {
		if p == "" || len(p) > maxField || strings.ContainsFunc(p, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
			return nil, "a part of the Credential is empty, too long or not plain ASCII."
		}
	}
	if _, err := time.Parse(dateForm, parts[1]); err != nil {
		return nil, "the Credential's date must be in the form yyyyMMdd."
	}
	if parts[4] != terminator {
		return nil, "the Credential must end in aws4_request."
	}
	if !isHash(signature) {
		return nil, "the Signature must be 64 lower-case hexadecimal digits."
	}
	names := strings.Split(headers, ";")
	for i, n := range names {
		if n == "" || len(headers) > maxHeaders || strings.ContainsFunc(n, notToken) || i > 0 && names[i-1] >= n {
			return nil, "SignedHeaders must be lower-case names in order, each once."
		}
	}
	return &scope{key: parts[0], date: parts[1], region: parts[2], service: parts[3], headers: names, signature: signature}, ""
}

func notToken(c rune) bool {
	return !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
}

// isHash reports whether s is a SHA-256 in lower-case hexadecimal.
func isHash(s string) bool {
	return len(s) == 64 && !strings.ContainsFunc(s, func(c rune) bool { return !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') })
}
