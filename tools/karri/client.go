package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"karri/shared/sign"
)

// A client speaks to one cloud as one user.
type client struct {
	profile
	http *http.Client
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

func newClient(p profile) (*client, error) {
	c := &client{profile: p, http: &http.Client{Timeout: time.Minute}}
	if p.caBundle != "" {
		pem, err := os.ReadFile(p.caBundle)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", envCABundle, err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no certificate in %s", envCABundle, p.caBundle)
		}
		c.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	}
	return c, nil
}

// A refusal is an answer of the cloud that is not a success.
type refusal struct {
	Code, Message, RequestID string
	Status                   int
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s: %s (request %s)", r.Code, r.Message, r.RequestID)
}

// call asks the cloud for an action, with parameters named as the public model
// names them, and returns the members of the answer, numbers as json.Number.
func (c *client) call(ctx context.Context, service, action string, params map[string]any) (map[string]any, error) {
	body, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.endpoint, "/")+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", service+"."+action)
	if err := sign.Request(r, c.keys, sign.Scope{Region: c.region, Service: service, At: time.Now()}, ""); err != nil {
		return nil, err
	}
	status, answer, header, err := c.do(r)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	if err := d.Decode(&out); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s answers %d with what is not JSON", c.endpoint, status)
	}
	if status != http.StatusOK {
		return nil, refused(status, out, header)
	}
	return out, nil
}

func refused(status int, out map[string]any, header http.Header) *refusal {
	f := &refusal{Status: status, RequestID: header.Get("X-Amzn-Requestid")}
	for k, v := range out {
		s, _ := v.(string)
		switch strings.ToLower(strings.TrimLeft(k, "_")) {
		case "type", "code":
			f.Code = s
		case "message", "text":
			f.Message = s
		}
	}
	return f
}

func (c *client) do(r *http.Request) (int, []byte, http.Header, error) {
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("%w; is the cloud up? (tools/up starts one)", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, b, resp.Header, err
}

// catalog asks the cloud for all that can be asked of it.
func (c *client) catalog(ctx context.Context) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.endpoint, "/")+"/catalog", nil)
	if err != nil {
		return nil, err
	}
	status, b, _, err := c.do(r)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s/catalog answers %d", c.endpoint, status)
	}
	return b, err
}
