package s3

import "karri/shared/rest"

// listObjectsV2 is ListObjectsV2, which the query parameter list-type=2 asks
// for and not a sub-resource.
func (c *call) listObjectsV2() error {
	rest.Label(c.ctx, "ListObjectsV2")
	q, show, err := c.listing("max-keys", maxKeys)
	if err != nil {
		return err
	}
	start, token := c.query.Get("start-after"), c.query.Get("continuation-token")
	if c.query.Has("continuation-token") && token == "" {
		return invalidArgument("The continuation token provided is incorrect")
	}
	if q.After, err = openToken(token); err != nil {
		return err
	}
	if token == "" {
		q.After = start
	}
	b, page, err := c.list(q)
	if err != nil {
		return err
	}
	p := newPage("ListBucketResult", show)
	c.about(p, q)
	p.some("StartAfter", show(start))
	p.some("ContinuationToken", token)
	if page.More {
		p.some("NextContinuationToken", sealToken(page.Last))
	}
	p.number("KeyCount", int64(len(page.Items)+len(page.Prefixes)))
	bucketOwner := ""
	if c.query.Get("fetch-owner") == "true" {
		bucketOwner = b.Owner
	}
	c.shown(p, page, bucketOwner)
	return nil
}
