package session

import (
	"encoding/base64"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/shared/fault"
	"karri/shared/identity"
	"karri/shared/sign"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func desk(t testing.TB) *Desk {
	t.Helper()
	v, err := vault.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	return &Desk{Vault: v, Clock: func() time.Time { return noon }}
}

func TestATokenHoldsAllThatTheSessionIs(t *testing.T) {
	d := desk(t)
	shown := noon.Add(-time.Minute)
	c := Claims{Kind: identity.Role, Account: "000000000042", Holder: "AROAX", Name: "s", Policies: []string{`{"Statement":[]}`}, Attached: []string{"arn:x"},
		Tags: map[string]string{"team": "röt"}, Transitive: []string{"team"}, MFA: &shown, Source: "ann", Provider: "arn:p"}
	given, err := d.Issue(c, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(given.AccessKey, "ASIA") || len(given.AccessKey) != 20 || len(given.Secret) != 40 || AccountOf(given.AccessKey) != "000000000042" || given.Expires != noon.Add(time.Hour) {
		t.Errorf("%+v", given)
	}
	got, err := d.Open(given.AccessKey, given.Token)
	if err != nil {
		t.Fatal(err)
	}
	c.Key, c.Secret, c.Issued, c.Expires = given.AccessKey, given.Secret, noon, given.Expires
	if !reflect.DeepEqual(*got, c) {
		t.Errorf("got  %+v\nwant %+v", *got, c)
	}
	if plain, _ := base64.StdEncoding.DecodeString(given.Token); strings.Contains(string(plain), given.Secret) || strings.Contains(given.Token, given.Secret) {
		t.Error("the token shows the secret")
	}
	other := desk(t)
	later := *d
	later.Clock = func() time.Time { return given.Expires }
	for _, b := range []struct {
		what       string
		d          *Desk
		key, token string
		want       *fault.Fault
	}{
		{"another vault", other, given.AccessKey, given.Token, sign.TokenInvalid},
		{"another key", d, "ASIAAAAAAAAAAAAAAAAA", given.Token, sign.TokenInvalid},
		{"nothing", d, given.AccessKey, "", sign.TokenInvalid},
		{"cut off", d, given.AccessKey, given.Token[:len(given.Token)-8], sign.TokenInvalid},
		{"with a line break", d, given.AccessKey, given.Token[:8] + "\n" + given.Token[8:], sign.TokenInvalid},
		{"too long", d, given.AccessKey, strings.Repeat("A", sign.MaxToken+4), sign.TokenInvalid},
		{"too late", &later, given.AccessKey, given.Token, sign.TokenExpired},
	} {
		if _, err := b.d.Open(b.key, b.token); !errors.Is(err, b.want) {
			t.Errorf("%s: %v", b.what, err)
		}
	}
	for i := range given.Token {
		changed := []byte(given.Token)
		if changed[i] ^= 1; changed[i] == '=' || given.Token[i] == '=' {
			continue
		}
		if _, err := d.Open(given.AccessKey, string(changed)); err == nil {
			t.Fatalf("byte %d can be changed", i)
		}
	}
}

func TestWhatASessionMayHoldIsBounded(t *testing.T) {
	d := desk(t)
	c := Claims{Account: "000000000042", Tags: map[string]string{}}
	if n, err := Packed(&c); n != 0 || err != nil {
		t.Error(n, err)
	}
	c.Policies = []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`}
	if n, err := Packed(&c); n < 1 || n > 10 || err != nil {
		t.Error(n, err)
	}
	noise := make([]byte, 1)
	for i := range 120 { // what does not compress
		noise = append(noise, base64.StdEncoding.EncodeToString(d.Vault.Seal("x", strings.Repeat("x", 90)))...)
		c.Policies[0] = string(noise)
		n, err := Packed(&c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Issue(c, time.Hour)
		if n <= 100 && err != nil {
			t.Fatalf("round %d: %d%% are not issued: %v", i, n, err)
		}
		if err != nil {
			if fault.CodeOf(err) != "PackedPolicyTooLarge" {
				t.Error(err)
			}
			return
		}
	}
	t.Error("a token grows without bounds")
}

func TestAServiceTakesTheRolesThatTrustIt(t *testing.T) {
	d := desk(t)
	r := &store.Role{ID: "AROAX", Account: "000000000042", Name: "web", Path: "/",
		Trust: `{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`}
	given, err := d.ForService(r, "ec2.amazonaws.com", "i-1", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := d.Open(given.AccessKey, given.Token); err != nil || c.Holder != "AROAX" || c.Name != "i-1" || c.Kind != identity.Role {
		t.Error(c, err)
	}
	if _, err := d.ForService(r, "lambda.amazonaws.com", "f", time.Hour); fault.CodeOf(err) != "AccessDenied" {
		t.Error(err)
	}
}

func TestTheAccountInAKey(t *testing.T) {
	for _, id := range []string{"", "AKIAAAAAAAAAAAAAAAAA", "ASIA", "ASIA!", "ASIAAAAAAAAAAAAAAAA"} {
		if got := AccountOf(id); got != "" {
			t.Errorf("%s is of %s", id, got)
		}
	}
}

func FuzzToken(f *testing.F) {
	d := desk(f)
	given, err := d.Issue(Claims{Account: "000000000042"}, time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(given.Token)
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		if c, err := d.Open(given.AccessKey, token); err == nil && token != given.Token {
			t.Errorf("%q opens as %+v", token, c)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	b, err := pack(&Claims{Key: "k", Policies: []string{"p"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := unpack(b)
		if err != nil {
			return
		}
		if again, err := pack(c); err == nil {
			if d, err := unpack(again); err != nil || d.Key != c.Key || len(d.Policies) != len(c.Policies) {
				t.Errorf("%+v becomes %+v, %v", c, d, err)
			}
		}
	})
}
