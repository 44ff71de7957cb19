package bucket

import (
	"bytes"
	"context"
	"net/http"
	"strconv"

	"karri/shared/rest"
)

// A Delivery is an object that a service of the cloud puts into the bucket of
// an account that asked for it.
type Delivery struct {
	Bucket, Key string
	Type        string // of the content
	Body        []byte
	Service     string // cloudtrail.amazonaws.com
	Source      string // ARN of what it is delivered for
	Account     string
	Meta        map[string]string // the user's metadata of the object
}

// Deliver puts the object if the bucket's policy lets the service in. A repeat
// puts the same object.
func (c *Client) Deliver(ctx context.Context, d Delivery) error {
	h := http.Header{}
	h.Set(SizeHeader, strconv.Itoa(len(d.Body)))
	h.Set(AsHeader, d.Service)
	h.Set(SourceARNHeader, d.Source)
	h.Set(SourceAccountHeader, d.Account)
	h.Set("Content-Type", d.Type)
	for name, value := range d.Meta {
		h.Set("X-Amz-Meta-"+name, value)
	}
	h.Set("X-Amz-Acl", "bucket-owner-full-control")
	res, err := c.do(ctx, http.MethodPut, d.Bucket, d.Key, rest.Request{Header: h, Stream: bytes.NewReader(d.Body)})
	if err != nil {
		return err
	}
	done(res)
	return nil
}
