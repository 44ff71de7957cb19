package federation

import (
	"bytes"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	patience = 10 * time.Second
	maxBody  = 1 << 20
	// maxAnswers is how many are remembered of one provider.
	maxAnswers = 4
)

// client returns what asks the servers of one provider.
func (s *Issuers) client(thumbprints []string) *http.Client {
	reach := s.Reach
	if reach == nil {
		reach = (&networks{}).reach
	}
	// Control sees the address of each connection after its name was resolved, so
	// that a name that means another address the next time gains nothing.
	dialer := &net.Dialer{Timeout: patience, Resolver: s.resolver, Control: func(_, address string, _ syscall.RawConn) error { return reach(address) }}
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

// paced bounds what is fetched: in size, and in how often. Within a moment the
// same question gets the same answer.
type paced struct {
	next  http.RoundTripper
	clock func() time.Time
	mu    sync.Mutex
	last  map[string]*answer // by URL
}

// An answer is what a server said, or why it did not.
type answer struct {
	at     time.Time
	status int
	header http.Header
	body   []byte
	err    error
}

// RoundTrip implements http.RoundTripper.
func (p *paced) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || r.Method != http.MethodGet {
		return nil, errors.New("an issuer is asked by GET and https only")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	url, now := r.URL.String(), p.clock()
	a := p.last[url]
	if a == nil || now.Sub(a.at) >= refreshPace {
		if p.last == nil || len(p.last) >= maxAnswers {
			p.last = map[string]*answer{}
		}
		a = p.fetch(r)
		a.at = now
		p.last[url] = a
	}
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header.Clone(), Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: r,
	}, nil
}

// fetch asks the server.
func (p *paced) fetch(r *http.Request) *answer {
	resp, err := p.next.RoundTrip(r)
	if err != nil {
		return &answer{err: err}
	}
	defer resp.Body.Close()
	a := &answer{status: resp.StatusCode, header: resp.Header}
	if a.body, a.err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1)); a.err == nil && len(a.body) > maxBody {
		a.err, a.body = fmt.Errorf("an issuer answers more than %d bytes", maxBody), nil
	}
	return a
}
