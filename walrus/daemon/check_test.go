package daemon

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"karri/walrus/check"
	"karri/walrus/content"
	"karri/walrus/content/contenttest"
	"karri/walrus/index"
)

func TestCheckIsServedToTheAdministrator(t *testing.T) {
	x, err := index.OpenInMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	bytes := contenttest.NewMemory()
	contenttest.Put(t, bytes, []byte("orphan"))
	s := httptest.NewServer(checking(check.Checker{Index: x, Content: bytes, Holds: &content.Holds{}}))
	defer s.Close()
	ask := func(query, header string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/check?"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Karri-Admin", header)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	if code, _ := ask("", ""); code != 403 {
		t.Errorf("without the header: %d", code)
	}
	for _, c := range []struct{ query, want string }{
		{"", `"findings":0`}, {"orphan-age=1ns", `"findings":1,"mended":0`},
		{"orphan-age=1ns&repair", `"findings":1,"mended":1`}, {"orphan-age=1ns", `"findings":0`},
	} {
		if code, body := ask(c.query, "1"); code != 200 || !strings.Contains(body, c.want) || !strings.Contains(body, `"progress"`) {
			t.Errorf("%s: %d %s", c.query, code, body)
		}
	}
}
