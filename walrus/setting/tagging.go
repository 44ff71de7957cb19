package setting

import (
	"encoding/xml"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"karri/shared/fault"
	"karri/walrus/index"
)

// A Tag is a label on a bucket or an object.
type Tag = index.Tag

// ObjectTagging is the document of an object's tags.
type ObjectTagging struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Tagging"`
	TagSet  TagSet
}

// BucketTagging is the document of a bucket's tags.
type BucketTagging ObjectTagging

// TagSet is the list in such a document.
type TagSet struct {
	Tags []Tag `xml:"Tag,omitempty"`
}

const (
	maxObjectTags = 10
	maxBucketTags = 50
)

func (t *ObjectTagging) validate() error {
	if len(t.TagSet.Tags) > maxObjectTags {
		return fault.New(fault.Invalid, "BadRequest", "Object tags cannot be greater than %d", maxObjectTags)
	}
	return checkTags(t.TagSet.Tags)
}

func (t *BucketTagging) validate() error {
	if len(t.TagSet.Tags) > maxBucketTags {
		return fault.New(fault.Invalid, "BadRequest", "Bucket tag count cannot be greater than %d", maxBucketTags)
	}
	return checkTags(t.TagSet.Tags)
}

// taggable are the characters that tags may have.
var taggable = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

func checkTags(tags []Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		n := utf8.RuneCountInString(t.Key)
		switch {
		case n == 0 || n > 128 || !taggable.MatchString(t.Key):
			return fault.New(fault.Invalid, "InvalidTag", "The TagKey you have provided is invalid")
		case utf8.RuneCountInString(t.Value) > 256 || !taggable.MatchString(t.Value):
			return fault.New(fault.Invalid, "InvalidTag", "The TagValue you have provided is invalid")
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return fault.New(fault.Invalid, "InvalidTag", "System tags cannot be added/updated by requester")
		case seen[t.Key]:
			return fault.New(fault.Invalid, "InvalidTag", "Cannot provide multiple Tags with the same key")
		}
		seen[t.Key] = true
	}
	return nil
}

// ParseTagQuery reads the tags of an object from the form that they have in the
// header x-amz-tagging.
func ParseTagQuery(header string) ([]Tag, error) {
	refused := invalidArgument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	var doc ObjectTagging
	for pair := range strings.SplitSeq(header, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(k)
		if err != nil || !utf8.ValidString(key) {
			return nil, refused
		}
		value, err := url.QueryUnescape(v)
		if err != nil || !utf8.ValidString(value) {
			return nil, refused
		}
		for _, t := range doc.TagSet.Tags {
			if t.Key == key {
				return nil, refused
			}
		}
		if doc.TagSet.Tags = append(doc.TagSet.Tags, Tag{Key: key, Value: value}); len(doc.TagSet.Tags) > maxBucketTags {
			break
		}
	}
	return doc.TagSet.Tags, doc.validate()
}
