package protocol

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"karri/shared/awsmodel"
)

// A Plan knows how a Go type holds a model shape, in every dialect.
type Plan struct {
	shape *awsmodel.Shape
	typ   reflect.Type // never a pointer
	slots []*slot      // of a structure: every member of the model
	by    [dialects]map[string]*slot
	elem  *Plan // of a list, and of a map's values
	inner *slot // of a list: its elements; of a map: its values
	text  bool  // the Go type reads and writes itself as text
	use   Use
}

// A slot is a member of a structure.
type slot struct {
	*awsmodel.Member
	names [dialects]string // in requests
	out   string           // in XML answers
	index []int            // of the Go field; nil: not honoured
	plan  *Plan            // nil: not honoured
	bound [dialects]string // around the elements of a list; "": none
}

// A Use says what a Go type is for; requests are held to one more rule.
type Use uint8

// The uses.
const (
	Request Use = iota
	Answer
)

type planKey struct {
	shape *awsmodel.Shape
	typ   reflect.Type
	use   Use
}

var (
	plansMu sync.Mutex
	plans   = map[planKey]*Plan{}
)

// For returns the Plan of a Go struct for a shape. It fails when the two do not
// match: a field that is no member, a type that cannot hold the member's, or,
// in a request, an optional number or truth value that is no pointer, because
// absent differs from zero. (An optional string may be a plain string where
// absent and empty mean the same.)
func For(shape *awsmodel.Shape, t reflect.Type, use Use) (*Plan, error) {
	plansMu.Lock()
	defer plansMu.Unlock()
	c := compiler{use: use, made: map[planKey]*Plan{}}
	p, err := c.plan(shape, t)
	if err != nil {
		return nil, err
	}
	for k, v := range c.made {
		plans[k] = v
	}
	return p, nil
}

type compiler struct {
	use  Use
	made map[planKey]*Plan
}

var (
	timeType = reflect.TypeFor[time.Time]()
	textIn   = reflect.TypeFor[encoding.TextUnmarshaler]()
	textOut  = reflect.TypeFor[encoding.TextMarshaler]()
)

func (c *compiler) plan(shape *awsmodel.Shape, t reflect.Type) (*Plan, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	k := planKey{shape, t, c.use}
	if p := cmp.Or(c.made[k], plans[k]); p != nil {
		return p, nil
	}
	p := &Plan{shape: shape, typ: t, use: c.use}
	c.made[k] = p
	if err := c.fill(p); err != nil {
		return nil, err
	}
	return p, nil
}

func (c *compiler) fill(p *Plan) (err error) {
	t := p.typ
	wrong := func() error { return fmt.Errorf("%v cannot hold a %s (%s)", t, p.shape.Type, p.shape.Name) }
	switch p.shape.Type {
	case awsmodel.Structure:
		if t.Kind() != reflect.Struct || t == timeType {
			return wrong()
		}
		return c.structure(p)
	case awsmodel.List:
		if t.Kind() != reflect.Slice || t.Elem().Kind() == reflect.Uint8 {
			return wrong()
		}
		p.inner = newSlot(p.shape.Element)
		p.elem, err = c.plan(p.shape.Element.Shape, t.Elem())
		return err
	case awsmodel.Map:
		if t.Kind() != reflect.Map || t.Key().Kind() != reflect.String {
			return wrong()
		}
		p.inner = newSlot(p.shape.Value)
		p.elem, err = c.plan(p.shape.Value.Shape, t.Elem())
		return err
	}
	if !scalarFits(p.shape.Type, t) {
		return wrong()
	}
	p.text = p.shape.Type == awsmodel.String && t.Kind() != reflect.String
	return nil
}

func scalarFits(s awsmodel.Type, t reflect.Type) bool {
	switch s {
	case awsmodel.String:
		return t.Kind() == reflect.String || reflect.PointerTo(t).Implements(textIn) && t.Implements(textOut) && t != timeType
	case awsmodel.Integer, awsmodel.Long:
		return t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64
	case awsmodel.Float, awsmodel.Double:
		return t.Kind() == reflect.Float64 || t.Kind() == reflect.Float32
	case awsmodel.Boolean:
		return t.Kind() == reflect.Bool
	case awsmodel.Blob:
		return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	case awsmodel.Timestamp:
		return t == timeType
	}
	return false
}

// structure fills the slots and checks that each exported field is a member.
func (c *compiler) structure(p *Plan) error {
	for d := range p.by {
		p.by[d] = map[string]*slot{}
	}
	fields := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(p.typ) {
		if f.IsExported() && !f.Anonymous {
			fields[f.Name] = f
		}
	}
	for _, m := range p.shape.Members {
		s := newSlot(m)
		p.slots = append(p.slots, s)
		for d, name := range s.names {
			p.by[d][name] = s
		}
		f, ok := fields[m.Name]
		if !ok {
			continue
		}
		delete(fields, m.Name)
		if c.use == Request && !m.Required && slices.Contains(absentIsNotZero, f.Type.Kind()) && !isText(f.Type) {
			return fmt.Errorf("%v.%s is optional: it must be a pointer", p.typ, f.Name)
		}
		var err error
		if s.plan, err = c.plan(m.Shape, f.Type); err != nil {
			return fmt.Errorf("%v.%s: %w", p.typ, f.Name, err)
		}
		s.index = f.Index
	}
	for name := range fields {
		return fmt.Errorf("%v has a field %s, which %s of the model has not", p.typ, name, p.shape.Name)
	}
	return nil
}

var absentIsNotZero = []reflect.Kind{
	reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64,
}

func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textIn) }

func newSlot(m *awsmodel.Member) *slot {
	s := &slot{Member: m, out: cmp.Or(m.Wire, m.Name)}
	s.names[JSON], s.names[AWSJSON] = m.Name, s.out
	s.names[EC2] = cmp.Or(m.Query, awsmodel.Raise(m.Wire), m.Name)
	s.names[Query] = s.out
	flat := m.Flattened || m.Shape.Flattened
	switch {
	case m.Shape.Type == awsmodel.List && flat:
		s.names[Query] = cmp.Or(m.Shape.Element.Wire, s.out)
		s.out = s.names[Query]
	case m.Shape.Type == awsmodel.List:
		s.bound[Query] = cmp.Or(m.Shape.Element.Wire, "member")
	case m.Shape.Type == awsmodel.Map && !flat:
		s.bound[Query], s.bound[EC2] = "entry", "entry"
	}
	return s
}

// Each calls f for each member that the Go type holds, with its Plan.
func (p *Plan) Each(f func(m *awsmodel.Member, part *Plan)) {
	for _, s := range p.slots {
		if s.plan != nil {
			f(s.Member, s.plan)
		}
	}
}

// Element returns the Plan of what a list or map holds, else nil.
func (p *Plan) Element() *Plan { return p.elem }

// Shape returns the model's side of the Plan.
func (p *Plan) Shape() *awsmodel.Shape { return p.shape }

// WireName returns what a request of the dialect calls a member, or "".
func (p *Plan) WireName(d Dialect, member string) string {
	for _, s := range p.slots {
		if s.Name == member {
			return s.names[d]
		}
	}
	return ""
}
