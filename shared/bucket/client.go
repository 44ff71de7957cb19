package bucket

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"karri/shared/fault"
	"karri/shared/rest"
)

const (
	// Root is where walrus serves its operations to components.
	Root = "/v1/s3"
	// ForHeader names the account whose rights a component reads with.
	ForHeader = rest.ForHeader
	// AsHeader names the service in whose name cloudctl puts an object, which the
	// bucket's policy must let in.
	AsHeader = "X-Karri-As"
	// SourceARNHeader and SourceAccountHeader say on behalf of what, and of whom.
	SourceARNHeader = "X-Karri-Source-Arn"
	// SourceAccountHeader is described at SourceARNHeader.
	SourceAccountHeader = "X-Karri-Source-Account"
	// SizeHeader announces how many bytes a streamed body has.
	SizeHeader = "X-Karri-Size"
)

// Client is the Store that speaks to walrus.
type Client struct {
	rest    *rest.Client
	account string
}

// New returns a Store over a client of walrus; the caller closes that.
func New(c *rest.Client) *Client { return &Client{rest: c} }

var _ Store = (*Client)(nil)

// For is Store's.
func (c *Client) For(account string) Store { return &Client{rest: c.rest, account: account} }

func (c *Client) do(ctx context.Context, method, bucket, key string, r rest.Request) (*http.Response, error) {
	r.Method, r.Path = method, Root+"/"+bucket
	if key != "" {
		r.Path += "/" + key
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if c.account != "" {
		r.Header.Set(ForHeader, c.account)
	}
	return c.rest.Do(ctx, r)
}

// done ends an answer that nothing more is wanted of.
func done(res *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	_ = res.Body.Close()
}

// Make is Store's.
func (c *Client) Make(ctx context.Context, bucket string) error {
	res, err := c.do(ctx, http.MethodPut, bucket, "", rest.Request{})
	if fault.CodeOf(err) == "BucketAlreadyOwnedByYou" {
		return nil
	}
	if err != nil {
		return err
	}
	done(res)
	return nil
}

// Put is Store's.
func (c *Client) Put(ctx context.Context, bucket, key string, r io.Reader, size int64) (Object, error) {
	h := http.Header{}
	h.Set(SizeHeader, strconv.FormatInt(size, 10))
	res, err := c.do(ctx, http.MethodPut, bucket, key, rest.Request{Header: h, Stream: r})
	if err != nil {
		return Object{}, err
	}
	defer done(res)
	modified, err := http.ParseTime(res.Header.Get("Last-Modified"))
	if err != nil {
		modified = time.Now()
	}
	return Object{Key: key, Size: size, ETag: unquote(res.Header.Get("ETag")), Modified: modified}, nil
}

// Get is Store's.
func (c *Client) Get(ctx context.Context, bucket, key string, off, n int64) (io.ReadCloser, Object, error) {
	if off < 0 || n == 0 {
		return nil, Object{}, InvalidRange
	}
	h := http.Header{}
	switch {
	case n > 0:
		h.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+min(n, 1<<62-off)-1))
	case off > 0:
		h.Set("Range", fmt.Sprintf("bytes=%d-", off))
	}
	res, err := c.do(ctx, http.MethodGet, bucket, key, rest.Request{Header: h})
	if off == 0 && n > 0 && fault.CodeOf(err) == InvalidRange.Code { // an object of no bytes has no first one
		return c.Get(ctx, bucket, key, 0, -1)
	}
	if err != nil {
		return nil, Object{}, err
	}
	return res.Body, objectOf(key, res), nil
}

// Head is Store's.
func (c *Client) Head(ctx context.Context, bucket, key string) (Object, error) {
	res, err := c.do(ctx, http.MethodHead, bucket, key, rest.Request{})
	if err != nil {
		switch fault.KindOf(err) { // the answer has no body that could name the code
		case fault.Missing:
			return Object{}, NoSuchKey.Because(err)
		case fault.Denied:
			return Object{}, AccessDenied.Because(err)
		}
		return Object{}, err
	}
	defer done(res)
	return objectOf(key, res), nil
}

// Delete is Store's.
func (c *Client) Delete(ctx context.Context, bucket, key string) error {
	res, err := c.do(ctx, http.MethodDelete, bucket, key, rest.Request{})
	if err != nil {
		return err
	}
	done(res)
	return nil
}

// List is Store's.
func (c *Client) List(ctx context.Context, bucket, prefix, after string, limit int) (Page, error) {
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	q := url.Values{"list-type": {"2"}, "encoding-type": {"url"}, "prefix": {prefix}, "start-after": {after}, "max-keys": {strconv.Itoa(limit)}}
	res, err := c.do(ctx, http.MethodGet, bucket, "", rest.Request{Query: q})
	if err != nil {
		return Page{}, err
	}
	defer done(res)
	var x struct {
		IsTruncated bool
		Contents    []struct {
			Key          string
			Size         int64
			ETag         string
			LastModified time.Time
		}
	}
	if err := xml.NewDecoder(res.Body).Decode(&x); err != nil {
		return Page{}, fmt.Errorf("answer of walrus: %w", err)
	}
	page := Page{More: x.IsTruncated}
	for _, o := range x.Contents {
		key, err := url.QueryUnescape(o.Key)
		if err != nil {
			return Page{}, fmt.Errorf("answer of walrus: %w", err)
		}
		page.Objects = append(page.Objects, Object{Key: key, Size: o.Size, ETag: unquote(o.ETag), Modified: o.LastModified})
	}
	return page, nil
}

// Buckets is Store's.
func (c *Client) Buckets(ctx context.Context) ([]string, error) {
	names := []string{}
	for token := ""; ; {
		q := url.Values{}
		if token != "" {
			q.Set("continuation-token", token)
		}
		res, err := c.do(ctx, http.MethodGet, "", "", rest.Request{Query: q})
		if err != nil {
			return nil, err
		}
		var x struct {
			Names             []string `xml:"Buckets>Bucket>Name"`
			ContinuationToken string
		}
		err = xml.NewDecoder(res.Body).Decode(&x)
		done(res)
		if err != nil {
			return nil, fmt.Errorf("answer of walrus: %w", err)
		}
		names = append(names, x.Names...)
		if token = x.ContinuationToken; token == "" {
			return names, nil
		}
	}
}

// Copy is Store's.
func (c *Client) Copy(ctx context.Context, from, to Ref) (Object, error) {
	h := http.Header{}
	source := url.URL{Path: "/" + from.Bucket + "/" + from.Key}
	h.Set("X-Amz-Copy-Source", strings.ReplaceAll(source.EscapedPath(), "?", "%3F"))
	res, err := c.do(ctx, http.MethodPut, to.Bucket, to.Key, rest.Request{Header: h})
	if err != nil {
		return Object{}, err
	}
	done(res)
	own := Client{rest: c.rest}
	return own.Head(ctx, to.Bucket, to.Key)
}

func objectOf(key string, res *http.Response) Object {
	o := Object{Key: key, Size: res.ContentLength, ETag: unquote(res.Header.Get("ETag"))}
	if _, total, ok := strings.Cut(res.Header.Get("Content-Range"), "/"); ok {
		if n, err := strconv.ParseInt(total, 10, 64); err == nil {
			o.Size = n
		}
	}
	if t, err := http.ParseTime(res.Header.Get("Last-Modified")); err == nil {
		o.Modified = t
	}
	return o
}

func unquote(etag string) string { return strings.Trim(etag, `"`) }
