package bucket

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// What the administrator sees and sets of all buckets is asked of walrus by
// cloudctl at these paths, of one bucket at BucketsPath/NAME.
const (
	BucketsPath  = "/v1/buckets"
	AccountsPath = "/v1/accounts"
)

// An Amount is how much is held, or may be; 0 in a quota is no bound, and
// Nothing lets there be no more at all.
type Amount struct {
	Objects int64 `json:"objects"`
	Bytes   int64 `json:"bytes"`
	Buckets int64 `json:"buckets,omitempty"` // of an account
}

// Nothing is the bound of what there may be none of.
const Nothing = -1

// Held is a bucket and what is in it.
type Held struct {
	Name       string    `json:"name"`
	Owner      string    `json:"owner"`
	Created    time.Time `json:"created"`
	Versioning string    `json:"versioning,omitempty"`
	Settings   []string  `json:"settings,omitempty"` // names of those that are set
	Used       Amount    `json:"used"`
	Quota      Amount    `json:"quota"`
}

// Share is what an account holds in all its buckets, and may hold.
type Share struct {
	Used  Amount `json:"used"`
	Quota Amount `json:"quota"`
}

// Describe returns the buckets of an account ("": of all) by name; only the one
// called name unless that is "".
func (c *Client) Describe(ctx context.Context, account, name string) (all []Held, err error) {
	err = c.rest.Call(ctx, http.MethodGet, BucketsPath, url.Values{"account": {account}, "name": {name}}, nil, &all)
	return all, err
}

// SetQuota bounds a bucket.
func (c *Client) SetQuota(ctx context.Context, name string, quota Amount) error {
	return c.rest.Call(ctx, http.MethodPut, BucketsPath+"/"+url.PathEscape(name)+"/quota", nil, quota, nil)
}

// Share returns what an account holds and may hold.
func (c *Client) Share(ctx context.Context, account string) (s Share, err error) {
	err = c.rest.Call(ctx, http.MethodGet, AccountsPath+"/"+url.PathEscape(account)+"/quota", nil, nil, &s)
	return s, err
}

// SetShare bounds what an account may hold in all its buckets.
func (c *Client) SetShare(ctx context.Context, account string, quota Amount) error {
	return c.rest.Call(ctx, http.MethodPut, AccountsPath+"/"+url.PathEscape(account)+"/quota", nil, quota, nil)
}
