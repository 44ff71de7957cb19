package s3

import (
	"encoding/xml"
	"net/http"
	"time"

	"karri/walrus/index"
)

var _ = define(operation{Name: "ListBuckets", Action: "s3:ListAllMyBuckets", Method: http.MethodGet, On: onService, Run: (*call).listBuckets})

type ownerXML struct {
	ID          string
	DisplayName string
}

type bucketXML struct {
	Name         string
	CreationDate string
	BucketRegion string
}

type listBucketsXML struct {
	XMLName           xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Owner             ownerXML
	Buckets           []bucketXML `xml:"Buckets>Bucket"`
	ContinuationToken string      `xml:",omitempty"`
	Prefix            string      `xml:",omitempty"`
}

const maxBuckets = 10_000

func (c *call) listBuckets() error {
	most, err := c.number("max-buckets", maxBuckets)
	if err != nil {
		return err
	}
	after, err := openToken(c.query.Get("continuation-token"))
	if err != nil {
		return err
	}
	if r := c.query.Get("bucket-region"); r != "" && r != c.Region {
		most = 0
	}
	prefix := c.query.Get("prefix")
	account := c.who.Account
	if c.who.For != "" {
		account = c.who.For
	}
	var page index.Listing[*index.Bucket]
	if most > 0 {
		page, err = c.Buckets.BucketsOf(c.ctx, account, index.Query{Prefix: prefix, After: after, Max: most})
		if err != nil {
			return err
		}
	}
	out := listBucketsXML{Owner: owner(account), Prefix: prefix}
	for _, b := range page.Items {
		out.Buckets = append(out.Buckets, bucketXML{b.Name, stamp(b.Created), b.Region})
	}
	if page.More {
		out.ContinuationToken = sealToken(page.Last)
	}
	c.xml(http.StatusOK, out)
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
