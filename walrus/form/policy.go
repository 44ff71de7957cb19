package form

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"karri/shared/fault"
)

// A Policy is what the signer of a form lets be uploaded with it.
type Policy struct {
	expires    time.Time
	conditions []condition
	least      int64 // of the file
	most       int64
	sized      bool
}

type condition struct {
	field  string // in lower case
	value  string
	prefix bool // else the whole
}

const (
	maxPolicy     = 16 << 10
	maxConditions = 256
)

func invalidPolicy(format string, args ...any) *fault.Fault {
	return fault.New(fault.Invalid, "InvalidPolicyDocument", "Invalid Policy: "+format, args...)
}

func against(format string, args ...any) error {
	return fault.New(fault.Denied, "AccessDenied", "Invalid according to Policy: "+format, args...)
}

// ParsePolicy reads a policy in the form that it has in a form: base64.
func ParsePolicy(field string) (*Policy, error) {
	doc, err := base64.StdEncoding.DecodeString(field)
	if err != nil || len(doc) > maxPolicy || !utf8.Valid(doc) {
		return nil, invalidPolicy("it cannot be decoded, or is too long.")
	}
	top, err := object(doc)
	if err != nil {
		return nil, err
	}
	p := &Policy{}
	for name, value := range top {
		switch name {
		case "expiration":
			err = p.readExpiration(value)
		case "conditions":
			err = p.readConditions(value)
		default:
			err = invalidPolicy("Unexpected: '%s'.", name)
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case p.expires.IsZero():
		return nil, invalidPolicy("Policy missing expiration.")
	case top["conditions"] == nil:
		return nil, invalidPolicy("Policy missing conditions.")
	}
	return p, nil
}

// object reads a JSON object. One with a name twice is refused, since two
// readers might take two meanings from it.
func object(doc []byte) (map[string]json.RawMessage, error) {
	bad := invalidPolicy("Invalid JSON.")
	d := json.NewDecoder(bytes.NewReader(doc))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, bad
	}
	fields := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		var value json.RawMessage
		if err != nil || !ok || fields[name] != nil || d.Decode(&value) != nil {
			return nil, bad
		}
		fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, bad
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, bad
	}
	return fields, nil
}

func (p *Policy) readExpiration(value []byte) error {
	var s *string
	if json.Unmarshal(value, &s) != nil || s == nil {
		return invalidPolicy("Invalid 'expiration' value.")
	}
	at, err := time.Parse(time.RFC3339, *s)
	if err != nil || at.Year() < 1 {
		return invalidPolicy("Invalid 'expiration' value: '%s'", *s)
	}
	p.expires = at.UTC()
	return nil
}

func (p *Policy) readConditions(value []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(value, &list); err != nil || list == nil {
		return invalidPolicy("Invalid conditions: they must be a list.")
	}
	if len(list) > maxConditions {
		return invalidPolicy("Invalid conditions: there are more than %d.", maxConditions)
	}
	for _, c := range list {
		var err error
		if bytes.HasPrefix(c, []byte("{")) {
			err = p.readEqualities(c)
		} else {
			err = p.readTriple(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readEqualities reads {"field": "value"}.
func (p *Policy) readEqualities(doc []byte) error {
	fields, err := object(doc)
	if err != nil {
		return err
	}
	if len(fields) != 1 {
		return invalidPolicy("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
	}
	for name, raw := range fields {
		var value *string
		if json.Unmarshal(raw, &value) != nil || value == nil || name == "" {
			return invalidPolicy("Invalid Simple-Condition: value must be a string.")
		}
		p.conditions = append(p.conditions, condition{strings.ToLower(name), *value, false})
	}
	return nil
}

// readTriple reads ["eq", "$field", "value"] and its like.
func (p *Policy) readTriple(doc []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(doc, &list) != nil || len(list) != 3 {
		return invalidPolicy("Invalid Condition: it must have three parts, an operator, a field and a value.")
	}
	var operator, name, value *string
	if json.Unmarshal(list[0], &operator) != nil || operator == nil {
		return invalidPolicy("Invalid Condition: operation id is invalid.")
	}
	op := strings.ToLower(*operator)
	if op == "content-length-range" {
		return p.readSizes(list[1], list[2])
	}
	if op != "eq" && op != "starts-with" {
		return invalidPolicy("Unknown Operation '%s' in condition.", *operator)
	}
	if json.Unmarshal(list[1], &name) != nil || json.Unmarshal(list[2], &value) != nil || name == nil || value == nil {
		return invalidPolicy("Invalid Condition: field and value must be strings.")
	}
	field, ok := strings.CutPrefix(*name, "$")
	if !ok || field == "" {
		return invalidPolicy("Invalid Condition: '%s' must be a field's name after a '$'.", *name)
	}
	p.conditions = append(p.conditions, condition{strings.ToLower(field), *value, op == "starts-with"})
	return nil
}

// readSizes reads what the size of the file may be. Of several ranges all count.
func (p *Policy) readSizes(least, most []byte) error {
	a, aOK := size(least)
	b, bOK := size(most)
	if !aOK || !bOK || a > b {
		return invalidPolicy("Invalid content-length-range: its ends must be whole numbers in order.")
	}
	if p.sized {
		a, b = max(a, p.least), min(b, p.most)
	}
	p.least, p.most, p.sized = a, b, true
	return nil
}

// size reads a number, which may stand in quotes.
func size(raw []byte) (int64, bool) {
	text := string(raw)
	if s := (*string)(nil); json.Unmarshal(raw, &s) == nil && s != nil {
		text = *s
	}
	n, err := strconv.ParseUint(text, 10, 63)
	return int64(n), err == nil
}

// told is how a refusal shows a condition.
func (c condition) told() string {
	op := "eq"
	if c.prefix {
		op = "starts-with"
	}
	return fmt.Sprintf(`["%s", "$%s", "%s"]`, op, c.field, c.value)
}

// Sizes returns how large the file may be; ok is false when the policy does not say.
func (p *Policy) Sizes() (least, most int64, ok bool) { return p.least, p.most, p.sized }

// free are the fields that no condition need speak of: they are what is
// checked, or carry it.
var free = map[string]bool{"policy": true, "signature": true, "x-amz-signature": true, "awsaccesskeyid": true, "file": true}

// Check holds fields, whose names are in lower case and whose values are final,
// against the policy. Every field must be spoken of, "bucket" too.
func (p *Policy) Check(now time.Time, fields map[string]string) error {
	if !now.Before(p.expires) {
		return against("Policy expired.")
	}
	spoken := map[string]bool{}
	for _, c := range p.conditions {
		spoken[c.field] = true
		if !c.holds(fields[c.field]) {
			return against("Policy Condition failed: %s", c.told())
		}
	}
	for name := range fields {
		if !spoken[name] && !free[name] && !strings.HasPrefix(name, "x-ignore-") {
			return against("Extra input fields: %s", name)
		}
	}
	return nil
}

func (c condition) holds(value string) bool {
	if !c.prefix {
		return value == c.value
	}
	if c.field != "content-type" {
		return strings.HasPrefix(value, c.value)
	}
	for one := range strings.SplitSeq(value, ",") { // a list, all of which must be allowed
		if !strings.HasPrefix(strings.TrimSpace(one), c.value) {
			return false
		}
	}
	return true
}
