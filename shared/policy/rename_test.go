package policy

import (
	"errors"
	"strings"
	"testing"
)

const (
	adaID  = "AIDA2RBXWTOJHODXCO7WT"
	roleID = "AROA2RBXWTOJHODXCO7WT"
)

func TestWhoIsMeantByAnID(t *testing.T) {
	ada := Principal{Account: acct, ARN: "arn:aws:iam::" + acct + ":user/ada", ID: adaID}
	again := Principal{Account: acct, ARN: ada.ARN, ID: "AIDAQQQQQQQQQQQQQQQQQ"} // deleted, and made anew
	session := Principal{Account: acct, ARN: "arn:aws:sts::" + acct + ":assumed-role/web/one", Role: "arn:aws:iam::" + acct + ":role/web", ID: roleID + ":one"}
	for _, c := range []struct {
		value string
		who   *Principal
		want  grade
	}{
		{adaID, &ada, byName}, {adaID, &again, notMeant}, {adaID, &session, notMeant}, {adaID, &Principal{}, notMeant},
		{roleID, &session, directly}, {roleID + ":one", &session, byName}, {roleID + ":two", &session, notMeant}, {roleID, &ada, notMeant},
	} {
		if got := (PrincipalRef{"AWS", c.value}).means(c.who); got != c.want {
			t.Errorf("%s for %s (%s): %d, want %d", c.value, c.who.ARN, c.who.ID, got, c.want)
		}
	}
	for _, v := range []string{"AIDA", "AIDAlower56789012345", adaID + ":s", roleID + ":", roleID + ":a:b", roleID + ":*", "AKIA2RBXWTOJHODXCO7WT", "AGPA2RBXWTOJHODXCO7WT"} {
		if _, err := Parse([]byte(one(plain+`,"Principal":{"AWS":"`+v+`"}`)), Rules{Resource: true}); err == nil {
			t.Errorf("%s is taken for a principal", v)
		}
	}
}

func TestRenamedPrincipalsLeaveTheRestAsItWas(t *testing.T) {
	const doc = "{ \"Statement\" :[ {\"Principal\" : {\"Service\":\"a\", \"AWS\":\t[\"x\" ,\n\"y\",\"\\u0078\"]},\"Sid\":\"x\"},\n{\"NotPrincipal\":{\"AWS\":\"x\"}},{\"Principal\":\"x\"}]}\n"
	const want = "{ \"Statement\" :[ {\"Principal\" : {\"Service\":\"a\", \"AWS\":\t[\"long\\\"er\" ,\n\"y\",\"long\\\"er\"]},\"Sid\":\"x\"},\n{\"NotPrincipal\":{\"AWS\":\"long\\\"er\"}},{\"Principal\":\"x\"}]}\n"
	got, err := Rename([]byte(doc), func(v string) (string, error) { return strings.Replace(v, "x", `long"er`, 1), nil })
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\n%s", err, got, want)
	}
	no := errors.New("no")
	if _, err := Rename([]byte(doc), func(string) (string, error) { return "", no }); err != no {
		t.Error(err)
	}
}

func FuzzRename(f *testing.F) {
	f.Add([]byte(one(plain + `,"Principal":{"AWS":["` + adaID + `","*"]}`)))
	f.Add([]byte(`{"Statement":[{"NotPrincipal":{"AWS":"\u0041"}}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		same, err := Rename(doc, func(v string) (string, error) { return v, nil })
		if err == nil && string(same) != string(doc) {
			t.Errorf("%q became %q", doc, same)
		}
		if err != nil {
			return
		}
		n := 0
		other, err := Rename(doc, func(string) (string, error) { n++; return "*", nil })
		if err != nil {
			t.Fatal(err)
		}
		stars := 0
		if _, err := Rename(other, func(v string) (string, error) {
			if v == "*" {
				stars++
			}
			return v, nil
		}); err != nil || stars != n {
			t.Errorf("%q became %q: %d of %d, %v", doc, other, stars, n, err)
		}
	})
}
