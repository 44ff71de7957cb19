//go:build real

package pki

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// QEMU's storage daemon and its client speak TLS by GnuTLS, so GnuTLS must
// take our certificates, and refuse what the name constraint forbids.
func TestGnuTLSTakesTheChains(t *testing.T) {
	now = time.Now()
	r := root(t)
	cc := enroll(t, r, cluster)
	n := enroll(t, cc, node)
	verify := func(c *Credentials, purpose string) (string, error) {
		dir := t.TempDir()
		for f, b := range map[string][]byte{"ca": r.RootPEM(), "chain": append(c.ChainPEM(), r.RootPEM()...)} {
			if err := os.WriteFile(filepath.Join(dir, f), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command("certtool", "--verify", "--load-ca-certificate", filepath.Join(dir, "ca"),
			"--infile", filepath.Join(dir, "chain"), "--verify-hostname", c.Identity().String(), "--verify-purpose", purpose).CombinedOutput()
		return string(out), err
	}
	for _, c := range []*Credentials{n, cc, enroll(t, r, Identity{Role: Blockstore, Zone: "z1"})} {
		for _, purpose := range []string{"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"} {
			if out, err := verify(c, purpose); err != nil {
				t.Errorf("%s for %s: %v\n%s", c.Identity(), purpose, err, out)
			}
		}
	}
	key, _ := Key(t.TempDir())
	stranger := Identity{Role: Nodectl, Zone: "z2", Name: "n1"}
	csr := template(stranger.String(), now, time.Hour)
	csr.DNSNames = []string{stranger.String()}
	cert, err := sign(csr, cc.Chain[0], key.Public(), cc.Key)
	if err != nil {
		t.Fatal(err)
	}
	forged := &Credentials{Key: key, Root: r.Root}
	forged.Chain = append(forged.Chain, cert, cc.Chain[0])
	if out, err := verify(forged, "1.3.6.1.5.5.7.3.2"); err == nil {
		t.Errorf("a node of another zone was taken:\n%s", out)
	}
}
