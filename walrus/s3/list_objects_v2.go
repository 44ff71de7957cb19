package s3

import (
	"encoding/xml"
	"net/http"

	"karri/shared/rest"
)

type listObjectsV2XML struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                string
	StartAfter            string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	KeyCount              int
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	IsTruncated           bool
	EncodingType          string      `xml:",omitempty"`
	Contents              []entryXML  `xml:"Contents"`
	CommonPrefixes        []prefixXML `xml:"CommonPrefixes"`
}

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
	out := listObjectsV2XML{
		Name: c.bucket, Prefix: show(q.Prefix), StartAfter: show(start), ContinuationToken: token,
		KeyCount: len(page.Items) + len(page.Prefixes), MaxKeys: q.Max, Delimiter: show(q.Delimiter), IsTruncated: page.More,
		EncodingType: c.query.Get("encoding-type"), CommonPrefixes: prefixes(page.Prefixes, show),
	}
	if page.More {
		out.NextContinuationToken = sealToken(page.Last)
	}
	var who *ownerXML
	if c.query.Get("fetch-owner") == "true" {
		o := owner(b.Owner)
		who = &o
	}
	out.Contents = entries(page.Items, who, show)
	c.xml(http.StatusOK, out)
	return nil
}
