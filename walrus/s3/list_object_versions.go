package s3

import (
	"net/http"

	"karri/walrus/index"
)

var _ = define(operation{Name: "ListObjectVersions", Action: "s3:ListBucketVersions", Method: http.MethodGet, On: onBucket, Sub: "versions", Run: (*call).listObjectVersions})

func (c *call) listObjectVersions() error {
	q, show, err := c.listing("max-keys", maxKeys)
	if err != nil {
		return err
	}
	q.After, q.AfterID = c.query.Get("key-marker"), c.query.Get("version-id-marker")
	switch {
	case c.query.Has("version-id-marker") && q.AfterID == "":
		return invalidArgument("A version-id marker cannot be empty.")
	case q.AfterID != "" && q.After == "":
		return invalidArgument("A version-id marker cannot be specified without a key marker.")
	case q.AfterID != "" && !index.ValidVersion(q.AfterID):
		return invalidArgument("Invalid version id specified")
	}
	var found index.Listing[index.Entry]
	if q.Max > 0 {
		if found, err = c.Objects.Versions(c.ctx, c.bucket, q); err != nil {
			return err
		}
	}
	p := newPage("ListVersionsResult", show)
	c.about(p, q)
	p.text("KeyMarker", show(q.After))
	p.text("VersionIdMarker", q.AfterID)
	if found.More {
		p.text("NextKeyMarker", show(found.Last))
		p.some("NextVersionIdMarker", found.LastID)
	}
	p.flag("IsTruncated", found.More)
	c.disown(found.Items)
	for i := range found.Items {
		p.version(&found.Items[i], c.b.Owner)
	}
	p.prefixes(found.Prefixes)
	p.answer(c, "ListVersionsResult")
	return nil
}
