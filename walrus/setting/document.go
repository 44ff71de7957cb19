package setting

import (
	"bytes"
	"encoding"
	"encoding/xml"
	"io"
	"reflect"
	"strconv"
	"strings"

	"karri/shared/fault"
)

// MalformedXML is what a document is refused with that is not of its form.
var MalformedXML = fault.New(fault.Invalid, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")

const (
	namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
	older     = "http://doc.s3.amazonaws.com/2006-03-01" // which S3 and its old clients use too
	instance  = "http://www.w3.org/2001/XMLSchema-instance"
	maxList   = 1000 // no list in S3's settings may be longer
	maxDepth  = 16
)

// A Document is a type that Parse can read: its validate answers what its form
// alone does not say.
type Document[T any] interface {
	*T
	validate() error
}

// Parse reads a document of S3.
func Parse[T any, P Document[T]](doc []byte) (*T, error) {
	v := new(T)
	if err := Decode(doc, v); err != nil {
		return nil, err
	}
	if err := P(v).validate(); err != nil {
		return nil, err
	}
	return v, nil
}

// Render returns the canonical form of a document.
func Render(v any) ([]byte, error) {
	b, err := xml.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), b...), nil
}

// Decode reads a document into a pointer to a struct whose fields have the tags
// of encoding/xml, as strictly as S3: elements that are not known, come twice or
// are missing are MalformedXML. A field must be there unless it is a pointer or
// omitempty; a list that is not omitempty needs one item. XMLName's tag, where
// there is one, is the name of the root.
func Decode(doc []byte, v any) error {
	d := decoder{xml.NewDecoder(bytes.NewReader(doc))}
	if err := d.document(reflect.ValueOf(v).Elem()); err != nil {
		if _, ok := err.(*fault.Fault); ok { //nolint:errorlint // made here, unwrapped
			return err
		}
		return MalformedXML.Because(err)
	}
	return nil
}

// A enumeration is a string that is one of a few; values lists them.
type enumeration interface{ values() string }

// unsupported stands for an element that S3 knows and that is refused here,
// whatever is in it.
type unsupported struct{}

type decoder struct{ *xml.Decoder }

func (d decoder) document(v reflect.Value) error {
	root, err := d.next()
	if err != nil {
		return err
	}
	start, ok := root.(xml.StartElement)
	if !ok {
		return MalformedXML
	}
	if f, has := v.Type().FieldByName("XMLName"); has {
		_, want, _ := strings.Cut(f.Tag.Get("xml"), " ")
		if start.Name.Local != want {
			return MalformedXML
		}
	}
	if err := d.element(start, v, 0); err != nil {
		return err
	}
	if _, err := d.next(); err != io.EOF {
		return MalformedXML
	}
	return nil
}

// next returns the next start or end of an element or text that is not space.
func (d decoder) next() (xml.Token, error) {
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, MalformedXML
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, MalformedXML
			}
		case xml.StartElement, xml.EndElement:
			return t, nil
		}
	}
}

// element reads what is in an element, and its end.
func (d decoder) element(e xml.StartElement, v reflect.Value, depth int) error {
	if e.Name.Space != "" && e.Name.Space != namespace && e.Name.Space != older || depth > maxDepth {
		return MalformedXML
	}
	for _, a := range e.Attr {
		if a.Name.Space != "xmlns" && a.Name.Space != instance && a.Name.Local != "xmlns" {
			return MalformedXML
		}
	}
	switch {
	case v.Type() == reflect.TypeFor[unsupported]():
		return d.Skip()
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.element(e, v.Elem(), depth)
	case v.Kind() == reflect.Slice:
		if v.Len() == maxList {
			return MalformedXML
		}
		v.Grow(1)
		v.SetLen(v.Len() + 1)
		return d.element(e, v.Index(v.Len()-1), depth)
	}
	if _, ok := v.Addr().Interface().(encoding.TextUnmarshaler); !ok && v.Kind() == reflect.Struct {
		return d.structure(v, depth)
	}
	return d.scalar(v)
}

func (d decoder) structure(v reflect.Value, depth int) error {
	seen := map[string]bool{}
	for {
		t, err := d.next()
		if err != nil {
			return err
		}
		e, ok := t.(xml.StartElement)
		if !ok {
			return missing(v.Type(), seen)
		}
		f, ok := field(v, e.Name.Local)
		if !ok || seen[e.Name.Local] && f.Kind() != reflect.Slice {
			return MalformedXML
		}
		seen[e.Name.Local] = true
		if err := d.element(e, f, depth+1); err != nil {
			return err
		}
	}
}

// tag returns the element that a field stands for, "" for none, and whether it
// may be missing.
func tag(f reflect.StructField) (name string, optional bool) {
	if f.Name == "XMLName" || f.Tag.Get("xml") == "-" || !f.IsExported() {
		return "", true
	}
	name, option, _ := strings.Cut(f.Tag.Get("xml"), ",")
	if name == "" {
		name = f.Name
	}
	return name, option == "omitempty" || f.Type.Kind() == reflect.Pointer
}

func field(v reflect.Value, element string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if name, _ := tag(v.Type().Field(i)); name == element && name != "" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func missing(t reflect.Type, seen map[string]bool) error {
	for i := range t.NumField() {
		if name, optional := tag(t.Field(i)); !optional && !seen[name] {
			return MalformedXML
		}
	}
	return nil
}

func (d decoder) scalar(v reflect.Value) error {
	var text strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			return assign(v, text.String())
		case xml.Comment:
		default:
			return MalformedXML
		}
	}
}

func assign(v reflect.Value, text string) error {
	bare := strings.TrimSpace(text)
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(bare))
	}
	switch v.Kind() {
	case reflect.String:
		if e, ok := v.Interface().(enumeration); ok {
			text = bare
			if !strings.Contains(" "+e.values()+" ", " "+text+" ") || text == "" {
				return MalformedXML
			}
		}
		v.SetString(text)
		return nil
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(bare, 10, v.Type().Bits())
		v.SetInt(n)
		return err
	case reflect.Bool:
		b, err := strconv.ParseBool(bare)
		v.SetBool(b)
		if strings.Trim(bare, "10") != "" && bare != "true" && bare != "false" && bare != "TRUE" && bare != "FALSE" && bare != "True" && bare != "False" {
			return MalformedXML
		}
		return err
	}
	return fault.New(fault.Broken, "InternalError", "A document cannot hold a %s.", v.Type())
}
