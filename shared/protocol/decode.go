package protocol

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"

	"karri/shared/awsmodel"
)

// A Decoder fills structs from requests of one dialect.
type Decoder struct {
	Dialect Dialect
	// Lenient ignores parameters that the model does not know, as the query
	// services other than EC2 do.
	Lenient bool
	// Harmless reports whether a value of a member that the struct does not
	// honour asks for nothing: its documented default. "" and false always do.
	Harmless func(shape, member, value string) bool
}

// Decode fills dst, a pointer to the Plan's struct, from the parts of n.
func (d *Decoder) Decode(p *Plan, n *Node, dst any) error {
	return d.structure(p, n, nil, reflect.ValueOf(dst).Elem())
}

func (d *Decoder) value(p *Plan, s *slot, n *Node, at *where, v reflect.Value) error {
	if v.Kind() == reflect.Pointer {
		fresh := reflect.New(v.Type().Elem())
		v.Set(fresh)
		v = fresh.Elem()
	}
	switch p.shape.Type {
	case awsmodel.Structure:
		if err := noValue(n, at); err != nil {
			return err
		}
		return d.structure(p, n, at, v)
	case awsmodel.List:
		return d.list(p, s, n, at, v)
	case awsmodel.Map:
		return d.maps(p, s, n, at, v)
	}
	if len(n.Parts) > 0 {
		if d.Dialect.IsJSON() {
			return invalid(at, "...", "It is one value.")
		}
		return unknown(&where{at, n.Parts[0].Name})
	}
	return p.scalar(n.Value, at, v)
}

// noValue refuses a value where only parts can be; an empty one is how some
// clients write an empty list.
func noValue(n *Node, at *where) error {
	if n.Value != "" {
		return invalid(at, n.Value, "It has parts and no value of its own.")
	}
	return nil
}

func (d *Decoder) structure(p *Plan, n *Node, at *where, v reflect.Value) error {
	if n.list {
		return invalid(at, "[...]", "It is not a list.")
	}
	var given [64]*slot
	seen := given[:0]
	for _, part := range n.Parts {
		s, here := p.by[d.Dialect][part.Name], &where{at, part.Name}
		switch {
		case s == nil && d.Lenient:
		case s == nil:
			return unknown(here)
		case s.plan == nil:
			if err := d.off(p.shape, s.Member, part, here); err != nil {
				return err
			}
		default:
			if s.Required && part.Value == "" && len(part.Parts) == 0 && !s.mayBeEmpty() {
				return missing(here)
			}
			if err := d.value(s.plan, s, part, here, v.FieldByIndex(s.index)); err != nil {
				return err
			}
			seen = append(seen, s)
		}
	}
	for _, s := range p.slots {
		if s.Required && s.plan != nil && !slices.Contains(seen, s) {
			return missing(&where{at, s.names[d.Dialect]})
		}
	}
	return nil
}

// mayBeEmpty reports whether the model says that no text at all is a value.
func (s *slot) mayBeEmpty() bool {
	return s.Shape.Type == awsmodel.String && s.Shape.Min != nil && *s.Shape.Min == 0
}

// items returns the elements of a list in the order of their numbers.
func (d *Decoder) items(s *slot, n *Node, at *where) ([]*Node, error) {
	if err := noValue(n, at); err != nil {
		return nil, err
	}
	if d.Dialect.IsJSON() && !n.list {
		return nil, invalid(at, "{...}", "It is a list.")
	}
	parts := n.Parts
	if s != nil && s.bound[d.Dialect] != "" {
		inner := n.Part(s.bound[d.Dialect])
		if inner == nil && len(parts) > 0 || len(parts) > 1 {
			return nil, unknown(&where{at, parts[0].Name})
		}
		if inner != nil {
			parts = inner.Parts
		}
	}
	if len(parts) > maxItems {
		return nil, invalid(at, strconv.Itoa(len(parts))+" elements", "A list has at most 1000.")
	}
	type item struct {
		n  int
		at *Node
	}
	list := make([]item, len(parts))
	for i, part := range parts {
		k, err := strconv.ParseUint(part.Name, 10, 31)
		if err != nil {
			return nil, unknown(&where{at, part.Name})
		}
		list[i] = item{int(k), part}
	}
	slices.SortFunc(list, func(a, b item) int { return cmp.Compare(a.n, b.n) })
	out := make([]*Node, len(list))
	for i := range list {
		if i > 0 && list[i].n == list[i-1].n {
			return nil, unknown(&where{at, list[i].at.Name})
		}
		out[i] = list[i].at
	}
	return out, nil
}

func (d *Decoder) list(p *Plan, s *slot, n *Node, at *where, v reflect.Value) error {
	items, err := d.items(s, n, at)
	if err != nil {
		return err
	}
	if p.shape.Max != nil && float64(len(items)) > *p.shape.Max {
		return invalid(at, strconv.Itoa(len(items))+" elements", "A list has at most "+number(*p.shape.Max)+".")
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		if err := d.value(p.elem, p.inner, item, &where{at, item.Name}, out.Index(i)); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

func (d *Decoder) maps(p *Plan, s *slot, n *Node, at *where, v reflect.Value) error {
	out := reflect.MakeMap(v.Type())
	put := func(key string, part *Node) error {
		e := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(p.elem, p.inner, part, &where{at, key}, e); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), e)
		return nil
	}
	v.Set(out)
	if d.Dialect.IsJSON() {
		for _, part := range n.Parts {
			if err := put(part.Name, part); err != nil {
				return err
			}
		}
		return noValue(n, at)
	}
	items, err := d.items(s, n, at)
	if err != nil {
		return err
	}
	for _, item := range items {
		key, value := item.Part(cmp.Or(p.shape.Key.Wire, "key")), item.Part(cmp.Or(p.shape.Value.Wire, "value"))
		if key == nil || value == nil {
			return missing(&where{&where{at, item.Name}, "key"})
		}
		if err := put(key.Value, value); err != nil {
			return err
		}
	}
	return nil
}

// off refuses a member that is known but not honoured, unless what it says asks
// for nothing.
func (d *Decoder) off(parent *awsmodel.Shape, m *awsmodel.Member, n *Node, at *where) error {
	if m.Shape.Type == awsmodel.Structure {
		for _, part := range n.Parts {
			here := &where{at, part.Name}
			i := slices.IndexFunc(m.Shape.Members, func(m *awsmodel.Member) bool { return newSlot(m).names[d.Dialect] == part.Name })
			if i < 0 {
				return unknown(here)
			}
			if err := d.off(m.Shape, m.Shape.Members[i], part, here); err != nil {
				return err
			}
		}
		return noValue(n, at)
	}
	if len(n.Parts) == 0 && (n.Value == "" || m.Shape.Type == awsmodel.Boolean && isFalse(n.Value)) {
		return nil
	}
	if d.Harmless != nil && d.Harmless(parent.Name, m.Name, n.Value) {
		return nil
	}
	return unsupported(at)
}
