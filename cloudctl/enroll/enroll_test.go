package enroll

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"
	"time"

	"karri/cloudctl/account"
	"karri/cloudctl/store"
	"karri/cloudctl/storetest"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/rest"
)

type fixture struct {
	*Desk
	t   *testing.T
	now time.Time
}

func open(t *testing.T) *fixture {
	t.Helper()
	s, v, _ := storetest.Open(t)
	f := &fixture{t: t, now: time.Now()}
	clock := func() time.Time { return f.now }
	root, err := pki.NewRoot(f.now)
	if err != nil {
		t.Fatal(err)
	}
	f.Desk = &Desk{Store: s, Accounts: &account.Book{Store: s, Vault: v, Clock: clock}, Root: root, Clock: clock}
	if err := f.Open(t.Context(), "10.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) token(who pki.Identity) string {
	f.t.Helper()
	j, err := f.NewToken(f.t.Context(), who)
	if err != nil {
		f.t.Fatal(err)
	}
	return j.Secret
}

// join asks to be let in with a secret and a key.
func (f *fixture) join(who pki.Identity, secret string, key ed25519.PrivateKey) error {
	f.t.Helper()
	csr, err := pki.Request(key, who)
	if err != nil {
		f.t.Fatal(err)
	}
	reply, err := f.Admit(f.t.Context(), who, rest.JoinRequest{Secret: secret, CSR: csr, Address: "10.0.0.2:2"})
	if err == nil {
		_, err = pki.Enrolled(key, reply.Chain, reply.Root, f.now)
	}
	return err
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestATokenLetsOneComponentInOnce(t *testing.T) {
	f := open(t)
	cluster, mine, other := pki.Identity{Role: pki.Clusterctl, Zone: "us-east-1a"}, newKey(t), newKey(t)
	secret := f.token(cluster)
	for name, who := range map[string]pki.Identity{"other zone": {Role: pki.Clusterctl, Zone: "us-east-1b"}, "other role": {Role: pki.Blockstore, Zone: "us-east-1a"}} {
		if err := f.join(who, secret, mine); fault.CodeOf(err) != "InvalidToken" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 { // the answer to the first may have been lost
		if err := f.join(cluster, secret, mine); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.join(cluster, secret, other); fault.CodeOf(err) != "InvalidToken" {
		t.Errorf("a used token lets another key in: %v", err)
	}
	var zones []string
	if err := f.Store.View(t.Context(), func(tx *store.Tx) (err error) { zones, err = tx.Zones(); return err }); err != nil || len(zones) != 1 {
		t.Errorf("zones %v, %v", zones, err)
	}
}

func TestOldAndUnknownTokensAreRefused(t *testing.T) {
	f := open(t)
	walrus := pki.Identity{Role: pki.Walrus}
	secret := f.token(walrus)
	if err := f.join(walrus, "guess", newKey(t)); fault.CodeOf(err) != "InvalidToken" {
		t.Errorf("a guess: %v", err)
	}
	f.now = f.now.Add(tokenLife + time.Second)
	if err := f.join(walrus, secret, newKey(t)); fault.CodeOf(err) != "InvalidToken" {
		t.Errorf("an old token: %v", err)
	}
}

func TestTokensAreForWhatJoinsHere(t *testing.T) {
	f := open(t)
	for _, who := range []pki.Identity{{Role: pki.Nodectl, Zone: "z", Name: "n"}, {Role: pki.Cloudctl}, {Role: pki.Clusterctl}, {Role: pki.Walrus, Zone: "z"}, {Role: pki.Blockstore, Zone: "a.b"}} {
		if _, err := f.NewToken(t.Context(), who); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", who, err)
		}
	}
}
