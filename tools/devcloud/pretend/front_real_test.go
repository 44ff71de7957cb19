//go:build real

package pretend

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	frontIP     = "198.51.100.7"
	frontName   = "cloud.test"
	frontDomain = "s3.cloud.test"
)

// apart runs the test again in a network of its own, with an address that is
// not loopback's and the names of the cloud in /etc/hosts, and reports whether
// this is that run.
func apart(t *testing.T) bool {
	t.Helper()
	const mark = "KARRI_TEST_APART"
	if os.Getenv(mark) == t.Name() {
		return true
	}
	hosts := filepath.Join(t.TempDir(), "hosts")
	names := "127.0.0.1 localhost\n" + frontIP + " " + frontName + " " + frontDomain + " pond." + frontDomain + "\n"
	if err := os.WriteFile(hosts, []byte(names), 0o644); err != nil {
		t.Fatal(err)
	}
	const script = `set -e
ip link set lo up
ip addr add ` + frontIP + `/32 dev lo
mount --bind "$1" /etc/hosts
exec "$2" -test.run "^$3\$" -test.v`
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", script, "sh", hosts, os.Args[0], t.Name())
	cmd.Env = append(os.Environ(), mark+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// certify makes an authority and a certificate of it for the cloud's names.
func certify(t *testing.T, dir string) *Front {
	t.Helper()
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	issue := func(c, by *x509.Certificate, key, byKey *ecdsa.PrivateKey) *x509.Certificate {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, byKey)
		if err != nil {
			t.Fatal(err)
		}
		c, err = x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	var keys [2]*ecdsa.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	ca = issue(ca, ca, keys[0], keys[0])
	leaf := issue(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: frontName},
		DNSNames: []string{frontName, frontDomain, "*." + frontDomain}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, ca, keys[1], keys[0])
	der, err := x509.MarshalPKCS8PrivateKey(keys[1])
	if err != nil {
		t.Fatal(err)
	}
	f := &Front{IP: frontIP, Name: frontName, Domain: frontDomain, Roots: x509.NewCertPool()}
	f.Roots.AddCert(ca)
	f.Cert, f.Key = write("cert.pem", "CERTIFICATE", leaf.Raw), write("key.pem", "PRIVATE KEY", der)
	write("ca.pem", "CERTIFICATE", ca.Raw)
	return f
}

// a shell runs other people's programs as the administrator of a cloud.
type shell struct {
	t     *testing.T
	cloud *Cloud
	dir   string
	env   []string
}

// openFront starts a cloud that is reached by HTTPS alone.
func openFront(t *testing.T) *shell {
	t.Helper()
	dir := t.TempDir()
	c, err := Open(t.Context(), Config{Dir: filepath.Join(dir, "state"), Zones: 2, Hosts: 1, Front: certify(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return &shell{t: t, cloud: c, dir: dir, env: append(os.Environ(), "AWS_ACCESS_KEY_ID="+c.Keys.AccessKey, "AWS_SECRET_ACCESS_KEY="+c.Keys.Secret,
		"AWS_DEFAULT_REGION="+Region, "AWS_EC2_METADATA_DISABLED=true", "AWS_CA_BUNDLE="+filepath.Join(dir, "ca.pem"), "HOME="+dir)}
}

func (s *shell) try(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (s *shell) run(name string, args ...string) string {
	s.t.Helper()
	out, err := s.try(name, args...)
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func (s *shell) aws(url string, args ...string) string {
	s.t.Helper()
	return s.run("/usr/bin/aws", append([]string{"--endpoint-url", url, "--output", "text"}, args...)...)
}

func TestHTTPSBeyondLoopback(t *testing.T) {
	if !apart(t) {
		return
	}
	s := openFront(t)
	ec2, s3 := s.cloud.EC2(), s.cloud.S3()
	if !strings.HasPrefix(ec2, "https://"+frontName+":") {
		t.Fatal(ec2)
	}
	if arn := s.aws(ec2, "sts", "get-caller-identity", "--query", "Arn"); !strings.HasPrefix(arn, "arn:aws:iam::") {
		t.Errorf("the caller is %q", arn)
	}
	if zones := s.aws(ec2, "ec2", "describe-availability-zones", "--query", "AvailabilityZones[].ZoneName"); zones != "us-east-1a\tus-east-1b" {
		t.Errorf("the zones are %q", zones)
	}
	want := strings.Repeat("all of it\n", 1<<20)
	if err := os.WriteFile(filepath.Join(s.dir, "up"), []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
	s.aws(s3, "s3", "mb", "s3://pond")
	s.aws(s3, "s3", "cp", "--no-progress", "up", "s3://pond/up")
	s.aws(s3, "s3", "cp", "--no-progress", "s3://pond/up", "down")
	if got, err := os.ReadFile(filepath.Join(s.dir, "down")); err != nil || string(got) != want {
		t.Errorf("%d bytes came back: %v", len(got), err)
	}
	for _, url := range []string{ec2, s3} {
		plain := "http" + strings.TrimPrefix(url, "https")
		res, err := http.Get(plain)
		if err == nil {
			b, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode != http.StatusBadRequest || !strings.Contains(string(b), "HTTPS") {
				t.Errorf("%s: %s %s", plain, res.Status, b)
			}
		}
	}
	if out, err := s.try("env", "-u", "AWS_CA_BUNDLE", "/usr/bin/aws", "--endpoint-url", ec2, "sts", "get-caller-identity"); err == nil {
		t.Errorf("a client that does not know the authority believes the certificate: %s", out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log := &awaited{text: "plain HTTP is served on loopback only", seen: cancel}
	c, err := Open(ctx, Config{Dir: filepath.Join(s.dir, "bare"), Zones: 1, Hosts: 1, Front: &Front{IP: frontIP, Name: frontName},
		Log: slog.New(slog.NewTextHandler(log, nil))})
	if err == nil {
		c.Close()
	}
	if err == nil || context.Cause(ctx) != context.Canceled {
		t.Errorf("a public API without a certificate, beyond loopback: %v", err)
	}
}

// awaited is a log in which a text is waited for.
type awaited struct {
	text string
	seen func()
}

func (l *awaited) Write(b []byte) (int, error) {
	if strings.Contains(string(b), l.text) {
		l.seen()
	}
	return len(b), nil
}

func TestBucketsByTheNameOfTheHost(t *testing.T) {
	if !apart(t) {
		return
	}
	s := openFront(t)
	s3 := strings.Replace(s.cloud.S3(), frontName, frontDomain, 1)
	s.aws(s3, "configure", "set", "default.s3.addressing_style", "virtual")
	s.aws(s3, "s3api", "create-bucket", "--bucket", "pond")
	if err := os.WriteFile(filepath.Join(s.dir, "fish"), []byte("a fish"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.aws(s3, "s3api", "put-object", "--bucket", "pond", "--key", "a/b c", "--body", "fish")
	if keys := s.aws(s3, "s3api", "list-objects-v2", "--bucket", "pond", "--query", "Contents[].Key"); keys != "a/b c" {
		t.Errorf("the keys are %q", keys)
	}
	s.aws(s3, "s3api", "get-object", "--bucket", "pond", "--key", "a/b c", "out")
	if got, err := os.ReadFile(filepath.Join(s.dir, "out")); err != nil || string(got) != "a fish" {
		t.Errorf("got %q, %v", got, err)
	}
	url := s.aws(s3, "s3", "presign", "s3://pond/a/b c")
	if !strings.HasPrefix(url, "https://pond."+frontDomain) {
		t.Errorf("the client asks by path after all: %s", url)
	}
	if out := s.run("curl", "-sS", "--fail", "--cacert", filepath.Join(s.dir, "ca.pem"), url); out != "a fish" {
		t.Errorf("presigned: %q", out)
	}
	if log := s.run("/usr/bin/aws", "--debug", "--endpoint-url", s3, "s3api", "head-object", "--bucket", "pond", "--key", "a/b c"); !strings.Contains(log, "pond."+frontDomain) {
		t.Error("the client did not ask the host of the bucket")
	}
}
