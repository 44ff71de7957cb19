package federation

import (
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	patience = 10 * time.Second
	maxBody  = 1 << 20
)

// client returns what asks the servers of one provider.
func (s *Issuers) client(thumbprints []string) *http.Client {
	reach := s.Reach
	if reach == nil {
		reach = public
	}
	dialer := &net.Dialer{Timeout: patience, Control: func(_, address string, _ syscall.RawConn) error { return reach(address) }}
	return &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("an issuer must not redirect") },
		Transport: &paced{clock: s.Clock, next: &http.Transport{
			DialContext: dialer.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: patience, MaxResponseHeaderBytes: 64 << 10,
			// The check that is skipped is done by trusted, which knows of the fingerprints.
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true,
				VerifyConnection: func(c tls.ConnectionState) error { return trusted(c, thumbprints, s.Clock()) }},
		}},
	}
}

// public refuses addresses that are of this host, of its link, or of nobody.
func public(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := at.Addr().Unmap()
	if ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return fmt.Errorf("an issuer must not be at %s", ip)
	}
	return nil
}

// trusted accepts a server whose chain ends at a well-known authority, or at a
// certificate with one of the fingerprints.
func trusted(c tls.ConnectionState, thumbprints []string, now time.Time) error {
	chain := c.PeerCertificates
	if len(chain) == 0 {
		return errors.New("the server shows no certificate")
	}
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{DNSName: c.ServerName, Intermediates: between, CurrentTime: now})
	if err == nil {
		return nil
	}
	for _, cert := range chain {
		sum := sha1.Sum(cert.Raw)
		if !slices.Contains(thumbprints, hex.EncodeToString(sum[:])) {
			continue
		}
		roots := x509.NewCertPool()
		roots.AddCert(cert)
		if _, err := chain[0].Verify(x509.VerifyOptions{DNSName: c.ServerName, Roots: roots, Intermediates: between, CurrentTime: now}); err == nil {
			return nil
		}
	}
	return err
}

// paced bounds what is fetched: in size, and in how often the same is.
type paced struct {
	next  http.RoundTripper
	clock func() time.Time
	mu    sync.Mutex
	last  map[string]time.Time
}

// RoundTrip implements http.RoundTripper.
func (p *paced) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, errors.New("an issuer is asked by https only")
	}
	if err := p.pass(r.URL.String()); err != nil {
		return nil, err
	}
	resp, err := p.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &bounded{resp.Body, maxBody}
	return resp, nil
}

// pass refuses what was fetched a moment ago.
func (p *paced) pass(url string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock()
	if last, ok := p.last[url]; ok && now.Sub(last) < refreshPace {
		return fmt.Errorf("%s was asked %s ago", url, now.Sub(last))
	}
	if p.last == nil || len(p.last) > 16 {
		p.last = map[string]time.Time{}
	}
	p.last[url] = now
	return nil
}

// bounded is a body that must not be longer.
type bounded struct {
	io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, fmt.Errorf("an issuer answers more than %d bytes", maxBody)
	}
	return n, err
}
