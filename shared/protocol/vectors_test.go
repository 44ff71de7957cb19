package protocol

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/shared/awsmodel"
)

// A suite is a group of the public protocol test vectors.
type suite struct {
	Description string
	Metadata    awsmodel.FileMetadata
	Shapes      map[string]awsmodel.FileShape
	Cases       []struct {
		Given struct {
			Name   string
			Input  *awsmodel.FileRef
			Output *awsmodel.FileRef
		}
		Params     any
		Serialized struct{ Body string }
		Result     any
		Response   struct{ Body string }
	}
}

func eachVector(t *testing.T, name string, check func(t *testing.T, s suite, i int, op *awsmodel.Operation)) {
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var suites []suite
	if err := json.Unmarshal(b, &suites); err != nil {
		t.Fatal(err)
	}
	for _, s := range suites {
		for i, c := range s.Cases {
			t.Run(fmt.Sprintf("%s/%d", s.Description, i), func(t *testing.T) {
				f := awsmodel.File{Metadata: s.Metadata, Shapes: s.Shapes, Operations: map[string]awsmodel.FileOperation{
					"Op": {Input: c.Given.Input, Output: c.Given.Output},
				}}
				svc, err := f.Resolve()
				if err != nil {
					t.Fatal(err)
				}
				check(t, s, i, svc.Operations["Op"])
			})
		}
	}
}

func TestRequestVectors(t *testing.T) {
	for name, d := range map[string]Dialect{"input-ec2": EC2, "input-query": Query} {
		eachVector(t, name, func(t *testing.T, s suite, i int, op *awsmodel.Operation) {
			c := s.Cases[i]
			form, err := url.ParseQuery(c.Serialized.Body)
			if err != nil {
				t.Fatal(err)
			}
			n, err := ParseForm(form, func(name string) bool { return name == "Action" || name == "Version" })
			if err != nil {
				t.Fatal(err)
			}
			typ := GoType(op.Input)
			p, err := For(op.Input, typ, Request)
			if err != nil {
				t.Fatal(err)
			}
			v := reflect.New(typ)
			dec := Decoder{Dialect: d}
			if err := dec.Decode(p, n, v.Interface()); err != nil {
				t.Fatal(err)
			}
			got := plain(v.Elem())
			if strings.HasPrefix(s.Description, "Idempotency token") {
				return // the client makes one up: nothing to compare
			}
			if want := c.Params; !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			back, err := p.Form(d, v.Interface())
			if err != nil {
				t.Fatal(err)
			}
			form.Del("Action")
			form.Del("Version")
			exact := !strings.HasPrefix(s.Description, "Timestamp") && !strings.Contains(c.Serialized.Body, "Map.entry") // maps have no order
			if exact && !reflect.DeepEqual(back, form) {
				t.Errorf("written as %v, want %v", back, form)
			}
		})
	}
}

func TestAnswerVectors(t *testing.T) {
	for _, name := range []string{"output-ec2", "output-query"} {
		eachVector(t, name, func(t *testing.T, s suite, i int, op *awsmodel.Operation) {
			c := s.Cases[i]
			typ := GoType(op.Output)
			v := reflect.New(typ)
			fillFrom(t, v.Elem(), c.Result)
			p, err := For(op.Output, typ, Answer)
			if err != nil {
				t.Fatal(err)
			}
			b, err := p.AppendXML(nil, v.Interface())
			if err != nil {
				t.Fatal(err)
			}
			got, want := elements(t, "<R>"+string(b)+"</R>"), elements(t, c.Response.Body)
			if wrapped := want["OperationNameResult"]; wrapped != nil {
				want = wrapped[0].(map[string][]any)
			}
			for k := range got {
				if isEmpty(got[k]) && want[k] == nil {
					delete(got, k) // we write empty lists where others write nothing
				}
			}
			delete(want, "RequestId")
			delete(want, "ResponseMetadata")
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func isEmpty(e []any) bool { return len(e) == 1 && e[0] == "" }

// plain turns what was decoded into the form of the vectors, without what is absent.
func plain(v reflect.Value) any {
	if t, ok := v.Interface().(time.Time); ok {
		return float64(t.Unix())
	}
	switch v.Kind() {
	case reflect.Pointer:
		return plain(v.Elem())
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			if f := v.Field(i); !f.IsZero() {
				out[v.Type().Field(i).Name] = plain(f)
			}
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = plain(v.MapIndex(k))
		}
		return out
	case reflect.Slice:
		if b, ok := v.Interface().([]byte); ok {
			return string(b)
		}
		out := []any{}
		for i := range v.Len() {
			out = append(out, plain(v.Index(i)))
		}
		return out
	case reflect.Int32, reflect.Int64:
		return float64(v.Int())
	case reflect.Float32:
		var f float64
		fmt.Sscan(fmt.Sprint(v.Interface()), &f)
		return f
	}
	return v.Interface()
}

// fillFrom sets v from the form of the vectors.
func fillFrom(t *testing.T, v reflect.Value, from any) {
	t.Helper()
	if _, ok := v.Interface().(time.Time); ok {
		v.Set(reflect.ValueOf(time.Unix(int64(from.(float64)), 0)))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillFrom(t, v.Elem(), from)
	case reflect.Struct:
		for name, part := range from.(map[string]any) {
			fillFrom(t, v.FieldByName(awsmodel.Raise(name)), part)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for k, part := range from.(map[string]any) {
			e := reflect.New(v.Type().Elem()).Elem()
			fillFrom(t, e, part)
			v.SetMapIndex(reflect.ValueOf(k), e)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(from.(string)))
			return
		}
		list := from.([]any)
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		for i := range list {
			fillFrom(t, v.Index(i), list[i])
		}
	default:
		v.Set(reflect.ValueOf(from).Convert(v.Type()))
	}
}

// elements reads XML as names with what is in them, sorted by their text; times
// lose their milliseconds.
func elements(t *testing.T, doc string) map[string][]any {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(doc))
	var read func() any
	read = func() any {
		out, text := map[string][]any{}, ""
		for {
			tok, err := d.Token()
			if err != nil {
				t.Fatal(doc, err)
			}
			switch tok := tok.(type) {
			case xml.StartElement:
				out[tok.Name.Local] = append(out[tok.Name.Local], read())
			case xml.CharData:
				text += string(tok)
			case xml.EndElement:
				for _, list := range out { // maps have no order
					slices.SortStableFunc(list, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
				}
				if len(out) > 0 {
					return out
				}
				return strings.Replace(text, ".000Z", "Z", 1)
			}
		}
	}
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	m, _ := read().(map[string][]any)
	return m
}
