package standing

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"karri/shared/action"
	"karri/shared/awsmodel"
	"karri/shared/fault"
	"karri/shared/protocol"
	"karri/shared/sign"
)

// each runs a check on every action of every service.
func each(t *testing.T, check func(t *testing.T, s *stage, a *action.Action)) {
	for _, s := range stages(t) {
		if len(s.actions) == 0 {
			t.Fatalf("%s has no actions", s.name)
		}
		for _, a := range s.actions {
			t.Run(s.name+"/"+a.Name, func(t *testing.T) {
				s.deny, s.asked, s.answer = nil, nil, reflect.New(a.Out).Interface()
				check(t, s, a)
			})
		}
	}
}

var hump = regexp.MustCompile(`([a-z0-9])([A-Z])`)

func TestEachActionIsInItsOwnFile(t *testing.T) {
	each(t, func(t *testing.T, _ *stage, a *action.Action) {
		want := strings.ToLower(hump.ReplaceAllString(a.Name, "${1}_$2")) + ".go"
		if got := filepath.Base(a.File); got != want && !a.Empty {
			t.Errorf("it is defined in %s, not in %s", got, want)
		}
	})
}

// asForm returns a request as EC2 or query form fields.
func asForm(t *testing.T, s *stage, a *action.Action, in any) url.Values {
	t.Helper()
	form, err := a.Request.Form(s.dialect, in)
	if err != nil {
		t.Fatal(err)
	}
	return form
}

func decode(a *action.Action, d protocol.Dialect, n *protocol.Node) (any, error) {
	in := reflect.New(a.In).Interface()
	dec := protocol.Decoder{Dialect: d}
	return in, dec.Decode(a.Request, n, in)
}

func TestTheExampleSurvivesTheWire(t *testing.T) {
	each(t, func(t *testing.T, s *stage, a *action.Action) {
		form := asForm(t, s, a, a.Example)
		n, err := protocol.ParseForm(form, nil)
		if err != nil {
			t.Fatal(err)
		}
		in, err := decode(a, s.dialect, n)
		if err != nil {
			t.Fatal(err)
		}
		if got := reflect.ValueOf(in).Elem().Interface(); !reflect.DeepEqual(got, a.Example) {
			t.Errorf("as a form it came back as %+v, not %+v", got, a.Example)
		}
		text, err := a.Request.JSON(a.Example)
		if err != nil {
			t.Fatal(err)
		}
		if n, err = protocol.ParseJSON(text); err != nil {
			t.Fatal(err)
		}
		if in, err = decode(a, protocol.JSON, n); err != nil {
			t.Fatal(err)
		}
		if got := asForm(t, s, a, in); !reflect.DeepEqual(got, form) {
			t.Errorf("as JSON it came back as %v, not %v", got, form)
		}
	})
}

func TestTheSDKIsUnderstoodAndUnderstands(t *testing.T) {
	each(t, func(t *testing.T, s *stage, a *action.Action) {
		in := s.sdkInput(t, a)
		if err := mirror(in.Elem(), reflect.ValueOf(a.Example)); err != nil {
			t.Fatal(err)
		}
		n := 0
		fill(reflect.ValueOf(s.answer).Elem(), &n)
		out, err := s.call(t, a, in)
		if err != nil {
			t.Fatalf("the SDK's request for %+v: %v", a.Example, err)
		}
		got, want := asForm(t, s, a, s.asked), asForm(t, s, a, a.Example)
		for _, m := range a.Op.Input.Members {
			if name := a.Request.WireName(s.dialect, m.Name); m.Token && !want.Has(name) {
				got.Del(name) // the SDK makes one up
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the SDK's request was read as %v, not %v", got, want)
		}
		if d := differ(a.Name, reflect.ValueOf(s.answer), out); d != "" {
			t.Errorf("the SDK read our answer otherwise: %s", d)
		}
		if s.needed != s.name+":"+a.Name {
			t.Errorf("the policy was asked for %s", s.needed)
		}
	})
}

func TestWhoMayNotIsRefused(t *testing.T) {
	each(t, func(t *testing.T, s *stage, a *action.Action) {
		in := s.sdkInput(t, a)
		if err := mirror(in.Elem(), reflect.ValueOf(a.Example)); err != nil {
			t.Fatal(err)
		}
		s.deny = fault.New(fault.Denied, "UnauthorizedOperation", "No.")
		if _, err := s.call(t, a, in); codeOf(err) != "UnauthorizedOperation" {
			t.Errorf("refused by the policy, it answers %v", err)
		}
		if f := in.Elem().FieldByName("DryRun"); f.IsValid() {
			yes := true
			f.Set(reflect.ValueOf(&yes))
			if _, err := s.call(t, a, in); codeOf(err) != "UnauthorizedOperation" {
				t.Errorf("refused by the policy, a dry run answers %v", err)
			}
			s.deny = nil
			if _, err := s.call(t, a, in); codeOf(err) != "DryRunOperation" {
				t.Errorf("a dry run answers %v", err)
			}
		}
		if s.asked != nil {
			t.Error("a refused request or a dry run was run")
		}
		form := asForm(t, s, a, a.Example)
		form.Set("Action", a.Name)
		form.Set("Version", s.version)
		if status, body := s.post(t, form, ""); status != 401 && status != 403 && status != 400 || s.asked != nil || !strings.Contains(body, "<Error>") {
			t.Errorf("without a signature it answers %d %s", status, body)
		}
		if status, body := s.post(t, form, "not the secret"); status != 403 && status != 401 || s.asked != nil {
			t.Errorf("with a wrong signature it answers %d %s", status, body)
		}
	})
}

// post sends a form, signed with the secret unless that is empty.
func (s *stage) post(t *testing.T, form url.Values, secret string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://cloud.test/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	text := form.Encode()
	if secret != "" {
		sum := hashOf(text)
		err := sign.Request(r, sign.Credentials{AccessKey: key, Secret: secret}, sign.Scope{Region: region, Service: s.name, At: time.Now()}, sum)
		if err != nil {
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	s.door.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestWrongParametersAreRefusedByName(t *testing.T) {
	each(t, func(t *testing.T, s *stage, a *action.Action) {
		whole := asForm(t, s, a, a.Example)
		refused := func(code, name string, change func(form url.Values)) {
			t.Helper()
			form := url.Values{"Action": {a.Name}, "Version": {s.version}}
			for k, v := range whole {
				form[k] = v
			}
			change(form)
			status, body := s.post(t, form, secret)
			if status != 400 || !strings.Contains(body, "<Code>"+code+"</Code>") || !strings.Contains(body, strings.ReplaceAll(name, ".member.", ".")) || s.asked != nil {
				t.Errorf("want %s %s, got %d %s", code, name, status, body)
			}
		}
		missing, wrong := "MissingParameter", "InvalidParameterValue"
		if s.dialect == protocol.Query {
			missing, wrong = "ValidationError", "ValidationError"
		}
		if s.dialect == protocol.EC2 {
			refused("UnknownParameter", "Bogus", func(form url.Values) { form.Set("Bogus", "1") })
		}
		a.Request.Each(func(m *awsmodel.Member, part *protocol.Plan) {
			if name := a.Request.WireName(s.dialect, m.Name); m.Required {
				refused(missing, name, func(form url.Values) { without(form, name) })
			}
		})
		junk(s.dialect, a.Request, "", 0, func(top, name, value string) {
			refused(wrong, name, func(form url.Values) { without(form, top); form.Set(name, value) })
		})
	})
}

// without removes a parameter and all its parts.
func without(form url.Values, name string) {
	for k := range form {
		if k == name || strings.HasPrefix(k, name+".") {
			form.Del(k)
		}
	}
}

// junk calls f with values that no parameter of the plan can have: of the wrong
// type, out of range, in no enumeration; top is the outermost parameter.
func junk(d protocol.Dialect, p *protocol.Plan, prefix string, depth int, f func(top, name, value string)) {
	p.Each(func(m *awsmodel.Member, part *protocol.Plan) {
		name := prefix + p.WireName(d, m.Name)
		top, _, _ := strings.Cut(name, ".")
		shape := m.Shape
		if inner := part.Element(); inner != nil && shape.Type == awsmodel.List {
			f(top, name, "junk~")
			if name += ".1"; d == protocol.Query {
				name = strings.TrimSuffix(name, "1") + "member.1"
			}
			part, shape = inner, inner.Shape()
		}
		if typed(shape) {
			f(top, name, "junk~")
		}
		number := shape.Type == awsmodel.Integer || shape.Type == awsmodel.Long
		if number && shape.Min != nil {
			f(top, name, strconv.Itoa(int(*shape.Min)-1))
		}
		if number && shape.Max != nil {
			f(top, name, strconv.Itoa(int(*shape.Max)+1))
		}
		if number {
			f(top, name, "99999999999999999999")
		}
		if shape.Type == awsmodel.Structure && depth < 4 {
			junk(d, part, name+".", depth+1, f)
		}
	})
}

// typed reports whether not every text is a value of the shape.
func typed(s *awsmodel.Shape) bool {
	switch s.Type {
	case awsmodel.String:
		return len(s.Enum) > 0
	case awsmodel.Blob, awsmodel.Map:
		return false
	}
	return true
}

// TestEveryParameterIsReadAsTheSDKWritesIt sends a request with all that the
// action honours.
func TestEveryParameterIsReadAsTheSDKWritesIt(t *testing.T) {
	each(t, func(t *testing.T, s *stage, a *action.Action) {
		full := reflect.New(a.In)
		n := 0
		fillRequest(a.Request, full.Elem(), &n)
		if f := full.Elem().FieldByName("DryRun"); f.IsValid() {
			f.SetZero()
		}
		for _, name := range []string{"NextToken", "Marker"} {
			if f := full.Elem().FieldByName(name); f.IsValid() {
				f.SetZero() // none that was not given out is taken
			}
		}
		if f := full.Elem().FieldByName("Filters"); f.IsValid() && !a.Empty {
			f.Set(reflect.ValueOf(goodFilters(a)))
		}
		in := s.sdkInput(t, a)
		if err := mirror(in.Elem(), full); err != nil {
			t.Fatal(err)
		}
		want := asForm(t, s, a, full.Interface())
		if _, err := s.call(t, a, in); err != nil {
			t.Fatalf("%v: %v", want, err)
		}
		got := asForm(t, s, a, s.asked)
		for name, values := range want {
			if s.dialect == protocol.Query && values[0] == "false" && !got.Has(name) {
				want.Del(name) // where absent is false, the SDK does not say it
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("read as %v, not %v", got, want)
		}
	})
}

// goodFilters returns one filter that the action knows, if it knows any.
func goodFilters(a *action.Action) []action.Filter {
	for _, name := range a.List.Filters {
		if name == "tag" {
			name = "tag:a.b"
		}
		return []action.Filter{{Name: name, Values: []string{"x", "*"}}}
	}
	return nil
}
