package sign

import (
	"net/http"
	"strings"
)

const tokenHeader = "X-Amz-Security-Token"

// MaxToken bounds the token of a session, in bytes.
const MaxToken = 8 << 10

// token returns the session token of r, "" when it has none: from its header,
// or, when the signature is in the query string (byQuery), from there. Either
// place is part of what is signed.
func (v *Verifier) token(r *http.Request, query pairs, byQuery bool) (string, error) {
	found := r.Header.Values(tokenHeader)
	for _, p := range query {
		if !strings.EqualFold(p.name, tokenHeader) {
			continue
		}
		if !byQuery {
			return "", v.Dialect.fault(mixed, "A session token stands in the query string only beside the signature.")
		}
		found = append(found[:len(found):len(found)], p.value)
	}
	switch {
	case len(found) > 1:
		return "", v.Dialect.fault(mixed, "Only one session token is allowed.")
	case len(found) == 0:
		return "", nil
	case found[0] == "", len(found[0]) > MaxToken:
		return "", v.Dialect.fault(badToken, "%s", v.Dialect.badToken)
	}
	return found[0], nil
}
