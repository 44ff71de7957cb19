package s3

import (
	"encoding/xml"
	"net/http"
)

var _ = define(operation{Name: "ListParts", Action: "s3:ListMultipartUploadParts", Method: http.MethodGet, On: onObject, Sub: "uploadId", Run: (*call).listParts})

type partXML struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int64
	checksumXML
}

type listPartsXML struct {
	XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
	Bucket               string
	Key                  string
	UploadID             string `xml:"UploadId"`
	Initiator            ownerXML
	Owner                ownerXML
	StorageClass         string
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	ChecksumAlgorithm    string    `xml:",omitempty"`
	ChecksumType         string    `xml:",omitempty"`
	Parts                []partXML `xml:"Part"`
}

func (c *call) listParts() error {
	most, err := c.number("max-parts", maxKeys)
	if err != nil {
		return err
	}
	marker := 0
	if c.query.Get("part-number-marker") != "" {
		if marker, err = c.number("part-number-marker", maxParts); err != nil {
			return err
		}
	}
	u, err := c.Uploads.Upload(c.ctx, c.bucket, c.key, c.query.Get("uploadId"))
	if err != nil {
		return err
	}
	parts, more, err := c.Uploads.Parts(c.ctx, u.ID, marker, max(most, 1))
	if err != nil {
		return err
	}
	if most == 0 {
		parts, more = nil, false
	}
	out := listPartsXML{
		Bucket: c.bucket, Key: c.key, UploadID: u.ID, Initiator: owner(u.Account), Owner: owner(c.b.Owner), StorageClass: classOfUpload(u),
		PartNumberMarker: marker, NextPartNumberMarker: marker, MaxParts: most, IsTruncated: more,
	}
	c.showAbort(u)
	if u.Asked {
		out.ChecksumAlgorithm, out.ChecksumType = string(u.Algorithm), checksumType(u.Composite)
	}
	for _, p := range parts {
		x := partXML{PartNumber: p.Number, LastModified: stamp(p.Modified), ETag: quote(p.ETag), Size: p.Size}
		if u.Asked {
			x.checksumXML = checksumOf(u.Algorithm, p.Checksum)
		}
		out.Parts = append(out.Parts, x)
		out.NextPartNumberMarker = p.Number
	}
	c.xml(http.StatusOK, out)
	return nil
}
