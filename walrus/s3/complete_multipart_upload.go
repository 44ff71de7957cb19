package s3

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"

	"karri/shared/crash"
	"karri/shared/fault"
	"karri/walrus/checksum"
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
		said := *want.of(u.Algorithm)
		switch {
		case !ok || unquote(want.ETag) != p.ETag, said != "" && said != p.Checksum:
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
		Tags: u.Tags, Retention: u.Retention, Hold: u.Hold,
	}
	c.retain(o)
	tags := md5.New()
	for _, p := range parts {
		b, err := hex.DecodeString(p.ETag)
		if err != nil {
			return nil, index.Damaged.Because(err)
		}
		_, _ = tags.Write(b) // hashes never fail
		o.Size += p.Size
		piece := p.Piece
		if u.Asked {
			piece.Checksum = p.Checksum
		}
		o.Pieces = append(o.Pieces, piece)
	}
	o.ETag = fmt.Sprintf("%x-%d", tags.Sum(nil), len(parts))
	if v := c.r.Header.Get("X-Amz-Mp-Object-Size"); v != "" && v != strconv.FormatInt(o.Size, 10) {
		return nil, invalidRequest("The provided 'x-amz-mp-object-size' header value %s does not match what was computed: %d", v, o.Size)
	}
	o.Checksum = index.Checksum{Algorithm: u.Algorithm, Composite: u.Composite}
	var ok bool
	if o.Checksum.Value, ok = joined(u, parts); !ok {
		return nil, index.Damaged.Because(fmt.Errorf("upload %s: checksums of parts cannot be joined", u.ID))
	}
	for _, a := range checksum.All {
		said := c.r.Header.Get(a.Header())
		if said != "" && (a != u.Algorithm || said != o.Checksum.Value) {
			return nil, fault.New(fault.Invalid, "BadDigest", "The %s you specified did not match the calculated checksum.", a)
		}
	}
	return o, nil
}

// joined returns the checksum of the whole from those of the parts.
func joined(u *index.Upload, parts []index.Part) (string, bool) {
	if u.Composite {
		var sums []string
		for _, p := range parts {
			sums = append(sums, p.Checksum)
		}
		v, ok := u.Algorithm.Composite(sums)
		return fmt.Sprintf("%s-%d", v, len(parts)), ok
	}
	whole, ok := parts[0].Checksum, true
	for _, p := range parts[1:] {
		if whole, ok = u.Algorithm.Combine(whole, p.Checksum, p.Size); !ok {
			return "", false
		}
	}
	return whole, true
}

// completedBefore answers a repeat of a completion whose answer was lost.
func (c *call) completedBefore(id string, list []completePartXML) error {
	o, err := c.Objects.Object(c.ctx, c.bucket, c.key, "")
	if err != nil || o.Upload != id || len(o.Pieces) != len(list) {
		return index.NoSuchUpload
	}
	for i, p := range o.Pieces {
		if p.Part != list[i].PartNumber {
			return index.NoSuchUpload
		}
	}
	c.completed(o)
	return nil
}

func (c *call) completed(o *index.Object) {
	c.showVersion(o.Version)
	c.showExpiration(o)
	c.told(o.Seal, nil)
	scheme := "http"
	if c.r.TLS != nil {
		scheme = "https"
	}
	c.xml(http.StatusOK, completeResultXML{
		Location: scheme + "://" + c.r.Host + c.r.URL.EscapedPath(), Bucket: c.bucket, Key: c.key, ETag: quote(o.ETag),
		ChecksumType: checksumType(o.Checksum.Composite), checksumXML: checksumOf(o.Checksum.Algorithm, o.Checksum.Value),
	})
}
