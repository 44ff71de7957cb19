package s3

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"

	"karri/walrus/index"
)

var _ = define(operation{Name: "GetObjectAttributes", Action: "s3:GetObjectAttributes", Method: http.MethodGet, On: onObject, Sub: "attributes", Run: (*call).getObjectAttributes})

type attributesXML struct {
	XMLName      xml.Name           `xml:"http://s3.amazonaws.com/doc/2006-03-01/ GetObjectAttributesResponse"`
	ETag         string             `xml:",omitempty"`
	Checksum     *attributeSumXML   `xml:",omitempty"`
	Parts        *attributePartsXML `xml:"ObjectParts,omitempty"`
	StorageClass string             `xml:",omitempty"`
	Size         *int64             `xml:"ObjectSize,omitempty"`
}

type attributeSumXML struct {
	checksumXML
	ChecksumType string
}

type attributePartsXML struct {
	PartsCount           int
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	Parts                []attributePartXML `xml:"Part"`
}

type attributePartXML struct {
	checksumXML
	PartNumber int
	Size       int64
}

func (c *call) getObjectAttributes() error {
	wanted, err := c.wantedAttributes()
	if err != nil {
		return err
	}
	o, err := c.object()
	if err != nil {
		return err
	}
	by, err := c.sealOf(o.Seal, customerHeader)
	if err != nil {
		return err
	}
	if err := checkRead(c.r.Header, "", o); err != nil {
		return err
	}
	c.told(o.Seal, by.customer)
	var out attributesXML
	if wanted["ETag"] {
		out.ETag = o.ETag
	}
	if wanted["Checksum"] && o.Checksum.Value != "" {
		out.Checksum = &attributeSumXML{checksumOf(o.Checksum.Algorithm, o.Checksum.Value), checksumType(o.Checksum.Composite)}
	}
	if wanted["ObjectParts"] {
		if out.Parts, err = c.attributeParts(o); err != nil {
			return err
		}
	}
	if wanted["StorageClass"] {
		out.StorageClass = classOf(&o.Entry)
	}
	if wanted["ObjectSize"] {
		out.Size = &o.Size
	}
	c.showVersion(o.Version)
	c.w.Header().Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	c.xml(http.StatusOK, out)
	return nil
}

func (c *call) wantedAttributes() (map[string]bool, error) {
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(strings.Join(c.r.Header.Values("X-Amz-Object-Attributes"), ","), ",") {
		switch name = strings.TrimSpace(name); name {
		case "ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize":
			wanted[name] = true
		case "":
			return nil, invalidRequest("The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty")
		default:
			return nil, invalidArgument("Invalid attribute name specified.")
		}
	}
	return wanted, nil
}

// attributeParts shows a page of the parts that an object was uploaded as; nil
// when it came whole.
func (c *call) attributeParts(o *index.Object) (*attributePartsXML, error) {
	most, err := c.headerNumber("X-Amz-Max-Parts", maxKeys)
	if err != nil {
		return nil, err
	}
	marker, err := c.headerNumber("X-Amz-Part-Number-Marker", 0)
	if err != nil {
		return nil, err
	}
	if len(o.Pieces) == 0 || o.Pieces[0].Part == 0 {
		return nil, nil
	}
	most = min(most, maxKeys)
	out := &attributePartsXML{PartsCount: len(o.Pieces), PartNumberMarker: marker, NextPartNumberMarker: marker, MaxParts: most}
	for _, p := range o.Pieces {
		switch {
		case p.Part <= marker:
		case len(out.Parts) == most:
			out.IsTruncated = most > 0
		default:
			x := attributePartXML{PartNumber: p.Part, Size: p.Size}
			if p.Checksum != "" {
				x.checksumXML = checksumOf(o.Checksum.Algorithm, p.Checksum)
			}
			out.Parts = append(out.Parts, x)
			out.NextPartNumberMarker = p.Part
		}
	}
	return out, nil
}

// headerNumber reads a header that is a count; without it, none.
func (c *call) headerNumber(name string, none int) (int, error) {
	v := c.r.Header.Get(name)
	if v == "" {
		return none, nil
	}
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil || n < 0 {
		return 0, invalidArgument("Argument %s must be an integer between 0 and %d", strings.ToLower(name), 1<<31-1)
	}
	return int(n), nil
}
