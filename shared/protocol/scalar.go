package protocol

import (
	"encoding"
	"encoding/base64"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"karri/shared/awsmodel"
)

// scalar sets v from text.
func (p *Plan) scalar(s string, at *where, v reflect.Value) error {
	switch p.shape.Type {
	case awsmodel.String:
		return p.str(s, at, v)
	case awsmodel.Integer, awsmodel.Long:
		n, err := strconv.ParseInt(s, 10, min(v.Type().Bits(), p.bits()))
		if err != nil {
			return invalid(at, s, "It is not an integer of this size.")
		}
		v.SetInt(n)
		return p.inRange(float64(n), s, at)
	case awsmodel.Float, awsmodel.Double:
		f, err := strconv.ParseFloat(s, v.Type().Bits())
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return invalid(at, s, "It is not a number.")
		}
		v.SetFloat(f)
		return p.inRange(f, s, at)
	case awsmodel.Boolean:
		if !isFalse(s) && !strings.EqualFold(s, "true") {
			return invalid(at, s, "It is neither true nor false.")
		}
		v.SetBool(!isFalse(s))
	case awsmodel.Blob:
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return invalid(at, s, "It is not base64.")
		}
		v.SetBytes(b)
	case awsmodel.Timestamp:
		t, ok := parseTime(s)
		if !ok {
			return invalid(at, s, "It is not a time such as 2026-01-02T15:04:05Z.")
		}
		v.Set(reflect.ValueOf(t))
	}
	return nil
}

func (p *Plan) bits() int {
	if p.shape.Type == awsmodel.Integer {
		return 32
	}
	return 64
}

func (p *Plan) str(s string, at *where, v reflect.Value) error {
	if !printable(s) {
		return invalid(at, strconv.QuoteToASCII(s), "It holds characters that XML cannot carry.")
	}
	if len(p.shape.Enum) > 0 && s != "" && !slices.Contains(p.shape.Enum, s) {
		return invalid(at, s, "Valid values are: "+some(p.shape.Enum)+".")
	}
	if p.shape.Min != nil && s != "" && float64(utf8.RuneCountInString(s)) < *p.shape.Min {
		return invalid(at, s, "It is shorter than "+number(*p.shape.Min)+" characters.")
	}
	if p.shape.Max != nil && float64(utf8.RuneCountInString(s)) > *p.shape.Max {
		return invalid(at, s, "It is longer than "+number(*p.shape.Max)+" characters.")
	}
	if p.text {
		if s == "" {
			return nil
		}
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
			return invalid(at, s, "It does not have the right form.")
		}
		return nil
	}
	v.SetString(s)
	return nil
}

func (p *Plan) inRange(f float64, s string, at *where) error {
	if least := p.shape.Min; least != nil && f < *least {
		return invalid(at, s, "Expecting a value greater than or equal to "+number(*least)+".")
	}
	if most := p.shape.Max; most != nil && f > *most {
		return invalid(at, s, "Expecting a value less than or equal to "+number(*most)+".")
	}
	return nil
}

func isFalse(s string) bool { return strings.EqualFold(s, "false") }

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// some shows an enumeration, if it is not too long.
func some(values []string) string {
	if len(values) > 20 {
		return strings.Join(values[:20], ", ") + ", ..."
	}
	return strings.Join(values, ", ")
}

// printable reports whether s is UTF-8 that an XML answer can hold.
func printable(s string) bool {
	for i, r := range s {
		switch {
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return false
			}
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0xFFFE, r == 0xFFFF:
			return false
		}
	}
	return true
}

// parseTime reads the forms that clients send: ISO 8601 with and without
// seconds' fractions and zone, HTTP's, and seconds since 1970.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02", time.RFC1123} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 0 && t.Year() < 10000 {
			return t.UTC(), true
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(f) < 1e11 {
		return time.UnixMilli(int64(math.Round(f * 1000))).UTC(), true
	}
	return time.Time{}, false
}
