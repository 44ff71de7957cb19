package s3

import (
	"encoding/xml"
	"net/http"

	"karri/walrus/index"
)

var _ = define(operation{Name: "ListMultipartUploads", Action: "s3:ListBucketMultipartUploads", Method: http.MethodGet, On: onBucket, Sub: "uploads", Run: (*call).listMultipartUploads})

type uploadXML struct {
	Key               string
	UploadID          string `xml:"UploadId"`
	Initiator         ownerXML
	Owner             ownerXML
	StorageClass      string
	Initiated         string
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

type listUploadsXML struct {
	XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
	Bucket             string
	KeyMarker          string
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      string `xml:",omitempty"`
	NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
	Prefix             string `xml:",omitempty"`
	Delimiter          string `xml:",omitempty"`
	EncodingType       string `xml:",omitempty"`
	MaxUploads         int
	IsTruncated        bool
	Uploads            []uploadXML `xml:"Upload"`
	CommonPrefixes     []prefixXML `xml:"CommonPrefixes"`
}

func (c *call) listMultipartUploads() error {
	q, show, err := c.listing("max-uploads", maxKeys)
	if err != nil {
		return err
	}
	q.After = c.query.Get("key-marker")
	if q.After != "" { // without it the other marker means nothing
		q.AfterID = c.query.Get("upload-id-marker")
	}
	var page index.Listing[index.Upload]
	if q.Max > 0 {
		if page, err = c.Uploads.Uploads(c.ctx, c.bucket, q); err != nil {
			return err
		}
	}
	out := listUploadsXML{
		Bucket: c.bucket, KeyMarker: show(q.After), UploadIDMarker: q.AfterID, Prefix: show(q.Prefix), Delimiter: show(q.Delimiter),
		EncodingType: c.query.Get("encoding-type"), MaxUploads: q.Max, IsTruncated: page.More, CommonPrefixes: prefixes(page.Prefixes, show),
	}
	for _, u := range page.Items {
		x := uploadXML{Key: show(u.Key), UploadID: u.ID, Initiator: owner(u.Account), Owner: owner(c.b.Owner), StorageClass: classOfUpload(&u), Initiated: stamp(u.Initiated)}
		if u.Asked {
			x.ChecksumAlgorithm, x.ChecksumType = string(u.Algorithm), checksumType(u.Composite)
		}
		out.Uploads = append(out.Uploads, x)
	}
	if page.More {
		out.NextKeyMarker = show(page.Last)
		if n := len(page.Items); n > 0 && page.Items[n-1].Key == page.Last {
			out.NextUploadIDMarker = page.Items[n-1].ID
		}
	}
	c.xml(http.StatusOK, out)
	return nil
}
