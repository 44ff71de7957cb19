package s3

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"time"

	"karri/walrus/checksum"
	"karri/walrus/index"
)

var _ = define(operation{Name: "CreateMultipartUpload", Action: "s3:PutObject", Method: http.MethodPost, On: onObject, Sub: "uploads", Run: (*call).createMultipartUpload})

type createUploadXML struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
	Bucket   string
	Key      string
	UploadID string `xml:"UploadId"`
}

func (c *call) createMultipartUpload() error {
	if err := c.Content.Room(); err != nil {
		return err
	}
	o, err := c.newObject()
	if err != nil {
		return err
	}
	s, err := c.sealNew()
	if err != nil {
		return err
	}
	now := c.now()
	u := &index.Upload{
		Bucket: c.bucket, Key: c.key, ID: newUploadID(now), Initiated: now,
		Account: c.who.Account, ARN: c.who.ARN, Headers: o.Headers, Meta: o.Meta, Owner: o.Owner, ACL: o.ACL, Seal: s.envelope,
		Tags: o.Tags, Retention: o.Retention, Hold: o.Hold,
	}
	if err := c.uploadChecksum(u); err != nil {
		return err
	}
	if err := c.Uploads.CreateUpload(c.ctx, u); err != nil {
		return err
	}
	c.showAbort(u)
	c.told(u.Seal, s.customer)
	if u.Asked {
		c.set("x-amz-checksum-algorithm", string(u.Algorithm))
		c.set("x-amz-checksum-type", checksumType(u.Composite))
	}
	c.xml(http.StatusOK, createUploadXML{Bucket: c.bucket, Key: c.key, UploadID: u.ID})
	return nil
}

// newUploadID returns an id that sorts by age, as uploads of a key are listed.
func newUploadID(now time.Time) string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // it never fails
	return fmt.Sprintf("%016x%s", now.UnixNano(), hex.EncodeToString(b[:]))
}

// uploadChecksum reads which checksum the object will have: of the parts'
// checksums where the algorithm is a digest, of the whole where it must be.
func (c *call) uploadChecksum(u *index.Upload) error {
	u.Algorithm = checksum.CRC64NVME
	named, kind := c.r.Header.Get("X-Amz-Checksum-Algorithm"), c.r.Header.Get("X-Amz-Checksum-Type")
	if named == "" {
		if kind != "" {
			return invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return nil
	}
	a, ok := checksum.Parse(named)
	if !ok {
		return invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	u.Algorithm, u.Asked, u.Composite = a, true, a != checksum.CRC64NVME
	switch {
	case kind == "":
	case kind == "COMPOSITE" && a != checksum.CRC64NVME:
	case kind == "FULL_OBJECT" && a.CRC():
		u.Composite = false
	case kind == "COMPOSITE" || kind == "FULL_OBJECT":
		return invalidRequest("The %s checksum type cannot be used with the %s checksum algorithm.", kind, a)
	default:
		return invalidRequest("Value for x-amz-checksum-type header is invalid.")
	}
	return nil
}
