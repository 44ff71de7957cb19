package federation

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"karri/cloudctl/federation/issuertest"
	"karri/cloudctl/store"
	"karri/shared/fault"
)

var noon = time.Now()

func anywhere(string) error { return nil }

func TestATokenIsBelieved(t *testing.T) {
	p := issuertest.New(t)
	s := &Issuers{Clock: func() time.Time { return noon }, Reach: anywhere}
	token := p.Token(t, map[string]any{"repo": "karri/core", "admin": true, "groups": []string{"a", "b"}, "n": 3,
		tagsClaim: map[string]any{"principal_tags": map[string]any{"team": []string{"red"}}, "transitive_tag_keys": []string{"team"}}, sourceClaim: "ann"})
	if name, err := IssuerOf(token); err != nil || "https://"+name != p.URL {
		t.Error(name, err)
	}
	id, err := s.Verify(t.Context(), p.Provider(), token)
	if err != nil {
		t.Fatal(err)
	}
	if id.Subject != "job-42" || id.Audience != "sts.amazonaws.com" || id.Source != "ann" || id.Tags["team"] != "red" || !slices.Equal(id.Transitive, []string{"team"}) {
		t.Errorf("%+v", id)
	}
	for name, want := range map[string]string{"repo": "[karri/core]", "admin": "[true]", "groups": "[a b]", "n": "[3]", tagsClaim: "[]"} {
		if got := fmt.Sprint(id.Claims[name]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if id, err := s.Verify(t.Context(), p.Provider(), p.Token(t, map[string]any{"aud": []string{"x", "sts.amazonaws.com"}, "azp": "app"})); err != nil || id.Audience != "app" {
		t.Errorf("%+v %v", id, err)
	}
	if p.Asked.Load() != 1 {
		t.Errorf("the keys were fetched %d times", p.Asked.Load())
	}
	slashed := issuertest.New(t)
	slashed.Slash = "/"
	if _, err := s.Verify(t.Context(), slashed.Provider(), slashed.Token(t, nil)); err != nil {
		t.Error(err)
	}
}

func TestATokenIsNotBelieved(t *testing.T) {
	p, other := issuertest.New(t), issuertest.New(t)
	s := &Issuers{Clock: func() time.Time { return noon }, Reach: anywhere}
	good := p.Token(t, nil)
	parts := strings.Split(good, ".")
	unsigned := issuertest.Encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	hmacked := issuertest.Encode([]byte(`{"alg":"HS256","kid":"0"}`)) + "." + parts[1] + "." + parts[2]
	other.Server.URL = p.URL // what another issuer signs in the name of this one
	for what, c := range map[string]struct{ token, want string }{
		"another key":        {other.Token(t, nil), "InvalidIdentityToken"},
		"changed":            {parts[0] + "." + issuertest.Encode([]byte(`{"iss":"`+p.URL+`","sub":"root","aud":"app","exp":99999999999}`)) + "." + parts[2], "InvalidIdentityToken"},
		"no algorithm":       {unsigned, "InvalidIdentityToken"},
		"a shared secret":    {hmacked, "InvalidIdentityToken"},
		"another audience":   {p.Token(t, map[string]any{"aud": "other"}), "InvalidIdentityToken"},
		"no audience":        {p.Token(t, map[string]any{"aud": nil}), "InvalidIdentityToken"},
		"another issuer":     {p.Token(t, map[string]any{"iss": "https://evil.example"}), "InvalidIdentityToken"},
		"no subject":         {p.Token(t, map[string]any{"sub": ""}), "InvalidIdentityToken"},
		"expired":            {p.Token(t, map[string]any{"exp": noon.Add(-time.Second).Unix()}), "ExpiredTokenException"},
		"not yet":            {p.Token(t, map[string]any{"nbf": noon.Add(time.Hour).Unix()}), "InvalidIdentityToken"},
		"tags of two values": {p.Token(t, map[string]any{tagsClaim: map[string]any{"principal_tags": map[string]any{"k": []string{"a", "b"}}}}), "InvalidIdentityToken"},
		"tags of no form":    {p.Token(t, map[string]any{tagsClaim: "x"}), "InvalidIdentityToken"},
		"no token":           {"x", "InvalidIdentityToken"},
		"too long":           {good + strings.Repeat("x", maxToken), "InvalidIdentityToken"},
	} {
		if id, err := s.Verify(t.Context(), p.Provider(), c.token); fault.CodeOf(err) != c.want {
			t.Errorf("%s: %+v %v", what, id, err)
		}
	}
}

func TestKeysAreFetchedAgainForAKeyThatIsNotKnown(t *testing.T) {
	p := issuertest.New(t)
	var shift atomic.Int64
	s := &Issuers{Clock: func() time.Time { return noon.Add(time.Duration(shift.Load())) }, Reach: anywhere}
	try := func(want string, asked int64) {
		t.Helper()
		if _, err := s.Verify(t.Context(), p.Provider(), p.Token(t, nil)); want == "" && err != nil || want != "" && fault.CodeOf(err) != want || p.Asked.Load() != asked {
			t.Errorf("%v after %d fetches, want %q after %d", err, p.Asked.Load(), want, asked)
		}
	}
	try("", 1)
	try("", 1)
	p.Rotate(t)
	try("InvalidIdentityToken", 1) // too soon after the first fetch
	shift.Store(int64(refreshPace))
	try("", 2)
	p.Away.Store(true)
	try("", 2) // what is known needs no issuer
	p.Rotate(t)
	shift.Store(int64(2 * refreshPace))
	try("IDPCommunicationError", 3)
	p.Away.Store(false)
	shift.Store(int64(3 * refreshPace))
	try("", 4)
}

func TestWhichServersAreAsked(t *testing.T) {
	p := issuertest.New(t)
	clock := func() time.Time { return noon }
	stranger := p.Provider()
	stranger.Thumbprints = []string{strings.Repeat("0", 40)}
	plain := p.Provider()
	plain.Thumbprints = nil
	for what, c := range map[string]struct {
		s *Issuers
		p *store.OIDCProvider
	}{
		"this host itself":                {&Issuers{Clock: clock}, p.Provider()},
		"a certificate of another":        {&Issuers{Clock: clock, Reach: anywhere}, stranger},
		"a certificate that nobody knows": {&Issuers{Clock: clock, Reach: anywhere}, plain},
	} {
		if _, err := c.s.Verify(t.Context(), c.p, p.Token(t, nil)); fault.CodeOf(err) != "IDPCommunicationError" {
			t.Errorf("%s: %v", what, err)
		}
	}
	p.Elsewhere = p.URL + "/keys"
	if _, err := (&Issuers{Clock: clock, Reach: anywhere}).Verify(t.Context(), p.Provider(), p.Token(t, nil)); fault.CodeOf(err) != "IDPCommunicationError" {
		t.Errorf("a redirect: %v", err)
	}
	p.Elsewhere, p.Long = "", true
	if _, err := (&Issuers{Clock: clock, Reach: anywhere}).Verify(t.Context(), p.Provider(), p.Token(t, nil)); fault.CodeOf(err) != "IDPCommunicationError" {
		t.Errorf("a long answer: %v", err)
	}
}

func FuzzIssuerOf(f *testing.F) {
	f.Add("a." + issuertest.Encode([]byte(`{"iss":"https://login.example.com/"}`)) + ".c")
	f.Add("a.b.c")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		name, err := IssuerOf(token)
		if err == nil && (name == "" && !strings.Contains(token, ".") || strings.HasSuffix(name, "://")) {
			t.Errorf("%q names %q", token, name)
		}
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", token, err)
		}
	})
}
