package s3

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"karri/shared/crash"
	"karri/shared/fault"
	"karri/walrus/content"
	"karri/walrus/index"
)

var _ = define(operation{Name: "CompleteMultipartUpload", Action: "s3:PutObject", Method: http.MethodPost, On: onObject, Sub: "uploadId", Run: (*call).completeMultipartUpload})

type completePartXML struct {
	PartNumber int
	ETag       string
	checksumXML
}

type completeXML struct {
	XMLName xml.Name          `xml:"CompleteMultipartUpload"`
	Parts   []completePartXML `xml:"Part"`
}

type completeResultXML struct {
	XMLName      xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
	Location     string
	Bucket       string
	Key          string
	ETag         string
	ChecksumType string `xml:",omitempty"`
	checksumXML
}

// completeMultipartUpload makes an object whose pieces are the parts as they
// were stored: no byte moves.
func (c *call) completeMultipartUpload() error {
	when, err := c.condition("s3:ObjectCreated:CompleteMultipartUpload")
	if err != nil {
		return err
	}
	var in completeXML
	if err := c.readParts(&in); err != nil {
		return err
	}
	id := c.query.Get("uploadId")
	u, err := c.Uploads.Upload(c.ctx, c.bucket, c.key, id)
	if err == index.NoSuchUpload {
		return c.completedBefore(id, in.Parts)
	}
	if err != nil {
		return err
	}
	parts, err := c.chosen(u, in.Parts)
	if err != nil {
		return err
	}
	o, err := c.assemble(u, parts)
	if err != nil {
		return err
	}
	if err := c.Uploads.Complete(c.ctx, u, parts, o, when); err != nil {
		if err == index.NoSuchUpload { // somebody else was faster
			return c.completedBefore(id, in.Parts)
		}
		return err
	}
	crash.Here("walrus.s3.complete")
	c.Changed()
	c.completed(o)
	return nil
}

// readParts reads the list of parts. Its checksum headers speak of the object
// and not of this body.
func (c *call) readParts(in *completeXML) error {
	if err := c.readPlainXML(in); err != nil {
		return err
	}
	if len(in.Parts) == 0 || len(in.Parts) > maxParts {
		return malformedXML
	}
	for i, p := range in.Parts {
		if i > 0 && p.PartNumber <= in.Parts[i-1].PartNumber {
			return fault.New(fault.Invalid, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		}
	}
	return nil
}

// chosen returns the parts that the caller lists, if they are what was uploaded.
func (c *call) chosen(u *index.Upload, list []completePartXML) ([]index.Part, error) {
	all, _, err := c.Uploads.Parts(c.ctx, u.ID, 0, 0)
	if err != nil {
		return nil, err
	}
	byNumber := make(map[int]index.Part, len(all))
	for _, p := range all {
		byNumber[p.Number] = p
	}
	parts := make([]index.Part, 0, len(list))
	for i, want := range list {
		p, ok := byNumber[want.PartNumber]
		switch {
		case !ok || unquote(want.ETag) != p.ETag, !want.agrees(u, &p):
			return nil, index.InvalidPart
		case i < len(list)-1 && p.Size < minPart:
			return nil, fault.New(fault.Invalid, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// assemble makes the object of the parts, and holds what the headers say of it
// against what it is.
func (c *call) assemble(u *index.Upload, parts []index.Part) (*index.Object, error) {
	o := &index.Object{
		Entry:  index.Entry{Key: u.Key, Modified: c.now(), Owner: u.Owner},
		Bucket: u.Bucket, ID: content.NewID(), Headers: u.Headers, Meta: u.Meta, Upload: u.ID, ACL: u.ACL, Seal: u.Seal,
		Tags: u.Tags, Retention: u.Retention, Hold: u.Hold, Replication: u.Replica,
	}
	o.Reduced = classOfUpload(u) == lesserClass
	c.retain(o)
	tags := md5.New()
	for _, p := range parts {
		b, err := hex.DecodeString(p.ETag)
		if err != nil {
			return nil, index.Damaged.Because(err)
		}
		_, _ = tags.Write(b) // hashes never fail
		o.Size += p.Size
		o.Pieces = append(o.Pieces, p.Piece)
	}
	o.ETag = fmt.Sprintf("%x-%d", tags.Sum(nil), len(parts))
	if v := c.r.Header.Get("X-Amz-Mp-Object-Size"); v != "" && v != strconv.FormatInt(o.Size, 10) {
		return nil, invalidRequest("The provided 'x-amz-mp-object-size' header value %s does not match what was computed: %d", v, o.Size)
	}
	var err error
	if o.Checksum, err = c.whole(u, parts); err != nil {
		return nil, err
	}
	for i := range o.Pieces {
		if u.Asked || o.Checksum.Algorithm != u.Algorithm {
			o.Pieces[i].Checksum = sumOf(u, &parts[i], o.Checksum.Algorithm)
		}
	}
	return o, nil
}

// completedBefore answers a repeat of a completion whose answer was lost, also
// when the object has been overwritten and is an older version now.
func (c *call) completedBefore(id string, list []completePartXML) error {
	o, err := c.Objects.Object(c.ctx, c.bucket, c.key, "")
	if err == nil && c.madeBy(o, id, list) {
		c.completed(o)
		return nil
	}
	if c.b.Versioning == "" {
		return index.NoSuchUpload
	}
	found, err := c.Objects.Versions(c.ctx, c.bucket, index.Query{Prefix: c.key, Max: maxKeys})
	if err != nil {
		return err
	}
	for _, e := range found.Items {
		if e.Key != c.key || e.Marker || !strings.HasSuffix(e.ETag, fmt.Sprintf("-%d", len(list))) {
			continue
		}
		if o, err := c.Objects.Object(c.ctx, c.bucket, c.key, e.Version); err == nil && c.madeBy(o, id, list) {
			c.completed(o)
			return nil
		}
	}
	return index.NoSuchUpload
}

// madeBy reports whether an object is what an upload made of just these parts.
func (c *call) madeBy(o *index.Object, id string, list []completePartXML) bool {
	if o.Upload != id || len(o.Pieces) != len(list) {
		return false
	}
	tags := md5.New()
	for i, p := range o.Pieces {
		b, err := hex.DecodeString(unquote(list[i].ETag))
		if p.Part != list[i].PartNumber || err != nil {
			return false
		}
		_, _ = tags.Write(b) // hashes never fail
	}
	return o.ETag == fmt.Sprintf("%x-%d", tags.Sum(nil), len(list))
}

func (c *call) completed(o *index.Object) {
	c.showVersion(o.Version)
	c.showExpiration(o)
	c.told(o.Seal, nil)
	c.xml(http.StatusOK, completeResultXML{
		Location: c.scheme() + "://" + c.r.Host + c.r.URL.EscapedPath(), Bucket: c.bucket, Key: c.key, ETag: quote(o.ETag),
		ChecksumType: checksumType(o.Checksum.Composite), checksumXML: checksumOf(o.Checksum.Algorithm, o.Checksum.Value),
	})
}
