package s3

import (
	"net/http"
	"strconv"

	"karri/shared/crash"
	"karri/walrus/index"
)

var _ = define(operation{Name: "UploadPart", Action: "s3:PutObject", Method: http.MethodPut, On: onObject, Sub: "uploadId", Run: (*call).uploadPart})

const (
	maxParts = 10_000
	minPart  = 5 << 20 // of every part but the last
)

func (c *call) uploadPart() error {
	u, number, err := c.partOf()
	if err != nil {
		return err
	}
	switch size := c.body.Size(); {
	case size < 0:
		return noLength
	case size > maxPut:
		return tooLarge
	}
	if err := c.fits(c.body.Size()); err != nil {
		return err
	}
	s, err := c.sealOfPart(u)
	if err != nil {
		return err
	}
	d, err := c.digests(u.Algorithm)
	if err != nil {
		return err
	}
	if u.Asked && d.said != "" && d.said != u.Algorithm {
		return invalidRequest("Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s", u.Algorithm, d.said)
	}
	piece, release, err := c.receive(c.body, c.body.Size(), d, s, func() error { return d.prove(c.body) })
	if err != nil {
		return err
	}
	defer release()
	p, err := c.putPart(u, number, piece, d, s)
	if err != nil {
		return err
	}
	crash.Here("walrus.s3.part")
	c.set("ETag", quote(p.ETag))
	c.told(u.Seal, s.customer)
	if d.said != "" {
		c.set(d.said.Header(), d.sum(d.said))
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// partOf finds the upload and the part that the query names, for writing.
func (c *call) partOf() (*index.Upload, int, error) {
	number, err := strconv.Atoi(c.query.Get("partNumber"))
	if err != nil || number < 1 || number > maxParts {
		return nil, 0, invalidArgument("Part number must be an integer between 1 and 10000, inclusive")
	}
	u, err := c.Uploads.Upload(c.ctx, c.bucket, c.key, c.query.Get("uploadId"))
	return u, number, err
}

// putPart writes the row of a part that has been received.
func (c *call) putPart(u *index.Upload, number int, piece index.Piece, d *digests, s *sealing) (index.Part, error) {
	piece.Part = number
	p := index.Part{
		Number: number, Size: piece.Size, ETag: s.etag(d), Modified: c.now(),
		Checksum: d.sum(u.Algorithm), Piece: piece,
	}
	if d.said != "" && d.said != u.Algorithm {
		p.Said, p.SaidSum = d.said, d.sum(d.said)
	}
	if err := c.Uploads.PutPart(c.ctx, u, p); err != nil {
		c.discard(piece, err)
		return p, err
	}
	c.Changed()
	return p, nil
}
