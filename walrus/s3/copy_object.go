package s3

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"karri/shared/crash"
	"karri/shared/fault"
	"karri/walrus/checksum"
	"karri/walrus/index"
)

var _ = define(operation{Name: "CopyObject", Action: "s3:PutObject", Method: http.MethodPut, On: onObject, Header: copySource, Run: (*call).copyObject})

const copySource = "x-amz-copy-source"

// A checksumXML holds the one checksum that an answer shows.
type checksumXML struct {
	CRC32     string `xml:"ChecksumCRC32,omitempty"`
	CRC32C    string `xml:"ChecksumCRC32C,omitempty"`
	CRC64NVME string `xml:"ChecksumCRC64NVME,omitempty"`
	SHA1      string `xml:"ChecksumSHA1,omitempty"`
	SHA256    string `xml:"ChecksumSHA256,omitempty"`
}

func checksumOf(a checksum.Algorithm, value string) (x checksumXML) {
	*x.of(a) = value
	return x
}

func (x *checksumXML) of(a checksum.Algorithm) *string {
	switch a {
	case checksum.CRC32:
		return &x.CRC32
	case checksum.CRC32C:
		return &x.CRC32C
	case checksum.SHA1:
		return &x.SHA1
	case checksum.SHA256:
		return &x.SHA256
	}
	return &x.CRC64NVME
}

type copyObjectXML struct {
	XMLName      xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CopyObjectResult"`
	LastModified string
	ETag         string
	ChecksumType string `xml:",omitempty"`
	checksumXML
}

// source reads which object is to be copied.
func (c *call) source() (bucket, key, version string, err error) {
	raw, query, _ := strings.Cut(c.r.Header.Get(copySource), "?")
	bad := invalidArgument("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	version, named := strings.CutPrefix(query, "versionId=")
	if query != "" && (!named || !index.ValidVersion(version)) {
		return "", "", "", invalidArgument("Invalid version id specified")
	}
	path, err := url.PathUnescape(strings.TrimPrefix(raw, "/"))
	if err != nil {
		return "", "", "", bad
	}
	bucket, key, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !validName(bucket) || key == "" || len(key) > maxKey || !utf8.ValidString(key) {
		return "", "", "", bad
	}
	return bucket, key, version, nil
}

// findSource returns the object to be copied, held, if the caller may read it
// and the conditions on it hold.
func (c *call) findSource() (*index.Object, func(), error) {
	bucket, key, version, err := c.source()
	if err != nil {
		return nil, nil, err
	}
	t, err := c.aim(bucket, key, version, false, c.r.Header.Get("x-amz-source-expected-bucket-owner"))
	if err == nil {
		err = c.permit(t, actionOn("s3:GetObject", t.version))
	}
	if err != nil {
		return nil, nil, err
	}
	o, release, err := c.find(t)
	switch {
	case err == nil:
	case t.marker != nil && version != "":
		return nil, nil, invalidRequest("The source of a copy request may not specifically refer to a delete marker by version id.")
	default:
		return nil, nil, c.hide(t, err)
	}
	if err := checkRead(c.r.Header, "x-amz-copy-source-", o); err != nil {
		release()
		return nil, nil, err
	}
	c.from = t
	if t.bucket.Versioning != "" {
		c.set("x-amz-copy-source-version-id", o.Version)
	}
	return o, release, nil
}

// copyObject makes a row that claims the pieces of the source: no byte moves,
// unless they are to be sealed in another way.
func (c *call) copyObject() error {
	when, err := c.condition("s3:ObjectCreated:Copy")
	if err != nil {
		return err
	}
	for range tries {
		o, err := c.copyOnce(when)
		if fault.CodeOf(err) == index.Moved.Code {
			continue // the source was replaced while we looked
		}
		if err != nil {
			return err
		}
		crash.Here("walrus.s3.copy")
		c.Changed()
		c.showVersion(o.Version)
		c.showExpiration(o)
		c.xml(http.StatusOK, copyObjectXML{LastModified: stamp(o.Modified), ETag: quote(o.ETag),
			ChecksumType: checksumType(o.Checksum.Composite), checksumXML: checksumOf(o.Checksum.Algorithm, o.Checksum.Value)})
		return nil
	}
	return index.Moved
}

func (c *call) copyOnce(when index.Condition) (*index.Object, error) {
	from, release, err := c.findSource()
	if err != nil {
		return nil, err
	}
	defer release()
	if from.Size > maxPut && !c.who.System {
		return nil, invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: %d", int64(maxPut))
	}
	by, err := c.sealOf(from.Seal, sourceCustomer)
	if err != nil {
		return nil, err
	}
	to, err := c.sealNew()
	if err != nil {
		return nil, err
	}
	o, err := c.copyOf(from, by.mode() != to.mode() || c.namesSealing())
	if err != nil {
		return nil, err
	}
	return o, c.copyBytes(from, by, o, to, when)
}

// copyBytes puts a copy, which shares the bytes of its source if it can.
func (c *call) copyBytes(from *index.Object, by *sealing, o *index.Object, to *sealing, when index.Condition) error {
	c.told(to.envelope, to.customer)
	var share bool
	if o.Seal, share = by.shares(to); !share {
		return c.copySealed(from, by, o, to, when)
	}
	if err := c.rehash(from, by, o); err != nil {
		return err
	}
	if err := c.Content.Room(); err != nil {
		return err
	}
	when.Pin = &index.Pin{Bucket: from.Bucket, Key: from.Key, Version: from.Version, ID: from.ID}
	return c.Objects.Put(c.ctx, o, when)
}

// copySealed makes a copy with bytes of its own.
func (c *call) copySealed(from *index.Object, by *sealing, o *index.Object, to *sealing, when index.Condition) error {
	a := from.Checksum.Algorithm
	if named := c.r.Header.Get("X-Amz-Checksum-Algorithm"); named != "" {
		var ok bool
		if a, ok = checksum.Parse(named); !ok {
			return badChecksum
		}
	}
	s, err := c.read(from, by, 0, from.Size)
	if err != nil {
		return err
	}
	defer s.Close()
	d := newDigests(a)
	piece, done, err := c.receive(s, from.Size, d, to, func() error { return nil })
	if err != nil {
		return err
	}
	defer done()
	o.Pieces, o.Seal, o.ETag = []index.Piece{piece}, to.envelope, to.etag(d)
	o.Checksum = index.Checksum{Algorithm: a, Value: d.sum(a)}
	if err := c.Objects.Put(c.ctx, o, when); err != nil {
		c.discard(piece, err)
		return err
	}
	return nil
}

var badChecksum = invalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")

// rehash computes the checksum that a copy asks for, where the source has another.
func (c *call) rehash(from *index.Object, by *sealing, to *index.Object) error {
	named := c.r.Header.Get("X-Amz-Checksum-Algorithm")
	if named == "" {
		return nil
	}
	a, ok := checksum.Parse(named)
	if !ok {
		return badChecksum
	}
	if from.Checksum.Algorithm == a && !from.Checksum.Composite {
		return nil
	}
	s, err := c.read(from, by, 0, from.Size)
	if err != nil {
		return err
	}
	defer s.Close()
	h := a.New()
	if _, err := io.Copy(h, s); err != nil {
		return err
	}
	to.Checksum = index.Checksum{Algorithm: a, Value: checksum.Encode(h.Sum(nil))}
	to.Pieces = slices.Clone(to.Pieces)
	for i := range to.Pieces {
		to.Pieces[i].Checksum = "" // which was by another algorithm
	}
	return nil
}
