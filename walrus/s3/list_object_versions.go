package s3

import (
	"encoding/xml"
	"net/http"
)

var _ = define(operation{Name: "ListObjectVersions", Action: "s3:ListBucketVersions", Method: http.MethodGet, On: onBucket, Sub: "versions", Run: (*call).listObjectVersions})

type versionXML struct {
	Key          string
	VersionID    string `xml:"VersionId"`
	IsLatest     bool
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
	Owner        ownerXML
}

type listVersionsXML struct {
	XMLName             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
	Name                string
	Prefix              string
	KeyMarker           string
	VersionIDMarker     string `xml:"VersionIdMarker"`
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIDMarker string `xml:"NextVersionIdMarker,omitempty"`
	MaxKeys             int
	Delimiter           string `xml:",omitempty"`
	IsTruncated         bool
	EncodingType        string       `xml:",omitempty"`
	Versions            []versionXML `xml:"Version"`
	CommonPrefixes      []prefixXML  `xml:"CommonPrefixes"`
}

// listObjectVersions shows each object as the one version, null, that it has
// in a bucket without versions.
func (c *call) listObjectVersions() error {
	q, show, err := c.listing("max-keys", maxKeys)
	if err != nil {
		return err
	}
	q.After = c.query.Get("key-marker")
	marker := c.query.Get("version-id-marker")
	if marker != "" && marker != "null" {
		return invalidArgument("Invalid version id specified")
	}
	b, page, err := c.list(q)
	if err != nil {
		return err
	}
	out := listVersionsXML{
		Name: c.bucket, Prefix: show(q.Prefix), KeyMarker: show(q.After), VersionIDMarker: marker, MaxKeys: q.Max, Delimiter: show(q.Delimiter),
		IsTruncated: page.More, EncodingType: c.query.Get("encoding-type"), CommonPrefixes: prefixes(page.Prefixes, show),
	}
	if page.More {
		out.NextKeyMarker = show(page.Last)
		if n := len(page.Items); n > 0 && page.Items[n-1].Key == page.Last {
			out.NextVersionIDMarker = "null"
		}
	}
	who := owner(b.Owner)
	for _, e := range page.Items {
		out.Versions = append(out.Versions, versionXML{show(e.Key), "null", true, stamp(e.Modified), quote(e.ETag), e.Size, "STANDARD", who})
	}
	c.xml(http.StatusOK, out)
	return nil
}
