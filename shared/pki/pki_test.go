package pki

import (
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var (
	now     = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	cluster = Identity{Role: Clusterctl, Zone: "z1"}
	node    = Identity{Role: Nodectl, Zone: "z1", Name: "n1"}
)

func enroll(t *testing.T, ca *Credentials, id Identity) *Credentials {
	t.Helper()
	c, err := tryEnroll(t, ca, id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryEnroll(t *testing.T, ca *Credentials, id Identity) (*Credentials, error) {
	t.Helper()
	key, err := Key(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	csr, err := Request(key, id)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := ca.Issue(csr, now)
	if err != nil {
		return nil, err
	}
	return Enrolled(key, chain, ca.RootPEM(), now)
}

func root(t *testing.T) *Credentials {
	t.Helper()
	r, err := NewRoot(now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEachIsWhoItsChainSays(t *testing.T) {
	r := root(t)
	cc := enroll(t, r, cluster)
	n := enroll(t, cc, node)
	if len(n.Chain) != 2 || n.Identity() != node {
		t.Fatalf("%d certificates for %v", len(n.Chain), n.Identity())
	}
	for _, c := range []*Credentials{cc, n, enroll(t, r, Identity{Role: Walrus}), enroll(t, r, Identity{Role: Blockstore, Zone: "z1"})} {
		if id, err := Verify(c.Chain, r.Root, now); err != nil || id != c.Identity() {
			t.Errorf("%v: %v %v", c.Identity(), id, err)
		}
		if _, err := Verify(c.Chain, root(t).Root, now); err == nil {
			t.Errorf("%v is believed under another root", c.Identity())
		}
		if _, err := Verify(c.Chain, r.Root, now.Add(certLife+time.Hour)); err == nil {
			t.Errorf("%v is believed after its end", c.Identity())
		}
		if c.Due(now) || !c.Due(now.Add(certLife*3/4)) {
			t.Errorf("%v is renewed at the wrong time", c.Identity())
		}
	}
}

func TestAClusterVouchesForItsOwnNodesAlone(t *testing.T) {
	r := root(t)
	cc := enroll(t, r, cluster)
	for _, id := range []Identity{{Role: Cloudctl}, {Role: Walrus}, {Role: Clusterctl, Zone: "z1"}, {Role: Blockstore, Zone: "z1"}, {Role: Nodectl, Zone: "z2", Name: "n1"}} {
		if _, err := tryEnroll(t, cc, id); err == nil {
			t.Errorf("the cluster issued to %v", id)
		}
		// What Issue refuses a stolen key can still sign: Verify must not believe it.
		key, _ := Key(t.TempDir())
		tmpl := template(id.String(), now, time.Hour)
		tmpl.DNSNames, tmpl.ExtKeyUsage = []string{id.String()}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		cert, err := sign(tmpl, cc.Chain[0], key.Public(), cc.Key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify([]*x509.Certificate{cert, cc.Chain[0]}, r.Root, now); err == nil {
			t.Errorf("a forged %v is believed", id)
		}
	}
	if _, err := tryEnroll(t, enroll(t, cc, node), node); err == nil {
		t.Error("a node issued a certificate")
	}
}

func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	if _, err := Load(dir); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("nothing there: %v", err)
	}
	key, err := Key(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Key(dir); err != nil || !again.Equal(key) {
		t.Fatalf("the key changed between two tries: %v", err)
	}
	c := enroll(t, root(t), cluster)
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	got, err := Load(dir)
	if err != nil || got.Identity() != cluster || !got.Root.Equal(c.Root) {
		t.Fatalf("%v %v", got, err)
	}
	for _, f := range []string{KeyFile, CertFile, RootFile} {
		if st, err := os.Stat(filepath.Join(dir, f)); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", f, st.Mode(), err)
		}
	}
	if err := writeKey(dir, ed25519.NewKeyFromSeed(make([]byte, 32))); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a certificate beside another key was loaded")
	}
}

func TestNames(t *testing.T) {
	for _, s := range []string{"cloudctl.karri", "walrus.karri", "us-east-1a.clusterctl.karri", "z.blockstore.karri", "n.z.nodectl.karri"} {
		if id, err := Parse(s); err != nil || id.String() != s {
			t.Errorf("%s: %v %v", s, id, err)
		}
	}
	for _, s := range []string{"", "karri", ".karri", "cloudctl", "x.cloudctl.karri", "clusterctl.karri", "a.b.clusterctl.karri",
		"z.nodectl.karri", "x.n.z.nodectl.karri", "N.z.nodectl.karri", "*.z.nodectl.karri", "-n.z.nodectl.karri", "n..nodectl.karri", "evil.karri"} {
		if id, err := Parse(s); err == nil {
			t.Errorf("%q was taken for %v", s, id)
		}
	}
}

func FuzzRequested(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	csr, _ := Request(key, node)
	f.Add(csr)
	f.Add([]byte("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if id, _, err := Requested(b); err == nil && id.check() != nil {
			t.Errorf("%v passed", id)
		}
	})
}
