package action

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"slices"

	"karri/shared/fault"
)

// A pager is what the catalog learned of a List request before Run.
type pager struct {
	max   int    // 0: all
	after string // key of the last thing of the page before; "" at the start
	query [8]byte
}

type pagerKey struct{}

// Span returns what a Run of a List action need read for its page: the things
// whose keys come after the given one, and of these the first most, which is one
// more than the page has so that Page sees whether there are others; 0: all.
// It is for lists that the database orders by the same key as Page.
func Span(ctx context.Context) (after string, most int) {
	p, ok := ctx.Value(pagerKey{}).(pager)
	if !ok || p.max == 0 {
		return p.after, 0
	}
	return p.after, p.max + 1
}

// Page sorts things by key, which must be unique and stable, and returns the
// page that the request asked for with the token of the next one, nil at the
// end. A token names the last key seen, so that things made or gone between two
// pages neither repeat nor hide others. Outside a List request it returns all.
func Page[T any](ctx context.Context, things []T, key func(T) string) ([]T, *string, error) {
	slices.SortFunc(things, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	p, ok := ctx.Value(pagerKey{}).(pager)
	if !ok {
		return things, nil, nil
	}
	if p.after != "" {
		n, found := slices.BinarySearchFunc(things, p.after, func(t T, k string) int { return cmp.Compare(key(t), k) })
		if found {
			n++
		}
		things = things[n:]
	}
	if p.max == 0 || len(things) <= p.max {
		return things, nil, nil
	}
	things = things[:p.max]
	next := p.token(key(things[p.max-1]))
	return things, &next, nil
}

// newPager reads MaxResults and NextToken. query is the request without both,
// and account its caller: a token is good for the same question only.
func newPager(l *List, account, action string, query any, maxResults *int64, token string) (pager, error) {
	p := pager{max: l.Default}
	least, most := int64(l.Min), int64(l.Max)
	if maxResults != nil {
		if *maxResults < least || *maxResults > most {
			return p, fault.New(fault.Invalid, "InvalidParameterValue",
				"Value (%d) for parameter MaxResults is invalid. Expecting a value between %d and %d.", *maxResults, least, most)
		}
		p.max = int(*maxResults)
	}
	b, err := json.Marshal([]any{account, action, query})
	if err != nil {
		return p, err
	}
	sum := sha256.Sum256(b)
	copy(p.query[:], sum[:])
	if token == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) <= len(p.query) || [8]byte(raw[:8]) != p.query {
		return p, fault.New(fault.Invalid, "InvalidNextToken", "The token is not one that this request was given.")
	}
	p.after = string(raw[len(p.query):])
	return p, nil
}

// pagerOf returns the pager of a request, of which in is the decoded struct.
func (a *Action) pagerOf(account string, in reflect.Value) (pager, error) {
	query := reflect.New(in.Type()).Elem()
	query.Set(in)
	var maxResults *int64
	var token string
	for _, name := range []string{"MaxResults", "MaxItems"} {
		if f := query.FieldByName(name); f.IsValid() {
			if f.Kind() == reflect.Pointer && !f.IsNil() {
				n := f.Elem().Int()
				maxResults = &n
			}
			f.SetZero()
		}
	}
	for _, name := range []string{"NextToken", "Marker"} {
		if f := query.FieldByName(name); f.IsValid() {
			if f.Kind() == reflect.Pointer && !f.IsNil() {
				token = f.Elem().String()
			}
			f.SetZero()
		}
	}
	return newPager(a.List, account, a.Name, query.Interface(), maxResults, token)
}

func (p pager) token(last string) string {
	return base64.RawURLEncoding.EncodeToString(append(p.query[:], last...))
}
