package s3

import (
	"encoding/xml"
	"net/http"

	"karri/shared/crash"
	"karri/shared/fault"
)

var _ = define(operation{Name: "UploadPartCopy", Action: "s3:PutObject", Method: http.MethodPut, On: onObject, Sub: "uploadId", Header: copySource, Run: (*call).uploadPartCopy})

type copyPartXML struct {
	XMLName      xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyPartResult"`
	LastModified string
	ETag         string
	checksumXML
}

// uploadPartCopy streams the bytes through, since the part needs an MD5 of its own.
func (c *call) uploadPartCopy() error {
	u, number, err := c.partOf()
	if err != nil {
		return err
	}
	from, release, err := c.findSource()
	if err != nil {
		return err
	}
	defer release()
	by, err := c.sealOf(from.Seal, sourceCustomer)
	if err != nil {
		return err
	}
	to, err := c.sealOfPart(u)
	if err != nil {
		return err
	}
	off, n := int64(0), from.Size
	if v := c.r.Header.Get("X-Amz-Copy-Source-Range"); v != "" {
		var ok bool
		off, n, ok, err = parseRange(v, from.Size)
		if err != nil || !ok || !exact(v, off, n) {
			return invalidArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy, and lie within the source of %d bytes", from.Size)
		}
	}
	if n > maxPut {
		return fault.New(fault.Invalid, "InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: %d", int64(maxPut))
	}
	s, err := c.read(from, by, off, n)
	if err != nil {
		return err
	}
	defer s.Close()
	d := newDigests(u.Algorithm)
	piece, done, err := c.receive(s, n, d, to, func() error { return nil })
	if err != nil {
		return err
	}
	defer done()
	p, err := c.putPart(u, number, piece, d, to)
	if err != nil {
		return err
	}
	crash.Here("walrus.s3.part-copy")
	c.told(u.Seal, to.customer)
	out := copyPartXML{LastModified: stamp(p.Modified), ETag: quote(p.ETag)}
	if u.Asked {
		out.checksumXML = checksumOf(u.Algorithm, p.Checksum)
	}
	c.xml(http.StatusOK, out)
	return nil
}
