package s3

import (
	"io"
	"net/http"

	"karri/shared/crash"
	"karri/walrus/checksum"
	"karri/walrus/index"
)

var _ = define(operation{Name: "PutObject", Action: "s3:PutObject", Method: http.MethodPut, On: onObject, Run: (*call).putObject})

// maxPut is the largest body of one request; larger objects come in parts.
const maxPut = 5 << 30

func (c *call) putObject() error {
	switch size := c.body.Size(); {
	case size < 0:
		return noLength
	case size > maxPut && !c.who.System:
		return tooLarge
	}
	when, err := c.condition("s3:ObjectCreated:Put")
	if err != nil {
		return err
	}
	if err := c.foresee(when); err != nil {
		return err
	}
	if err := c.fits(c.body.Size()); err != nil {
		return err
	}
	o, err := c.newObject()
	if err != nil {
		return err
	}
	if err := c.take(o, c.body, c.body.Size(), c.r.Header.Get("X-Amz-Checksum-Algorithm"), when); err != nil {
		return err
	}
	crash.Here("walrus.s3.put")
	c.Changed()
	c.set("ETag", quote(o.ETag))
	c.showVersion(o.Version)
	c.showExpiration(o)
	c.echoChecksum(o.Checksum)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// take receives the bytes of o, size of them or, when negative, as many as come,
// and then writes o down under its condition. Named is the algorithm of which the
// client wants a checksum, if it says one.
func (c *call) take(o *index.Object, body io.Reader, size int64, named string, when index.Condition) error {
	s, err := c.sealNew()
	if err != nil {
		return err
	}
	c.retain(o)
	d, err := c.digests()
	if err != nil {
		return err
	}
	if err := lockProven(o, d); err != nil {
		return err
	}
	keep, err := d.kept(named)
	if err != nil {
		return err
	}
	piece, release, err := c.receive(body, size, d, s, func() error { return d.prove(c.body) })
	if err != nil {
		return err
	}
	defer release()
	o.Size, o.ETag, o.Modified = piece.Size, s.etag(d), c.now()
	o.Checksum = index.Checksum{Algorithm: keep, Value: d.sum(keep)}
	o.Pieces, o.Seal = []index.Piece{piece}, s.envelope
	if err := c.Objects.Put(c.ctx, o, when); err != nil {
		c.discard(piece, err)
		return err
	}
	c.told(o.Seal, s.customer)
	return nil
}

// kept returns the algorithm of the checksum that is kept: the client's, the one
// that it names for us to compute, or else the one that S3 computes.
func (d *digests) kept(named string) (checksum.Algorithm, error) {
	if d.said != "" {
		return d.said, nil
	}
	a := checksum.CRC64NVME
	if named != "" {
		var ok bool
		if a, ok = checksum.Parse(named); !ok {
			return "", badChecksum
		}
	}
	d.also([]checksum.Algorithm{a})
	return a, nil
}
