package protocol

import (
	"reflect"
	"strings"
	"time"

	"karri/shared/awsmodel"
)

var scalarTypes = map[awsmodel.Type]reflect.Type{
	awsmodel.String:    reflect.TypeFor[*string](),
	awsmodel.Integer:   reflect.TypeFor[*int32](),
	awsmodel.Long:      reflect.TypeFor[*int64](),
	awsmodel.Float:     reflect.TypeFor[*float32](),
	awsmodel.Double:    reflect.TypeFor[*float64](),
	awsmodel.Boolean:   reflect.TypeFor[*bool](),
	awsmodel.Blob:      reflect.TypeFor[[]byte](),
	awsmodel.Timestamp: reflect.TypeFor[*time.Time](),
}

// GoType returns a struct type that holds all of a structure, for those who
// treat every shape alike. A shape within itself is left out at the third depth.
func GoType(shape *awsmodel.Shape) reflect.Type {
	return goType(shape, map[*awsmodel.Shape]int{})
}

func goType(shape *awsmodel.Shape, within map[*awsmodel.Shape]int) reflect.Type {
	switch shape.Type {
	case awsmodel.List:
		if e := goType(shape.Element.Shape, within); e != nil {
			return reflect.SliceOf(e)
		}
		return nil
	case awsmodel.Map:
		if e := goType(shape.Value.Shape, within); e != nil {
			return reflect.MapOf(reflect.TypeFor[string](), e)
		}
		return nil
	case awsmodel.Structure:
	default:
		return scalarTypes[shape.Type]
	}
	if within[shape] > 4 {
		return nil
	}
	within[shape]++
	defer func() { within[shape]-- }()
	var fields []reflect.StructField
	for _, m := range shape.Members {
		t := goType(m.Shape, within)
		if t == nil {
			continue
		}
		if t.Kind() == reflect.Struct {
			t = reflect.PointerTo(t)
		}
		fields = append(fields, reflect.StructField{Name: m.Name, Type: t})
	}
	return reflect.StructOf(fields)
}

// ShapeOf returns the shape of a Go struct, for actions that are Karri's own. A
// field that is no pointer, list or map is required; the tag enum:"a b" lists
// the values that a string may have.
func ShapeOf(t reflect.Type) *awsmodel.Shape {
	return shapeOf(t, "", map[reflect.Type]*awsmodel.Shape{})
}

func shapeOf(t reflect.Type, enum string, done map[reflect.Type]*awsmodel.Shape) *awsmodel.Shape {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if s := done[t]; s != nil {
		return s
	}
	s := &awsmodel.Shape{Name: t.Name(), Type: kindOf(t), Enum: strings.Fields(enum)}
	switch s.Type {
	case awsmodel.List:
		s.Element = &awsmodel.Member{Shape: shapeOf(t.Elem(), enum, done)}
		s.Enum = nil
	case awsmodel.Map:
		s.Key, s.Value = &awsmodel.Member{Shape: shapeOf(t.Key(), "", done)}, &awsmodel.Member{Shape: shapeOf(t.Elem(), "", done)}
	case awsmodel.Structure:
		done[t] = s
		for _, f := range reflect.VisibleFields(t) {
			if !f.IsExported() || f.Anonymous {
				continue
			}
			k := f.Type.Kind()
			s.Members = append(s.Members, &awsmodel.Member{
				Name: f.Name, Shape: shapeOf(f.Type, f.Tag.Get("enum"), done),
				Required: k != reflect.Pointer && k != reflect.Slice && k != reflect.Map,
			})
		}
		s.Index()
	}
	return s
}

func kindOf(t reflect.Type) awsmodel.Type {
	switch {
	case t == timeType:
		return awsmodel.Timestamp
	case t.Implements(textOut):
		return awsmodel.String
	}
	switch t.Kind() {
	case reflect.Struct:
		return awsmodel.Structure
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return awsmodel.Blob
		}
		return awsmodel.List
	case reflect.Map:
		return awsmodel.Map
	case reflect.Bool:
		return awsmodel.Boolean
	case reflect.Float32, reflect.Float64:
		return awsmodel.Double
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16, reflect.Int8:
		return awsmodel.Long
	}
	return awsmodel.String
}
