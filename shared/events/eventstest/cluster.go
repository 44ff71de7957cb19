// Package eventstest is a cluster of NATS servers for tests, such as a company
// has outside of the cloud: three servers within the test's process, with TLS
// under an authority of their own, that let users in by a password, by an nkey,
// or by the certificate of a component.
//
// The servers have addresses of their own below 127.0.0.0/8, so that one that
// was stopped finds its ports again. They keep nothing and end with the test.
package eventstest

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// The nkey of user "nkey": its seed is a test's, known to everybody.
const (
	Seed   = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
	public = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
)

// A Cluster is three servers. Components is set before Start and means that
// they let in who shows a certificate under it, by the name in there.
type Cluster struct {
	CA         string // file of their authority
	Components *x509.Certificate

	t       testing.TB
	hosts   [3]string
	pair    tls.Certificate
	roots   *x509.CertPool
	servers [3]*server.Server
}

// Users are the users of a Cluster, and their passwords.
var Users = map[string]string{"cloudctl": "cloudctl-password", "walrus": "walrus-password", "outsider": "outsider-password", "reader": "reader-password"}

// New makes a cluster whose servers do not run.
func New(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{t: t, CA: filepath.Join(t.TempDir(), "nats-ca.pem")}
	raw := make([]byte, 2)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	for i := range c.hosts {
		c.hosts[i] = fmt.Sprintf("127.%d.%d.%d", 1+raw[0]%250, raw[1], 10+i)
	}
	c.certify()
	t.Cleanup(func() {
		for i := range c.servers {
			c.Stop(i)
		}
	})
	return c
}

// certify makes the authority, and one certificate for all servers.
func (c *Cluster) certify() {
	c.t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of NATS"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	root, err := x509.CreateCertificate(rand.Reader, ca, ca, pub, key)
	if err != nil {
		c.t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "nats"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for _, h := range c.hosts {
		leaf.IPAddresses = append(leaf.IPAddresses, net.ParseIP(h))
	}
	pub, own, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, pub, key)
	if err != nil {
		c.t.Fatal(err)
	}
	c.pair = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: own}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root})
	if err := os.WriteFile(c.CA, text, 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.roots = x509.NewCertPool()
	c.roots.AppendCertsFromPEM(text)
}

// Start starts all servers that do not run, and waits until each has a route
// to each other.
func (c *Cluster) Start() *Cluster {
	c.t.Helper()
	for i, s := range c.servers {
		if s == nil {
			c.start(i)
		}
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		whole := true
		for _, s := range c.servers {
			whole = whole && s.NumRoutes() >= 2
		}
		if whole {
			return c
		}
		if time.Now().After(end) {
			c.t.Fatal("the servers of NATS do not find each other")
		}
	}
}

func (c *Cluster) start(i int) {
	c.t.Helper()
	o := &server.Options{
		ServerName: fmt.Sprint("nats", i), Host: c.hosts[i], Port: 4222, NoSigs: true, NoLog: true, NoSystemAccount: true,
		TLS: true, TLSTimeout: 5, AuthTimeout: 6, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{c.pair}},
		Cluster: server.ClusterOpts{Name: "company", Host: c.hosts[i], Port: 6222, PoolSize: -1, TLSTimeout: 5, TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{c.pair}, RootCAs: c.roots, ClientCAs: c.roots, ClientAuth: tls.RequireAndVerifyClientCert}},
	}
	for j, h := range c.hosts {
		if j != i {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats-route", Host: h + ":6222"})
		}
	}
	may := map[string]*server.Permissions{
		"reader": {Publish: &server.SubjectPermission{Deny: []string{">"}}, Subscribe: &server.SubjectPermission{Allow: []string{"karri.>"}}},
		"walrus": {Publish: &server.SubjectPermission{Allow: []string{"karri.bucket.>"}}, Subscribe: &server.SubjectPermission{Allow: []string{"karri.identity.>"}}},
	}
	if c.Components != nil {
		pool := x509.NewCertPool()
		pool.AddCert(c.Components)
		o.TLSVerify, o.TLSMap, o.TLSConfig.ClientAuth, o.TLSConfig.ClientCAs = true, true, tls.RequireAndVerifyClientCert, pool
		o.Users = []*server.User{{Username: "cloudctl.karri"}, {Username: "walrus.karri", Permissions: may["walrus"]}}
	} else {
		for name, password := range Users {
			o.Users = append(o.Users, &server.User{Username: name, Password: password, Permissions: may[name]})
		}
		o.Nkeys = []*server.NkeyUser{{Nkey: public}}
	}
	s, err := server.NewServer(o)
	if err != nil {
		c.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		c.t.Fatalf("server %d of NATS does not listen", i)
	}
	c.servers[i] = s
}

// Stop ends a server at once, with all its connections.
func (c *Cluster) Stop(i int) {
	if s := c.servers[i]; s != nil {
		s.Shutdown()
		s.WaitForShutdown()
		c.servers[i] = nil
	}
}

// URLs are those of all servers, running or not.
func (c *Cluster) URLs() (urls []string) {
	for _, h := range c.hosts {
		urls = append(urls, "tls://"+h+":4222")
	}
	return urls
}

// Has returns how many connections each server has.
func (c *Cluster) Has() (n [3]int) {
	for i, s := range c.servers {
		if s != nil {
			n[i] = s.NumClients()
		}
	}
	return n
}

// Login writes a file with a user's name and password.
func (c *Cluster) Login(user string) (file string) {
	c.t.Helper()
	file = filepath.Join(c.t.TempDir(), user)
	if err := os.WriteFile(file, []byte(user+"\n"+Users[user]+"\n"), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return file
}

// Outsider is a program of somebody else that the cluster lets do all.
func (c *Cluster) Outsider() *Outsider {
	c.t.Helper()
	conn, err := nats.Connect(c.URLs()[0], nats.UserInfo("outsider", Users["outsider"]), nats.RootCAs(c.CA))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(conn.Close)
	return &Outsider{t: c.t, conn: conn}
}

// An Outsider hears all that is said, and says what it likes.
type Outsider struct {
	t    testing.TB
	conn *nats.Conn
}

// Say publishes a message.
func (o *Outsider) Say(subject string, message []byte) {
	o.t.Helper()
	if err := o.conn.Publish(subject, message); err != nil {
		o.t.Fatal(err)
	}
	if err := o.conn.Flush(); err != nil {
		o.t.Fatal(err)
	}
}

// Hear returns messages under a subject as they come.
func (o *Outsider) Hear(subject string) <-chan []byte {
	o.t.Helper()
	c := make(chan []byte, 1000)
	if _, err := o.conn.Subscribe(subject, func(m *nats.Msg) { c <- m.Data }); err != nil {
		o.t.Fatal(err)
	}
	if err := o.conn.Flush(); err != nil {
		o.t.Fatal(err)
	}
	return c
}

// Close ends the connection.
func (o *Outsider) Close() { o.conn.Close() }
