package protocol

import (
	"cmp"
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"karri/shared/awsmodel"
)

// Form writes a request as the form fields that a client would send: the
// inverse of ParseForm and Decode.
func (p *Plan) Form(d Dialect, v any) (url.Values, error) {
	f := former{form: url.Values{}, dialect: d}
	f.structure(p, "", reflect.Indirect(reflect.ValueOf(v)))
	return f.form, f.err
}

type former struct {
	form    url.Values
	dialect Dialect
	err     error
}

func (f *former) structure(p *Plan, prefix string, v reflect.Value) {
	for _, s := range p.slots {
		if s.plan != nil {
			f.value(s.plan, s, prefix+s.names[f.dialect], v.FieldByIndex(s.index))
		}
	}
}

func (f *former) value(p *Plan, s *slot, name string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if v.IsNil() {
			return
		}
	case reflect.String:
		if v.Len() == 0 && !s.Required && s.Name != "" { // an element has no name, and may be empty
			return
		}
	}
	v = reflect.Indirect(v)
	bound := s.bound[f.dialect]
	if bound != "" {
		bound += "."
	}
	switch p.shape.Type {
	case awsmodel.Structure:
		f.structure(p, name+".", v)
	case awsmodel.List:
		if v.Len() == 0 && f.dialect == Query {
			f.form.Set(name, "")
		}
		n := 1 // an element that says nothing gets no number
		for i := range v.Len() {
			before := len(f.form)
			f.value(p.elem, p.inner, name+"."+bound+strconv.Itoa(n), v.Index(i))
			if len(f.form) > before {
				n++
			}
		}
	case awsmodel.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for i, k := range keys {
			at := name + "." + bound + strconv.Itoa(i+1) + "."
			f.form.Set(at+cmp.Or(p.shape.Key.Wire, "key"), k.String())
			f.value(p.elem, p.inner, at+cmp.Or(p.shape.Value.Wire, "value"), v.MapIndex(k))
		}
	default:
		text, err := p.format(v, s.Format)
		if err != nil && f.err == nil {
			f.err = err
		}
		f.form.Set(name, text)
	}
}

// JSON writes v as a JSON object whose members have the model's names: a
// request or an answer in the JSON dialect. What is absent in XML is absent; a
// list that is nil is absent from a request and empty in an answer.
func (p *Plan) JSON(v any) ([]byte, error) { return p.MarshalIn(JSON, v) }

// MarshalIn is JSON in one of the two dialects of JSON.
func (p *Plan) MarshalIn(d Dialect, v any) ([]byte, error) {
	r := reflect.Indirect(reflect.ValueOf(v))
	if !r.IsValid() {
		return []byte("{}"), nil
	}
	tree, err := p.tree(d, nil, r)
	if err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

// neverEmpty reports whether the zero of a type is no value: it is absent from
// an answer.
func neverEmpty(t awsmodel.Type) bool { return t == awsmodel.Timestamp || t == awsmodel.Blob }

func (p *Plan) tree(d Dialect, s *slot, v reflect.Value) (any, error) {
	switch p.shape.Type {
	case awsmodel.Structure:
		out := map[string]any{}
		for _, s := range p.slots {
			if s.plan == nil {
				continue
			}
			f := v.FieldByIndex(s.index)
			absent := f.Kind() == reflect.Pointer || f.Kind() == reflect.Map || p.use == Request && f.Kind() == reflect.Slice
			if absent && f.IsNil() || neverEmpty(s.plan.shape.Type) && f.IsZero() {
				continue
			}
			part, err := s.plan.tree(d, s, reflect.Indirect(f))
			if err != nil {
				return nil, err
			}
			out[s.names[d]] = part
		}
		return out, nil
	case awsmodel.List:
		out := make([]any, v.Len())
		for i := range out {
			part, err := p.elem.tree(d, p.inner, reflect.Indirect(v.Index(i)))
			if err != nil {
				return nil, err
			}
			out[i] = part
		}
		return out, nil
	case awsmodel.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			part, err := p.elem.tree(d, p.inner, reflect.Indirect(v.MapIndex(k)))
			if err != nil {
				return nil, err
			}
			out[k.String()] = part
		}
		return out, nil
	case awsmodel.Integer, awsmodel.Long, awsmodel.Boolean, awsmodel.Float, awsmodel.Double:
		return v.Interface(), nil
	case awsmodel.Timestamp:
		if d == AWSJSON && v.Type() == timeType {
			return epoch(v.Interface().(time.Time)), nil
		}
	}
	return p.format(v, "")
}

// epoch is a time as seconds since 1970, with a fraction where there is one.
func epoch(t time.Time) json.Number {
	ms := t.UnixMilli()
	if ms%1000 == 0 {
		return json.Number(strconv.FormatInt(ms/1000, 10))
	}
	return json.Number(strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64))
}
