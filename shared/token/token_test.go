package token

import (
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"karri/shared/fault"
)

var (
	key   = ed25519.NewKeyFromSeed(make([]byte, 32))
	other = ed25519.NewKeyFromSeed([]byte("01234567890123456789012345678901"))
	pub   = key.Public().(ed25519.PublicKey)
	req   = Request{"PUT", "/v1/orders", "a=b", "00ff"}
	start = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
)

func verifier(at time.Time) *Verifier {
	return &Verifier{Boot: "boot", Now: func() time.Time { return at }}
}

func sign(t *testing.T, k ed25519.PrivateKey, iss, aud, jti string, r Request) string {
	t.Helper()
	s, err := Sign(k, iss, aud, jti, r, start)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}

func TestATokenIsGoodForOneRequestOnce(t *testing.T) {
	good := sign(t, key, "a", "boot", "1", req)
	edit := func(f func(*Request)) Request { r := req; f(&r); return r }
	parts := strings.Split(good, ".")
	none, _ := jwt.NewWithClaims(jwt.SigningMethodNone, claims{Request: req}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	hmac, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{Request: req}).SignedString([]byte(pub))
	long, _ := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{RegisteredClaims: jwt.RegisteredClaims{Issuer: "a", ID: "9",
		Audience: jwt.ClaimStrings{"boot"}, IssuedAt: jwt.NewNumericDate(start), ExpiresAt: jwt.NewNumericDate(start.Add(time.Hour))}, Request: req}).SignedString(key)
	for name, c := range map[string]struct {
		text string
		at   time.Duration
		r    Request
		want string
	}{
		"good":             {good, 0, req, ""},
		"good, a bit late": {good, 48 * time.Second, req, ""},
		"late":             {good, 52 * time.Second, req, ClockSkew},
		"from the future":  {good, -10 * time.Second, req, ClockSkew},
		"method":           {good, 0, edit(func(r *Request) { r.Method = "POST" }), Altered},
		"path":             {good, 0, edit(func(r *Request) { r.Path = "/" }), Altered},
		"query":            {good, 0, edit(func(r *Request) { r.Query = "" }), Altered},
		"body":             {good, 0, edit(func(r *Request) { r.Body = "" }), Altered},
		"no token":         {"", 0, req, Unsigned},
		"garbage":          {"x.y.z", 0, req, Altered},
		"cut signature":    {good[:len(good)-2], 0, req, Altered},
		"no signature":     {parts[0] + "." + parts[1] + ".", 0, req, Altered},
		"alg none":         {none, 0, req, Altered},
		"public key hmac":  {hmac, 0, req, Altered},
		"lives too long":   {long, 0, req, Altered},
		"other key":        {sign(t, other, "a", "boot", "1", req), 0, req, Altered},
		"other issuer":     {sign(t, key, "b", "boot", "1", req), 0, req, Altered},
		"other boot":       {sign(t, key, "a", "boot2", "1", req), 0, req, WrongBoot},
		"no id":            {sign(t, key, "a", "boot", "", req), 0, req, Altered},
	} {
		_, err := verifier(start.Add(c.at)).Verify(c.text, "a", pub, c.r)
		if got := code(err); got != c.want {
			t.Errorf("%s: %q, want %q (%v)", name, got, c.want, err)
		}
	}
	v := verifier(start)
	if _, err := v.Verify(good, "a", pub, req); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(good, "a", pub, req); code(err) != Replayed {
		t.Errorf("second use: %v", err)
	}
}

func TestUsedIdsAreForgottenOnlyWhenExpired(t *testing.T) {
	at := start
	v := &Verifier{Boot: "boot", Now: func() time.Time { return at }}
	for i := range 100 {
		at = start.Add(time.Duration(i) * time.Second)
		s, _ := Sign(key, "a", "boot", ID(), req, at)
		if _, err := v.Verify(s, "a", pub, req); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(s, "a", pub, req); code(err) != Replayed {
			t.Fatal(err)
		}
	}
	if n := len(v.used); n > 70 {
		t.Errorf("%d ids are remembered for 50 s of requests", n)
	}
}

func TestTrailer(t *testing.T) {
	v, r := verifier(start), req
	r.Body = Streamed
	if _, err := v.Verify(sign(t, key, "a", "boot", "1", r), "a", pub, r); err != nil {
		t.Fatal(err)
	}
	tail := sign(t, key, "a", "boot", "1", req)
	if err := v.VerifyTrailer(tail, "a", pub, "1", req); err != nil {
		t.Error(err)
	}
	if err := v.VerifyTrailer(tail, "a", pub, "2", req); code(err) != Altered {
		t.Errorf("trailer of another request: %v", err)
	}
	if err := v.VerifyTrailer(tail, "a", pub, "1", Request{req.Method, req.Path, req.Query, "11"}); code(err) != Altered {
		t.Errorf("other bytes: %v", err)
	}
}

func TestJoinTokens(t *testing.T) {
	j := NewJoin("10.0.0.1:7000", strings.Repeat("ab", 32))
	got, err := ParseJoin(" " + j.String() + "\n")
	if err != nil || got != j || got.Hash() != HashSecret(j.Secret) || strings.Contains(j.Hash(), j.Secret) {
		t.Errorf("%v %v", got, err)
	}
	if NewJoin("a", j.Root).Secret == j.Secret {
		t.Error("two secrets are equal")
	}
	for _, s := range []string{"", "karri-join-", "karri-join-e30", j.String()[:40], "x" + j.String()} {
		if _, err := ParseJoin(s); err == nil {
			t.Errorf("%q was taken for a token", s)
		}
	}
}

func FuzzVerify(f *testing.F) {
	s, _ := Sign(key, "a", "boot", "1", req, start)
	f.Add(s)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := verifier(start).Verify(text, "a", pub, req); err == nil && text != s {
			t.Errorf("%q passed", text)
		}
	})
}

func FuzzParseJoin(f *testing.F) {
	f.Add(NewJoin("a:1", strings.Repeat("00", 32)).String())
	f.Fuzz(func(t *testing.T, s string) { _, _ = ParseJoin(s) })
}

func FuzzClaimed(f *testing.F) {
	_, k, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	text, err := Sign(k, "walrus.karri", "boot", ID(), Request{Method: "GET"}, time.Now())
	if err != nil || Claimed(text) != "walrus.karri" {
		f.Fatal(Claimed(text), err)
	}
	f.Add(text)
	f.Add("a.e30.c")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		if who := Claimed(text); who != "" && strings.Count(text, ".") != 2 {
			t.Errorf("%q says %q", text, who)
		}
	})
}
