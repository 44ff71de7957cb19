package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// field is one setting: a pflag.Value over a field of the caller's struct.
type field struct {
	name, help string
	required   bool
	v          reflect.Value
	touched    bool // a list that was set replaces its default
}

// addFields makes a flag of each tagged field of struct v and sets its default.
func addFields(fs *pflag.FlagSet, v reflect.Value) (map[string]*field, error) {
	known := map[string]*field{}
	for i := range v.NumField() {
		sf := v.Type().Field(i)
		if sf.Anonymous && sf.Type.Kind() == reflect.Struct {
			inner, err := addFields(fs, v.Field(i))
			if err != nil {
				return nil, err
			}
			for n, f := range inner {
				known[n] = f
			}
			continue
		}
		name, ok := sf.Tag.Lookup("flag")
		if !ok {
			continue
		}
		f := &field{name: name, help: sf.Tag.Get("help"), required: sf.Tag.Get("required") == "true", v: v.Field(i)}
		if d := sf.Tag.Get("default"); d != "" {
			if err := f.Set(d); err != nil {
				return nil, fmt.Errorf("default of --%s: %w", name, err)
			}
			f.touched = false
		}
		known[name] = f
		flag := fs.VarPF(f, name, sf.Tag.Get("short"), f.help)
		if sf.Type.Kind() == reflect.Bool {
			flag.NoOptDefVal = "true"
		}
	}
	return known, nil
}

func (f *field) zero() bool { return f.v.IsZero() }

// Type implements pflag.Value: the word for the value in --help.
func (f *field) Type() string {
	switch f.v.Interface().(type) {
	case time.Duration:
		return "duration"
	case []string:
		return "list"
	case string, encoding.TextUnmarshaler:
		return "string"
	}
	if _, ok := f.v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return strings.ToLower(f.v.Type().Name())
	}
	return f.v.Kind().String()
}

// String implements pflag.Value.
func (f *field) String() string {
	if !f.v.IsValid() || f.v.IsZero() {
		return ""
	}
	if l, ok := f.v.Interface().([]string); ok {
		return strings.Join(l, ",")
	}
	return fmt.Sprint(f.v.Interface())
}

// Set implements pflag.Value. A list is given with commas, or by repeating.
func (f *field) Set(s string) error {
	if u, ok := f.v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(s))
	}
	if _, ok := f.v.Interface().(time.Duration); ok {
		d, err := time.ParseDuration(s)
		f.v.SetInt(int64(d))
		return err
	}
	switch f.v.Kind() {
	case reflect.String:
		f.v.SetString(s)
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		f.v.SetBool(b)
		return err
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(s, 10, f.v.Type().Bits())
		f.v.SetInt(n)
		return err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(s, 10, f.v.Type().Bits())
		f.v.SetUint(n)
		return err
	case reflect.Float64:
		n, err := strconv.ParseFloat(s, 64)
		f.v.SetFloat(n)
		return err
	case reflect.Slice:
		return f.setList(strings.Split(s, ","))
	default:
		return fmt.Errorf("a setting cannot be a %s", f.v.Type())
	}
	return nil
}

// setList replaces the default by the first list given, and adds later ones.
func (f *field) setList(l []string) error {
	if f.v.Type().Elem().Kind() != reflect.String {
		return fmt.Errorf("a setting cannot be a %s", f.v.Type())
	}
	if !f.touched {
		f.v.SetZero()
	}
	f.touched = true
	for _, s := range l {
		if s = strings.TrimSpace(s); s != "" {
			f.v.Set(reflect.Append(f.v, reflect.ValueOf(s).Convert(f.v.Type().Elem())))
		}
	}
	return nil
}
