package action

import (
	"reflect"
	"strings"
)

// Tags are the tags that a request would give or take, by the type of resource
// ("instance"); those of the type "" are for every resource of the request.
type Tags map[string]map[string]string

// tagsOf finds them in an input: Tags, TagSpecifications and TagKeys, as every
// service of the vendor calls them.
func tagsOf(in reflect.Value) Tags {
	if in.Kind() != reflect.Struct {
		return nil
	}
	out := Tags{}
	out.add("", in.FieldByName("Tags"))
	if keys := in.FieldByName("TagKeys"); keys.IsValid() && keys.Kind() == reflect.Slice {
		for i := range keys.Len() {
			out.set("", text(keys.Index(i)), "")
		}
	}
	if specs := in.FieldByName("TagSpecifications"); specs.IsValid() && specs.Kind() == reflect.Slice {
		for i := range specs.Len() {
			if spec := reflect.Indirect(specs.Index(i)); spec.Kind() == reflect.Struct {
				out.add(text(spec.FieldByName("ResourceType")), spec.FieldByName("Tags"))
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (t Tags) add(kind string, tags reflect.Value) {
	if !tags.IsValid() || tags.Kind() != reflect.Slice {
		return
	}
	for i := range tags.Len() {
		if tag := reflect.Indirect(tags.Index(i)); tag.Kind() == reflect.Struct {
			t.set(kind, text(tag.FieldByName("Key")), text(tag.FieldByName("Value")))
		}
	}
}

func (t Tags) set(kind, key, value string) {
	if t[kind] == nil {
		t[kind] = map[string]string{}
	}
	t[kind][key] = value
}

// text returns a string or what a pointer to one points to.
func text(v reflect.Value) string {
	if v = reflect.Indirect(v); v.IsValid() && v.Kind() == reflect.String {
		return v.String()
	}
	return ""
}

// of returns the tags for a resource by its ARN.
func (t Tags) of(arn string) map[string]string {
	if all, ok := t[""]; ok {
		return all
	}
	return t[KindOf(arn)]
}

// KindOf returns the type that an ARN names: "instance" of
// arn:aws:ec2:us-east-1:111122223333:instance/i-1.
func KindOf(arn string) string {
	rest := arn
	for range 5 {
		_, after, ok := strings.Cut(rest, ":")
		if !ok {
			return ""
		}
		rest = after
	}
	kind, _, _ := strings.Cut(rest, "/")
	return kind
}
