package action

import (
	"context"
	"reflect"
	"runtime"

	"karri/shared/awsmodel"
	"karri/shared/fault"
	"karri/shared/protocol"
)

// Empty adds a read of a feature that Karri has not: it answers the model's
// lists, all empty, which is the truth and what tools need to go on. Every
// parameter of the model is taken, since no narrowing changes an empty answer;
// but a request that names, in one of the parameters of missing, a thing that
// cannot exist gets the code given there.
func Empty[W any](c *Catalog[W], name, doc string, missing map[string]string) *Action {
	_, file, _, _ := runtime.Caller(1)
	op := c.Model.Operations[name]
	if op == nil || op.Output == nil {
		panic("action " + name + ": the model has no such read")
	}
	var lists []reflect.StructField
	for _, m := range op.Output.Members {
		if m.Shape.Type == awsmodel.List {
			lists = append(lists, reflect.StructField{Name: m.Name, Type: emptyList(m.Shape.Element.Shape)})
		}
	}
	for param := range missing {
		if op.Input.Member(param) == nil {
			panic("action " + name + ": the model has no parameter " + param)
		}
	}
	in, out := protocol.GoType(op.Input), reflect.StructOf(lists)
	a := &Action{
		Name: name, Doc: doc, Example: exampleOf(op.Input, in), In: in, Out: out,
		List: &List{anyFilter: true}, File: file, Empty: true,
	}
	a.on = func(_ context.Context, _ any, who Caller, in any) ([]Resource, error) {
		for param, code := range missing {
			v := reflect.ValueOf(in).Elem().FieldByName(param)
			if v.Kind() == reflect.Slice && v.Len() > 0 {
				v = v.Index(0)
			}
			if v = reflect.Indirect(v); v.Kind() == reflect.String {
				return nil, fault.New(fault.Missing, code, "%s does not exist.", v)
			}
		}
		return []Resource{{ARN: "*", Owner: who.Account}}, nil
	}
	a.run = func(context.Context, any, Caller, any) (any, error) { return reflect.New(out).Interface(), nil }
	c.add(a)
	return a
}

// emptyList returns a slice type that will never hold anything.
func emptyList(element *awsmodel.Shape) reflect.Type {
	if element.Type == awsmodel.Structure {
		return reflect.TypeFor[[]struct{}]()
	}
	return reflect.SliceOf(protocol.GoType(element))
}

// exampleOf returns a request with what is required and nothing else.
func exampleOf(shape *awsmodel.Shape, in reflect.Type) any {
	v := reflect.New(in).Elem()
	for _, m := range shape.Members {
		f := v.FieldByName(m.Name)
		if !m.Required || f.Kind() != reflect.Pointer {
			continue
		}
		f.Set(reflect.New(f.Type().Elem()))
		switch f = f.Elem(); f.Kind() {
		case reflect.String:
			f.SetString("example")
		case reflect.Int32, reflect.Int64:
			f.SetInt(10)
		}
	}
	return v.Interface()
}
