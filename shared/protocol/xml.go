package protocol

import (
	"encoding"
	"encoding/base64"
	"encoding/xml"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"karri/shared/awsmodel"
)

// AppendXML appends the members of v, a struct of the Plan's type or a pointer
// to one, as XML elements. A nil pointer is absent, and so are the zero time and nil bytes; a
// list is always there, if empty as <set/>. A nil v has no members.
func (p *Plan) AppendXML(b []byte, v any) ([]byte, error) {
	r := reflect.Indirect(reflect.ValueOf(v))
	if !r.IsValid() {
		return b, nil
	}
	w := writer{b: b}
	w.structure(p, r)
	return w.b, w.err
}

type writer struct {
	b   []byte
	err error
}

func (w *writer) open(name string) {
	w.b = append(append(append(w.b, '<'), name...), '>')
}

func (w *writer) shut(name string) {
	w.b = append(append(append(w.b, '<', '/'), name...), '>')
}

func (w *writer) structure(p *Plan, v reflect.Value) {
	for _, s := range p.slots {
		if s.plan != nil {
			w.member(s.plan, s, v.FieldByIndex(s.index))
		}
	}
}

func (w *writer) member(p *Plan, s *slot, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if neverEmpty(p.shape.Type) && v.IsZero() || v.Kind() == reflect.Map && v.IsNil() {
		return
	}
	flat := s.Flattened || s.Shape.Flattened
	switch {
	case p.shape.Type == awsmodel.List && flat:
		w.items(p, s.out, v)
	case p.shape.Type == awsmodel.Map && flat:
		w.entries(p, s.out, v)
	case p.shape.Type == awsmodel.List && v.Len() == 0:
		w.b = append(append(append(w.b, '<'), s.out...), '/', '>')
	default:
		w.open(s.out)
		w.value(p, s, v)
		w.shut(s.out)
	}
}

func (w *writer) value(p *Plan, s *slot, v reflect.Value) {
	switch p.shape.Type {
	case awsmodel.Structure:
		w.structure(p, v)
	case awsmodel.List:
		name := p.shape.Element.Wire
		if name == "" {
			name = "member"
		}
		w.items(p, name, v)
	case awsmodel.Map:
		w.entries(p, "entry", v)
	default:
		text, err := p.format(v, s.Format)
		if err != nil && w.err == nil {
			w.err = err
		}
		w.text(text)
	}
}

func (w *writer) items(p *Plan, name string, v reflect.Value) {
	for i := range v.Len() {
		e := v.Index(i)
		if e.Kind() == reflect.Pointer {
			if e.IsNil() {
				continue
			}
			e = e.Elem()
		}
		w.open(name)
		w.value(p.elem, p.inner, e)
		w.shut(name)
	}
}

func (w *writer) entries(p *Plan, name string, v reflect.Value) {
	keyName, valueName := p.shape.Key.Wire, p.shape.Value.Wire
	if keyName == "" {
		keyName = "key"
	}
	if valueName == "" {
		valueName = "value"
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		w.open(name)
		w.open(keyName)
		w.text(k.String())
		w.shut(keyName)
		w.open(valueName)
		w.value(p.elem, p.inner, reflect.Indirect(v.MapIndex(k)))
		w.shut(valueName)
		w.shut(name)
	}
}

// text appends s escaped. Most of what is written needs no escape.
func (w *writer) text(s string) { w.b = AppendText(w.b, s) }

// AppendText appends s as XML character data.
func AppendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '<' || c == '>' || c == '&' || c == '\'' || c == '"' {
			var out strings.Builder
			if err := xml.EscapeText(&out, []byte(s)); err != nil {
				return b // a Builder does not fail
			}
			return append(b, out.String()...)
		}
	}
	return append(b, s...)
}

// format returns a scalar as text, in requests and XML answers alike.
func (p *Plan) format(v reflect.Value, timeFormat string) (string, error) {
	switch p.shape.Type {
	case awsmodel.String:
		if !p.text {
			return v.String(), nil
		}
		b, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		return string(b), err
	case awsmodel.Integer, awsmodel.Long:
		return strconv.FormatInt(v.Int(), 10), nil
	case awsmodel.Float, awsmodel.Double:
		return strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits()), nil
	case awsmodel.Boolean:
		return strconv.FormatBool(v.Bool()), nil
	case awsmodel.Blob:
		return base64.StdEncoding.EncodeToString(v.Bytes()), nil
	}
	return formatTime(v.Interface().(time.Time), timeFormat), nil
}

func formatTime(t time.Time, format string) string {
	switch format {
	case "unixTimestamp":
		return strconv.FormatInt(t.Unix(), 10)
	case "rfc822":
		return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
