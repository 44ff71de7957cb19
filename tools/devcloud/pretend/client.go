package pretend

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"karri/shared/sign"
)

// patience bounds what is waited for at a start.
const patience = time.Minute

// Client speaks to a cloud as one user, by the public APIs and no other way.
type Client struct {
	cloud *Cloud
	keys  sign.Credentials
	http  *http.Client
}

// As returns a client with the keys. Close it.
func (c *Cloud) As(keys sign.Credentials) *Client {
	t := &http.Transport{DialContext: c.dial("127.0.1.250")}
	if c.Front != nil {
		t.TLSClientConfig = &tls.Config{RootCAs: c.Front.Roots}
	}
	return &Client{c, keys, &http.Client{Timeout: time.Minute, Transport: t}}
}

// Close ends the connections that the client keeps.
func (u *Client) Close() { u.http.CloseIdleConnections() }

// A Refusal is an answer that is no success.
type Refusal struct {
	Status     int
	Code, Text string
	RequestID  string
}

// Error is error's.
func (r *Refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Text) }

// CodeOf returns the code of a refusal, "" for any other error and none.
func CodeOf(err error) string {
	if r, is := errors.AsType[*Refusal](err); is {
		return r.Code
	}
	return ""
}

// Call asks the service ("ec2", "sts", "karri") for an action, with members
// named as the public model names them, and returns those of the answer.
func (u *Client) Call(ctx context.Context, service, action string, params map[string]any) (map[string]any, error) {
	if params == nil {
		params = map[string]any{}
	}
	body, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.cloud.EC2()+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", service+"."+action)
	b, err := u.send(r, service)
	if err != nil && len(b) == 0 {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	out := map[string]any{}
	if len(b) > 0 {
		if bad := json.Unmarshal(b, &out); bad != nil {
			return nil, fmt.Errorf("%s answers %q: %w", action, b, errors.Join(bad, err))
		}
	}
	if refusal, is := errors.AsType[*Refusal](err); is {
		refusal.Code, refusal.Text = text(out, "__type", "code"), text(out, "message", "Message")
		return nil, fmt.Errorf("%s: %w", action, refusal)
	}
	return out, err
}

func text(m map[string]any, names ...string) string {
	for _, n := range names {
		if s, ok := m[n].(string); ok {
			return s
		}
	}
	return ""
}

// send signs and sends r; an answer that is no success is a Refusal.
func (u *Client) send(r *http.Request, service string) ([]byte, error) {
	if err := sign.Request(r, u.keys, sign.Scope{Region: Region, Service: service, At: time.Now()}, ""); err != nil {
		return nil, err
	}
	res, err := u.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err == nil && res.StatusCode/100 != 2 {
		err = &Refusal{Status: res.StatusCode, Text: string(b), RequestID: res.Header.Get("X-Amzn-Requestid")}
	}
	return b, err
}

// Put puts an object into a bucket, which it makes if need be.
func (u *Client) Put(ctx context.Context, bucket, key string, b []byte) error {
	for _, put := range []struct {
		path string
		body []byte
	}{{bucket, nil}, {bucket + "/" + key, b}} {
		r, err := http.NewRequestWithContext(ctx, http.MethodPut, u.cloud.S3()+"/"+put.path, bytes.NewReader(put.body))
		if err != nil {
			return err
		}
		_, err = u.send(r, "s3")
		if refusal, is := errors.AsType[*Refusal](err); err != nil && !(is && refusal.Status == http.StatusConflict) {
			return fmt.Errorf("put %s: %w", put.path, err)
		}
	}
	return nil
}

// List returns the structures of a list in an answer.
func List(out map[string]any, name string) (rows []map[string]any) {
	all, _ := out[name].([]any)
	for _, one := range all {
		if row, ok := one.(map[string]any); ok {
			rows = append(rows, row)
		}
	}
	return rows
}
