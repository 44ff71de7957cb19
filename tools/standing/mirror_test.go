package standing

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"karri/shared/awsmodel"
	"karri/shared/protocol"
)

// mirror sets the SDK's value to what ours says, by the names of the members.
func mirror(to, from reflect.Value) error {
	if from.Kind() == reflect.Pointer {
		if from.IsNil() {
			return nil
		}
		from = from.Elem()
	}
	if text, ok := textOf(from); ok {
		from = reflect.ValueOf(text)
	}
	if to.Kind() == reflect.Pointer {
		to.Set(reflect.New(to.Type().Elem()))
		to = to.Elem()
	}
	if _, ok := to.Interface().(time.Time); ok {
		to.Set(from)
		return nil
	}
	switch to.Kind() {
	case reflect.Struct:
		for i := range from.NumField() {
			name := from.Type().Field(i).Name
			if !from.Type().Field(i).IsExported() {
				continue // no parameter
			}
			f := to.FieldByName(name)
			if !f.IsValid() {
				return fmt.Errorf("the SDK's %v has no %s", to.Type(), name)
			}
			if err := mirror(f, from.Field(i)); err != nil {
				return err
			}
		}
	case reflect.Slice:
		if from.IsNil() {
			return nil
		}
		if to.Type().Elem().Kind() == reflect.Uint8 {
			to.SetBytes(from.Bytes())
			return nil
		}
		to.Set(reflect.MakeSlice(to.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			if err := mirror(to.Index(i), from.Index(i)); err != nil {
				return err
			}
		}
	default:
		if from.Kind() == reflect.String && from.Len() == 0 && to.Kind() == reflect.String {
			return nil
		}
		to.Set(from.Convert(to.Type()))
	}
	return nil
}

func textOf(v reflect.Value) (string, bool) {
	if _, ok := v.Interface().(time.Time); ok {
		return "", false
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		b, err := m.MarshalText()
		return string(b), err == nil
	}
	return "", false
}

// fill sets every part of v to something that can be told apart.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, *n%60, 0, time.UTC)))
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{10, 0, 0, byte(*n)})))
		return
	case netip.Prefix:
		v.Set(reflect.ValueOf(netip.MustParsePrefix("10.0.0.0/8")))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(strconv.Itoa(*n)))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, key := range []string{"a", "b"} {
			e := reflect.New(v.Type().Elem()).Elem()
			fill(e, n)
			v.SetMapIndex(reflect.ValueOf(key), e)
		}
	case reflect.String:
		v.SetString("s<&>" + strconv.Itoa(*n))
	case reflect.Bool:
		v.SetBool(*n%2 == 0)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Float64, reflect.Float32:
		v.SetFloat(float64(*n) / 4)
	}
}

// differ says where the SDK read something else than we wrote, or "".
func differ(at string, ours, sdk reflect.Value) string {
	if ours.Kind() == reflect.Pointer {
		if ours.IsNil() {
			return ""
		}
		ours = ours.Elem()
	}
	if text, ok := textOf(ours); ok {
		ours = reflect.ValueOf(text)
	}
	if sdk.Kind() == reflect.Pointer {
		if sdk.IsNil() {
			return at + " is absent"
		}
		sdk = sdk.Elem()
	}
	if when, ok := ours.Interface().(time.Time); ok {
		if got, ok := sdk.Interface().(time.Time); !ok || !got.Equal(when) {
			return fmt.Sprintf("%s is %v, not %v", at, sdk, when)
		}
		return ""
	}
	switch ours.Kind() {
	case reflect.Struct:
		return differFields(at, ours, sdk)
	case reflect.Slice:
		if ours.Len() != sdk.Len() {
			return fmt.Sprintf("%s has %d elements, not %d", at, sdk.Len(), ours.Len())
		}
		for i := range ours.Len() {
			if d := differ(fmt.Sprintf("%s[%d]", at, i), ours.Index(i), sdk.Index(i)); d != "" {
				return d
			}
		}
		return ""
	}
	if got, want := fmt.Sprint(sdk.Interface()), fmt.Sprint(ours.Interface()); got != want {
		return fmt.Sprintf("%s is %s, not %s", at, got, want)
	}
	return ""
}

func differFields(at string, ours, sdk reflect.Value) string {
	for _, f := range reflect.VisibleFields(ours.Type()) {
		if !f.IsExported() || f.Anonymous {
			continue
		}
		g := sdk.FieldByName(f.Name)
		if !g.IsValid() {
			return fmt.Sprintf("the SDK's %v has no %s", sdk.Type(), f.Name)
		}
		if d := differ(at+"."+f.Name, ours.FieldByIndex(f.Index), g); d != "" {
			return d
		}
	}
	return ""
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// fillRequest sets every parameter to a value that the model allows.
func fillRequest(p *protocol.Plan, v reflect.Value, n *int) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	shape := p.Shape()
	switch shape.Type {
	case awsmodel.Structure:
		p.Each(func(m *awsmodel.Member, part *protocol.Plan) {
			fillRequest(part, v.FieldByName(m.Name), n)
		})
	case awsmodel.List:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillRequest(p.Element(), v.Index(0), n)
		fillRequest(p.Element(), v.Index(1), n)
	default:
		fill(v, n)
		switch {
		case len(shape.Enum) > 0:
			v.SetString(shape.Enum[*n%len(shape.Enum)])
		case shape.Type == awsmodel.String && v.Kind() == reflect.String:
			if shape.Min != nil {
				v.SetString(v.String() + strings.Repeat("x", max(0, int(*shape.Min)-v.Len())))
			}
			if shape.Max != nil {
				v.SetString(v.String()[max(0, v.Len()-int(*shape.Max)):])
			}
		case v.CanInt() && shape.Min != nil:
			v.SetInt(int64(*shape.Min))
		case v.CanInt():
			v.SetInt(int64(*n) + 5)
		}
	}
}
