package s3

import (
	"encoding/xml"
	"net/http"

	"karri/shared/fault"
)

// What a bucket or an object can be asked for and never has: these read as S3
// answers where nothing is configured. Setting them is NotImplemented; taking
// them away succeeds, since afterwards they are not there.
var unset = []struct {
	name string
	on   scope
	sub  string
	code string // of the error
	text string
	xml  string // else the element of the empty answer
}{
	{"GetBucketPolicy", onBucket, "policy", "NoSuchBucketPolicy", "The bucket policy does not exist", ""},
	{"GetBucketPolicyStatus", onBucket, "policyStatus", "NoSuchBucketPolicy", "The bucket policy does not exist", ""},
	{"GetBucketCors", onBucket, "cors", "NoSuchCORSConfiguration", "The CORS configuration does not exist", ""},
	{"GetBucketTagging", onBucket, "tagging", "NoSuchTagSet", "The TagSet does not exist", ""},
	{"GetBucketLifecycleConfiguration", onBucket, "lifecycle", "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", ""},
	{"GetBucketWebsite", onBucket, "website", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", ""},
	{"GetBucketEncryption", onBucket, "encryption", "ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found", ""},
	{"GetObjectLockConfiguration", onBucket, "object-lock", "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", ""},
	{"GetBucketReplication", onBucket, "replication", "ReplicationConfigurationNotFoundError", "The replication configuration was not found", ""},
	{"GetBucketOwnershipControls", onBucket, "ownershipControls", "OwnershipControlsNotFoundError", "The bucket ownership controls were not found", ""},
	{"GetPublicAccessBlock", onBucket, "publicAccessBlock", "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", ""},
	{"GetBucketLogging", onBucket, "logging", "", "", "BucketLoggingStatus"},
	{"GetBucketNotificationConfiguration", onBucket, "notification", "", "", "NotificationConfiguration"},
	{"GetBucketAccelerateConfiguration", onBucket, "accelerate", "", "", "AccelerateConfiguration"},
	{"GetObjectRetention", onObject, "retention", "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", ""},
	{"GetObjectLegalHold", onObject, "legal-hold", "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", ""},
	{"GetObjectTagging", onObject, "tagging", "", "", "Tagging"},
}

// removable are the sub-resources that S3 can take away.
var removable = map[selector]string{
	{on: onBucket, sub: "policy"}:            "DeleteBucketPolicy",
	{on: onBucket, sub: "cors"}:              "DeleteBucketCors",
	{on: onBucket, sub: "tagging"}:           "DeleteBucketTagging",
	{on: onBucket, sub: "lifecycle"}:         "DeleteBucketLifecycle",
	{on: onBucket, sub: "website"}:           "DeleteBucketWebsite",
	{on: onBucket, sub: "encryption"}:        "DeleteBucketEncryption",
	{on: onBucket, sub: "replication"}:       "DeleteBucketReplication",
	{on: onBucket, sub: "ownershipControls"}: "DeleteBucketOwnershipControls",
	{on: onBucket, sub: "publicAccessBlock"}: "DeletePublicAccessBlock",
	{on: onObject, sub: "tagging"}:           "DeleteObjectTagging",
}

type emptyXML struct {
	XMLName xml.Name
	TagSet  *struct{} `xml:"TagSet"`
}

type payerXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ RequestPaymentConfiguration"`
	Payer   string
}

var _ = func() bool {
	for _, u := range unset {
		define(operation{Name: u.name, Method: http.MethodGet, On: u.on, Sub: u.sub, Run: func(c *call) error {
			if err := c.there(); err != nil {
				return err
			}
			if u.code != "" {
				return fault.New(fault.Missing, u.code, "%s", u.text)
			}
			out := emptyXML{XMLName: xml.Name{Space: xmlns, Local: u.xml}}
			if u.sub == "tagging" {
				out.TagSet = &struct{}{}
			}
			c.xml(http.StatusOK, out)
			return nil
		}})
	}
	for s, name := range removable {
		define(operation{Name: name, Method: http.MethodDelete, On: s.on, Sub: s.sub, Run: func(c *call) error {
			if err := c.there(); err != nil {
				return err
			}
			if _, err := c.writable(c.bucket); err != nil {
				return err
			}
			c.w.WriteHeader(http.StatusNoContent)
			return nil
		}})
	}
	define(operation{Name: "GetBucketRequestPayment", Method: http.MethodGet, On: onBucket, Sub: "requestPayment", Run: func(c *call) error {
		if err := c.there(); err != nil {
			return err
		}
		c.xml(http.StatusOK, payerXML{Payer: "BucketOwner"})
		return nil
	}})
	return true
}()

// there makes sure that what is asked about exists and may be read.
func (c *call) there() error {
	if _, err := c.readable(c.bucket); err != nil {
		return err
	}
	if c.key == "" {
		return nil
	}
	_, err := c.Objects.Object(c.ctx, c.bucket, c.key, "")
	return err
}
