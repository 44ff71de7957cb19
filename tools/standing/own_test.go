package standing

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"karri/shared/action"
	"karri/shared/awsmodel"
	"karri/shared/fault"
	"karri/shared/protocol"
	"karri/shared/sign"
)

// askJSON sends a signed request of JSON, as tools/karri does.
func (s *stage) askJSON(t *testing.T, a *action.Action, body []byte) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://cloud.test/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", s.name+"."+a.Name)
	scope := sign.Scope{Region: region, Service: s.name, At: time.Now()}
	if err := sign.Request(r, sign.Credentials{AccessKey: key, Secret: secret}, scope, hashOf(string(body))); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.door.ServeHTTP(w, r)
	out := map[string]any{}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return w.Code, out
}

func TestOwnActions(t *testing.T) {
	s := ownStage()
	if len(s.actions) == 0 {
		t.Fatal("no actions")
	}
	for _, a := range s.actions {
		t.Run(a.Name, func(t *testing.T) {
			s.deny, s.asked = nil, nil
			answer := reflect.New(a.Out)
			n := 0
			fill(answer.Elem(), &n)
			s.answer = answer.Interface()
			body, err := a.Request.JSON(a.Example)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.ToLower(hump.ReplaceAllString(a.Name, "${1}_$2")) + ".go"; filepath.Base(a.File) != want {
				t.Errorf("it is defined in %s, not in %s", a.File, want)
			}
			status, out := s.askJSON(t, a, body)
			if status != 200 || !reflect.DeepEqual(reflect.ValueOf(s.asked).Elem().Interface(), a.Example) {
				t.Errorf("%s: %d %v, read as %+v", body, status, out, s.asked)
			}
			for _, f := range reflect.VisibleFields(a.Out) {
				if _, there := out[f.Name]; f.IsExported() && !f.Anonymous && !there {
					t.Errorf("the answer lacks %s: %v", f.Name, out)
				}
			}
			s.refusals(t, a, body)
		})
	}
}

// refusals sends the example with one thing wrong at a time.
func (s *stage) refusals(t *testing.T, a *action.Action, example []byte) {
	t.Helper()
	s.asked = nil
	refused := func(code string, change func(in map[string]any)) {
		t.Helper()
		in := map[string]any{}
		if err := json.Unmarshal(example, &in); err != nil {
			t.Fatal(err)
		}
		change(in)
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		if status, out := s.askJSON(t, a, body); status < 400 || status >= 500 || out["__type"] != code || s.asked != nil {
			t.Errorf("%s: want %s, got %d %v", body, code, status, out)
		}
	}
	refused("UnknownParameter", func(in map[string]any) { in["Bogus"] = 1 })
	a.Request.Each(func(m *awsmodel.Member, _ *protocol.Plan) {
		if m.Required {
			refused("MissingParameter", func(in map[string]any) { delete(in, m.Name) })
		}
		if m.Shape.Type != awsmodel.String && m.Shape.Type != awsmodel.Blob && m.Shape.Type != awsmodel.Map {
			refused("InvalidParameterValue", func(in map[string]any) { in[m.Name] = "junk~" })
		} else if m.Shape.Type == awsmodel.String {
			refused("InvalidParameterValue", func(in map[string]any) { in[m.Name] = []int{1} })
		}
	})
	s.deny = fault.New(fault.Denied, "UnauthorizedOperation", "No.")
	refused("UnauthorizedOperation", func(map[string]any) {})
}
