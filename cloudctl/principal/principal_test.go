package principal

import (
	"errors"
	"strings"
	"testing"

	"karri/cloudctl/store"
	"karri/cloudctl/storetest"
	"karri/shared/fault"
)

const (
	acct = "111111111111"
	ada  = "AIDA2RBXWTOJHODXCO7WT"
	web  = "AROA2RBXWTOJHODXCO7WT"
)

func open(t *testing.T) *store.Store {
	t.Helper()
	s, _, _ := storetest.Open(t)
	in(t, s, func(tx *store.Tx) error {
		return errors.Join(
			tx.Add(&store.Account{ID: acct, Name: "a", State: store.AccountActive}),
			tx.Add(&store.User{ID: ada, Account: acct, Name: "ada", Folded: "ada", Path: "/eng/", Tags: store.Labels{}}),
			tx.Add(&store.Role{ID: web, Account: acct, Name: "web", Folded: "web", Path: "/", Tags: store.Labels{}, Trust: trusting(web)}),
		)
	})
	return s
}

func in(t *testing.T, s *store.Store, do func(*store.Tx) error) {
	t.Helper()
	if err := s.InTx(t.Context(), do); err != nil {
		t.Fatal(err)
	}
}

func trusting(who ...string) string {
	return `{"Statement":[{"Effect":"Allow","Principal":{"AWS":["` + strings.Join(who, `","`) + `"]},"Action":"sts:AssumeRole"}]}`
}

func TestPrincipalsAreKeptByIDAndShownByName(t *testing.T) {
	s := open(t)
	for _, c := range []struct{ written, kept string }{
		{"arn:aws:iam::" + acct + ":user/eng/ada", ada},
		{"arn:aws:iam::" + acct + ":role/web", web},
		{"arn:aws:sts::" + acct + ":assumed-role/web/one", web + ":one"},
		{"arn:aws:sts::" + acct + ":federated-user/bob", "arn:aws:sts::" + acct + ":federated-user/bob"},
		{"arn:aws:iam::" + acct + ":root", "arn:aws:iam::" + acct + ":root"},
		{acct, acct}, {"*", "*"},
		{"arn:aws:iam::" + acct + ":user/ada", ""},
		{"arn:aws:iam::" + acct + ":user/eng/Ada", ""},
		{"arn:aws:iam::" + acct + ":user/eng/eve", ""},
		{"arn:aws:iam::222222222222:user/eng/ada", ""},
		{"arn:aws:iam::" + acct + ":role/x/web", ""},
		{"arn:aws:sts::" + acct + ":assumed-role/Web/one", ""},
		{"222222222222", ""}, {"AIDAQQQQQQQQQQQQQQQQQ", ""}, {"AROAQQQQQQQQQQQQQQQQQ:one", ""},
	} {
		in(t, s, func(tx *store.Tx) error {
			kept, err := Pin(tx, trusting(c.written))
			if c.kept == "" {
				if fault.CodeOf(err) != "MalformedPolicyDocument" || !strings.Contains(err.Error(), c.written) {
					t.Errorf("%s: %v", c.written, err)
				}
				return nil
			}
			if err != nil || kept != trusting(c.kept) {
				t.Errorf("%s: kept as %s, %v", c.written, kept, err)
			}
			shown, err := Show(tx, kept)
			if err != nil || shown != trusting(c.written) {
				t.Errorf("%s: shown as %s, %v", c.written, shown, err)
			}
			if again, err := Pin(tx, kept); err != nil || again != kept {
				t.Errorf("%s: kept again as %s, %v", c.written, again, err)
			}
			return nil
		})
	}
}

func TestAUserThatIsRenamedOrGoneIsShownSo(t *testing.T) {
	s := open(t)
	show := func(want string) {
		t.Helper()
		in(t, s, func(tx *store.Tx) error {
			shown, err := Show(tx, trusting(ada))
			if shown != trusting(want) {
				t.Errorf("%s, want %s", shown, want)
			}
			return err
		})
	}
	in(t, s, func(tx *store.Tx) error {
		u, err := tx.UserByID(ada)
		if err != nil {
			return err
		}
		u.Name, u.Folded = "eve", "eve"
		return tx.Put(u)
	})
	show("arn:aws:iam::" + acct + ":user/eng/eve")
	in(t, s, func(tx *store.Tx) error {
		u, err := tx.UserByID(ada)
		if err != nil {
			return err
		}
		return tx.Drop(u)
	})
	show(ada)
}

func TestTrustThatWasKeptByNameIsAdopted(t *testing.T) {
	s := open(t)
	old := trusting("arn:aws:iam::"+acct+":user/eng/ada", "arn:aws:iam::"+acct+":user/gone", acct)
	in(t, s, func(tx *store.Tx) error {
		return tx.Add(&store.Role{ID: "AROAQQQQQQQQQQQQQQQQQ", Account: acct, Name: "old", Folded: "old", Path: "/", Tags: store.Labels{}, Trust: old})
	})
	for range 2 {
		if err := AdoptAll(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	in(t, s, func(tx *store.Tx) error {
		r, err := tx.Role(acct, "old")
		if err == nil && r.Trust != trusting(ada, nobody, acct) {
			t.Error(r.Trust)
		}
		w, err2 := tx.Role(acct, "web")
		if err2 == nil && w.Trust != trusting(web) {
			t.Error(w.Trust)
		}
		return errors.Join(err, err2)
	})
}
