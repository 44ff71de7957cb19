package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Bounds of what is kept of a request's parameters and of its answer.
const (
	maxParams = 4 << 10 // bytes of JSON
	maxValue  = 2 << 10 // bytes of a text
	maxItems  = 20      // of a list
	maxDepth  = 6
)

// Hidden stands for a value that is nobody's to read.
const Hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// secret are the names of texts that are never written down, and of structures
// of which nothing is.
var secret = regexp.MustCompile(`(?i)password|secret|private|userdata|assertion|seed|webidentity|sessiontoken|securitytoken|tokencode|authenticationcode|^token$|qrcode|material$`)

// plain are names that only look like those.
var plain = map[string]bool{"PublicKeyMaterial": true, "PrivateIpAddress": true, "PrivateIpAddresses": true, "PrivateIp": true, "PrivateDnsNameOptions": true, "PrivateDnsHostnameTypeOnLaunch": true}

// Secret reports whether what has the name, among the parameters of a request or
// in an answer, is hidden.
func Secret(name string) bool { return secret.MatchString(name) && !plain[name] }

// made are the names of what an answer tells of the things that were made.
var made = regexp.MustCompile(`(?i)(ids?|arn|name|serialnumber|publicip|status|state)$`)

// Asked notes what the request of ctx, decoded, asks for.
func Asked(ctx context.Context, in any) {
	if l, ok := ctx.Value(lineKey{}).(*Line); ok {
		l.Params = Params(in)
	}
}

// Answered notes which things the request of ctx has made.
func Answered(ctx context.Context, out any) {
	if l, ok := ctx.Value(lineKey{}).(*Line); ok {
		l.Made = show(out, made.MatchString)
	}
}

// Params are the fields of a structure, or the entries of a map, as JSON of at
// most some 4 KiB, with names as CloudTrail writes them. Secrets are hidden,
// what is absent is left out, and what there is no room for is named in the
// member "cut"; a text that was cut says so at its end. nil when nothing is left.
func Params(in any) json.RawMessage { return show(in, func(string) bool { return true }) }

func show(in any, which func(string) bool) json.RawMessage {
	v := reflect.ValueOf(in)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	s := shower{which: which}
	var b []byte
	var left []string
	s.members(v, func(name string, part reflect.Value) {
		value := s.value(name, part, 1)
		if value == nil {
			return
		}
		text, err := json.Marshal(value)
		if err != nil || len(b)+len(text)+len(name)+4 > maxParams-200 {
			if len(left) < 5 {
				left = append(left, name)
			}
			return
		}
		b = fmt.Appendf(b, ",%q:%s", name, text)
	})
	if len(left) > 0 {
		text, _ := json.Marshal(left) // cannot fail
		b = fmt.Appendf(b, `,"cut":%s`, text)
	}
	if len(b) == 0 {
		return nil
	}
	b[0] = '{'
	return append(b, '}')
}

// A shower makes what json can write of what is wanted.
type shower struct{ which func(name string) bool }

// members calls f for the parts of a structure, by the names that they have in
// CloudTrail.
func (s *shower) members(v reflect.Value, f func(name string, part reflect.Value)) {
	if v.Kind() == reflect.Map {
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, k := range keys {
			if k.Kind() == reflect.String && len(k.String()) <= 100 {
				f(k.String(), v.MapIndex(k))
			}
		}
		return
	}
	if v.Kind() != reflect.Struct {
		return
	}
	user := false // the value of an attribute that is set by name
	if a := v.FieldByName("Attribute"); a.IsValid() {
		user = Secret(fmt.Sprint(reflect.Indirect(a)))
	}
	for i := range v.NumField() {
		t := v.Type().Field(i)
		if !t.IsExported() {
			continue
		}
		name := t.Name
		switch {
		case user && name == "Value":
			f("value", reflect.ValueOf(Hidden))
		case t.Tag.Get("audit") == "host": // the rest of the URL may be what opens the door there
			u, err := url.Parse(fmt.Sprint(reflect.Indirect(v.Field(i))))
			if err == nil && u.Host != "" {
				f(lower(name), reflect.ValueOf(u.Scheme+"://"+u.Host))
			}
		case Secret(name) && hides(t.Type):
			if s.which(name) && !v.Field(i).IsZero() {
				f(lower(name), reflect.ValueOf(Hidden))
			}
		default:
			f(lower(name), v.Field(i))
		}
	}
}

// hides reports whether a secret may be of the type: a number or a truth about
// passwords is none.
func hides(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
		return false
	}
	return true
}

func lower(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// value is what is shown of v; nil: nothing.
func (s *shower) value(name string, v reflect.Value, depth int) any {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if at, ok := v.Interface().(time.Time); ok {
		if at.IsZero() || !s.which(name) {
			return nil
		}
		return at.UTC().Format(time.RFC3339)
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Map:
		return s.structure(v, depth)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			return s.list(name, v, depth)
		}
		return s.text(name, string(v.Bytes()))
	case reflect.String:
		return s.text(name, v.String())
	}
	if v.IsZero() && v.Kind() != reflect.Bool || !s.which(name) {
		return nil
	}
	return v.Interface()
}

func (s *shower) structure(v reflect.Value, depth int) any {
	all := map[string]any{}
	if depth < maxDepth {
		s.members(v, func(name string, part reflect.Value) {
			if one := s.value(name, part, depth+1); one != nil {
				all[name] = one
			}
		})
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

func (s *shower) list(name string, v reflect.Value, depth int) any {
	var all []any
	for i := range min(v.Len(), maxItems) {
		if one := s.value(name, v.Index(i), depth+1); one != nil {
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return nil
	}
	if v.Len() > maxItems {
		all = append(all, fmt.Sprintf("... (%d more)", v.Len()-maxItems))
	}
	return all
}

// text is a text within its bound. Of an URL the secrets are left out that it
// may hold: a user's password, and the query.
func (s *shower) text(name, value string) any {
	if value == "" || !s.which(name) {
		return nil
	}
	if strings.HasSuffix(strings.ToLower(name), "rl") {
		if u, err := url.Parse(value); err == nil && u.Host != "" && (u.User != nil || u.RawQuery != "") {
			value = u.Scheme + "://" + u.Host + u.EscapedPath()
		}
	}
	if len(value) > maxValue {
		value = cut(value, maxValue) + fmt.Sprintf("... (cut, %d bytes)", len(value))
	}
	return value
}
