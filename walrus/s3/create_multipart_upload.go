package s3

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"time"

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
		Tags: o.Tags, Retention: o.Retention, Hold: o.Hold, Replica: o.Replication,
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
