package quota

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/cloudctl/storetest"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/identity"
	"karri/shared/policy"
)

const acct = "111111111111"

var (
	root = action.Caller{Account: acct, ARN: "arn:aws:iam::" + acct + ":root", UserID: acct}
	ann  = action.Caller{Account: acct, ARN: "arn:aws:iam::" + acct + ":user/ann", UserID: "AIDAANN"}
	ops  = action.Caller{Account: acct, ARN: "arn:aws:sts::" + acct + ":assumed-role/ops/x", UserID: "AROAOPS:x"}
)

func newStore(t *testing.T) *store.Store {
	t.Helper()
	s, _, _ := storetest.Open(t)
	in(t, s, func(tx *store.Tx) error {
		return errors.Join(
			tx.Add(&store.Account{ID: acct, Name: "a", State: store.AccountActive}),
			tx.Add(&store.User{ID: "AIDAANN", Account: acct, Name: "ann", Folded: "ann", Path: "/", Tags: store.Labels{}}),
			tx.Add(&store.UserGroup{ID: "AGPADEV", Account: acct, Name: "dev", Folded: "dev", Path: "/"}),
			tx.Add(&store.Member{User: "AIDAANN", UserGroup: "AGPADEV", Account: acct}),
			tx.Add(&store.Role{ID: "AROAOPS", Account: acct, Name: "ops", Folded: "ops", Path: "/", Tags: store.Labels{}}),
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

func statement(effect, key, most string) string {
	return `{"Statement":{"Effect":"` + effect + `","Action":"*","Resource":"*","Condition":{"NumericLessThanEquals":{"` + key + `":"` + most + `"}}}}`
}

func lay(t *testing.T, s *store.Store, holder, name, document string) {
	t.Helper()
	in(t, s, func(tx *store.Tx) error {
		return tx.Put(&store.InlinePolicy{Holder: holder, Name: name, Account: acct, Document: document})
	})
}

// allocate takes an address, as an action does.
func allocate(ctx context.Context, s *store.Store, who action.Caller, n int) error {
	return s.InTx(ctx, func(tx *store.Tx) error {
		if err := Check(tx, who, Addresses, 1); err != nil {
			return err
		}
		return tx.Add(&store.Address{Address: fmt.Sprintf("192.0.2.%d", n), Account: who.Account, Creator: Creator(who)})
	})
}

func TestFiftyAtOnceDoNotExceedALimit(t *testing.T) {
	s := newStore(t)
	lay(t, s, acct, "seven", statement("Limit", Addresses, "7"))
	lay(t, s, "AIDAANN", "three", statement("Limit", Addresses, "3"))
	var wg sync.WaitGroup
	got := make([]error, 50)
	for i := range got {
		wg.Go(func() { got[i] = allocate(t.Context(), s, []action.Caller{root, ann}[i%2], i) })
	}
	wg.Wait()
	made := 0
	for _, err := range got {
		if err == nil {
			made++
		} else if fault.CodeOf(err) != "AddressLimitExceeded" {
			t.Error(err)
		}
	}
	in(t, s, func(tx *store.Tx) error {
		all, err := tx.Held(Addresses, acct, "")
		hers, err2 := tx.Held(Addresses, acct, "AIDAANN")
		if made != 7 || all != 7 || hers > 3 {
			t.Errorf("%d answered, %d held, %d of them hers", made, all, hers)
		}
		return errors.Join(err, err2)
	})
}

func TestWhoseLimitCounts(t *testing.T) {
	s := newStore(t)
	left := func(who action.Caller, name string, want int64, maker, by string) {
		t.Helper()
		in(t, s, func(tx *store.Tx) error {
			d, err := For(tx, who)
			if err != nil {
				return err
			}
			b, err := d.Left(name)
			if b.Left() != want || b.Maker != maker || b.By != by {
				t.Errorf("%s: %+v, want %d", who.ARN, b, want)
			}
			return err
		})
	}
	left(root, Addresses, 20, "", "")
	left(root, Memory, None, "", "")
	lay(t, s, acct, "many", statement("Limit", Addresses, "90")) // in place of the default
	left(root, Addresses, 90, "", "many")
	lay(t, s, acct, "fewer", statement("Limit", Addresses, "30"))
	left(ann, Addresses, 30, "", "fewer")
	lay(t, s, acct, "zero", statement("Allow", Addresses, "0"))
	left(root, Addresses, 30, "", "fewer")
	lay(t, s, "AGPADEV", "group", statement("Limit", Addresses, "5"))
	left(ann, Addresses, 5, ann.ARN, "group")
	left(ops, Addresses, 30, "", "fewer")
	in(t, s, func(tx *store.Tx) error { // attached, the version that counts
		return errors.Join(
			tx.Put(&store.ManagedPolicy{ID: "ANPA1", Account: acct, Name: "bounds", Folded: "bounds", Path: "/", ARN: "arn:aws:iam::" + acct + ":policy/bounds", DefaultVersion: 2, Tags: store.Labels{}}),
			tx.Put(&store.PolicyVersion{Policy: "ANPA1", Number: 1, Account: acct, Document: statement("Limit", Addresses, "1")}),
			tx.Put(&store.PolicyVersion{Policy: "ANPA1", Number: 2, Account: acct, Document: statement("Limit", Addresses, "2")}),
			tx.Put(&store.PolicyAttachment{Holder: "AROAOPS", Policy: "arn:aws:iam::" + acct + ":policy/bounds", Account: acct}),
			tx.Put(&store.PolicyAttachment{Holder: "AROAOPS", Policy: "arn:aws:iam::aws:policy/ReadOnlyAccess", Account: acct}))
	})
	left(ops, Addresses, 2, ops.ARN, "bounds")
	for i, who := range []action.Caller{ops, ann, ann, root} {
		if err := allocate(t.Context(), s, who, i); err != nil {
			t.Fatal(err)
		}
	}
	left(ops, Addresses, 1, ops.ARN, "bounds")
	left(ann, Addresses, 3, ann.ARN, "group")
	left(root, Addresses, 26, "", "fewer")
	lay(t, s, "AROAOPS", "escaped", strings.Replace(statement("Limit", Addresses, "0"), "Limit", `\u004cimit`, 1))
	left(ops, Addresses, 0, ops.ARN, "escaped")
	if err := allocate(t.Context(), s, ops, 9); fault.CodeOf(err) != "AddressLimitExceeded" || !strings.Contains(err.Error(), "escaped") {
		t.Error(err)
	}
}

func TestEachQuotaIsCountedWhereTheStoreHasIt(t *testing.T) {
	s := newStore(t)
	elsewhere := map[string]bool{Buckets: true, Objects: true, Bytes: true, VolumeGiB: true}
	in(t, s, func(tx *store.Tx) error {
		for _, q := range All() {
			if store.Counts(q.Name) == elsewhere[q.Name] {
				t.Errorf("%s: counted %v", q.Name, !elsewhere[q.Name])
			}
			if !elsewhere[q.Name] {
				if _, err := tx.Held(q.Name, acct, "AIDAANN"); err != nil {
					t.Error(err)
				}
			}
			if !policy.IsQuota(q.Name) || q.Code == "" || len(q.Actions) == 0 || q.Title == "" {
				t.Errorf("%+v", q)
			}
			if n, by := q.limit(acct, []*policy.Policy{parsed(t, q.Name)}); n != 4 || by != "p" {
				t.Errorf("%s: %d by %q", q.Name, n, by)
			}
		}
		return nil
	})
}

func parsed(t *testing.T, key string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(statement("Limit", key, "4")), policy.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	p.Name = "p"
	return p
}

func TestWhoMakes(t *testing.T) {
	federated := &identity.Rights{Identity: &identity.Identity{Kind: identity.Federated, Account: acct, ID: acct + ":bob", Holder: "AIDAANN"}}
	for _, c := range []struct {
		who  action.Caller
		want string
	}{
		{root, ""}, {ann, "AIDAANN"}, {ops, "AROAOPS"},
		{action.Caller{Account: acct, UserID: acct + ":bob"}, ""},
		{action.Caller{Account: acct, UserID: acct + ":bob", Rights: federated}, "AIDAANN"},
	} {
		if got := Creator(c.who); got != c.want {
			t.Errorf("%+v: %q, want %q", c.who, got, c.want)
		}
	}
}

func TestTheIAMRefusalIsIAMs(t *testing.T) {
	s := newStore(t)
	lay(t, s, acct, "p", statement("Limit", "iam:quota-usernumber", "1"))
	err := s.InTx(t.Context(), func(tx *store.Tx) error { return Check(tx, root, "iam:quota-usernumber", 1) })
	if f := fault.Of(err); f.Code != "LimitExceeded" || f.Kind != fault.Conflict || !strings.Contains(f.Text, "Cannot exceed quota for UsersPerAccount: 1") {
		t.Error(err)
	}
}

func TestAnEndByPolicy(t *testing.T) {
	s := newStore(t)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	keep := func(minutes string) string {
		return `{"Statement":{"Effect":"Limit","Action":"ec2:RunInstances","Resource":"*","Condition":{"NumericEquals":{"ec2:KeepAlive":"` + minutes + `"}}}}`
	}
	ends := func(who action.Caller, want time.Duration, by string) {
		t.Helper()
		in(t, s, func(tx *store.Tx) error {
			d, err := For(tx, who)
			if err != nil {
				return err
			}
			at, name := d.Expiry(now)
			if (at == nil) != (want == 0) || at != nil && !at.Equal(now.Add(want)) || name != by {
				t.Errorf("%s: %v by %q", who.ARN, at, name)
			}
			return err
		})
	}
	ends(ann, 0, "")
	lay(t, s, acct, "day", keep("1440"))
	ends(root, 24*time.Hour, "day")
	lay(t, s, "AIDAANN", "hour", keep("60"))
	ends(ann, time.Hour, "hour")
	ends(ops, 24*time.Hour, "day")
}

func TestASessionOrABoundaryThatLimitsDoesSo(t *testing.T) {
	s := newStore(t)
	narrowed := func(who action.Caller, boundary, session string) action.Caller {
		i := &identity.Identity{Account: acct, ARN: who.ARN, ID: who.UserID}
		if boundary != "" {
			i.Boundary = []identity.Document{{Name: "boundary", Text: boundary}}
		}
		if session != "" {
			i.Session = []identity.Document{{Name: "session", Text: session}}
		}
		var err error
		if who.Rights, err = i.Compile(nil); err != nil {
			t.Fatal(err)
		}
		return who
	}
	two := statement("Limit", Addresses, "2")
	for i := range 2 {
		if err := allocate(t.Context(), s, narrowed(ops, "", two), i); err != nil {
			t.Fatal(err)
		}
	}
	for name, who := range map[string]action.Caller{
		"session": narrowed(ops, "", two), "boundary": narrowed(ops, two, ""), "the tighter one": narrowed(ops, two, statement("Limit", Addresses, "3")),
	} {
		if err := allocate(t.Context(), s, who, 7); fault.CodeOf(err) != "AddressLimitExceeded" || !strings.Contains(err.Error(), ops.ARN) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := allocate(t.Context(), s, narrowed(ops, "", statement("Limit", Addresses, "3")), 3); err != nil {
		t.Error(err)
	}
	if err := allocate(t.Context(), s, ops, 4); err != nil {
		t.Error(err)
	}
	if err := allocate(t.Context(), s, narrowed(root, "", statement("Limit", Addresses, "4")), 5); fault.CodeOf(err) != "AddressLimitExceeded" {
		t.Errorf("a session of the account itself: %v", err)
	}
}
