package s3

import (
	"encoding/xml"
	"net/http"
	"strings"

	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/walrus/access"
	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "CreateBucket", Action: "s3:CreateBucket", Method: http.MethodPut, On: onBucket, Run: (*call).createBucket})

type createBucketXML struct {
	XMLName            xml.Name      `xml:"CreateBucketConfiguration"`
	LocationConstraint string        `xml:"LocationConstraint"`
	Location           *struct{}     `xml:"Location"`
	Bucket             *struct{}     `xml:"Bucket"`
	Tags               []setting.Tag `xml:"Tags>Tag"`
}

func (c *call) createBucket() error {
	if strings.HasPrefix(c.bucket, bucket.SystemPrefix) != c.who.System || c.who.For != "" || c.who.May != nil && !c.who.May(c.bucket, true) {
		if c.who.System {
			return accessDenied
		}
		return fault.New(fault.Invalid, "InvalidBucketName", "The specified bucket is not valid: names that begin with %s are the cloud's own.", bucket.SystemPrefix)
	}
	var in createBucketXML
	if err := c.readXML(&in, true); err != nil {
		return err
	}
	switch {
	case in.Location != nil || in.Bucket != nil:
		return notImplemented("Directory buckets are not implemented.")
	case in.LocationConstraint != "" && in.LocationConstraint != c.Region:
		return fault.New(fault.Invalid, "InvalidLocationConstraint", "The specified location-constraint is not valid: this is %s.", c.Region)
	}
	b := &index.Bucket{Name: c.bucket, Owner: c.who.Account, Creator: c.maker(), Region: c.Region, Created: c.now(), Settings: map[string][]byte{}}
	if err := c.bornWith(b, in.Tags); err != nil {
		return err
	}
	if err := c.Content.Room(); err != nil {
		return err
	}
	if err := c.Buckets.CreateBucket(c.ctx, b); err != nil {
		return err
	}
	c.set("Location", "/"+c.bucket)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// bornWith gives a new bucket the settings that headers and tags ask for.
func (c *call) bornWith(b *index.Bucket, tags []setting.Tag) (err error) {
	ownership, word := c.Ownership, c.r.Header.Get("x-amz-object-ownership")
	if ownership == access.ObjectWriter {
		ownership = "" // which is so without being said
	}
	if word != "" {
		if ownership, err = access.ParseOwnership(word); err != nil {
			return err
		}
	}
	if ownership != "" && !c.who.System {
		if b.Settings["ownershipControls"], err = ownership.Render(); err != nil {
			return err
		}
	}
	acl, err := access.Asked(c.header, b.Owner, b.Owner, false)
	if err != nil {
		return err
	}
	if acl != nil && !acl.OwnerHasAll(b.Owner) {
		if ownership == access.OwnerEnforced {
			return aclBesideOwnership
		}
		if b.Settings["acl"], err = acl.Render(); err != nil {
			return err
		}
	}
	switch lock := c.r.Header.Get("x-amz-bucket-object-lock-enabled"); {
	case strings.EqualFold(lock, "true"):
		b.Locked, b.Versioning = true, "Enabled"
	case lock != "" && !strings.EqualFold(lock, "false"):
		return invalidArgument("The header 'x-amz-bucket-object-lock-enabled' must be true or false.")
	}
	if len(tags) == 0 {
		return nil
	}
	doc, err := setting.Render(&setting.BucketTagging{TagSet: setting.TagSet{Tags: tags}})
	if err != nil {
		return err
	}
	b.Settings["tagging"] = doc
	_, err = setting.Parse[setting.BucketTagging](doc)
	return err
}
