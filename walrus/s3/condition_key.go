package s3

import (
	"crypto/tls"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"karri/walrus/setting"
)

// conditionKey answers what the condition of a policy asks about a request. It
// is asked by the lower-case name.
func (c *call) conditionKey(t *target, key string) []string {
	service, name, _ := strings.Cut(key, ":")
	switch service {
	case "aws":
		if v := one(c.globalKey(t, name)); v != nil || c.who.Rights == nil {
			return v
		}
		return c.who.Rights.Key(key, c.now())
	case "s3":
		if slices.Contains(ofQuery, name) && c.query.Has(name) {
			return c.query[name][:1] // an empty prefix is one, too
		}
		if v := c.objectKey(t, name); v != nil {
			return v
		}
		return one(c.requestKey(t, name))
	}
	return nil
}

// one is no value for "".
func one(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}

// globalKey answers the keys that all services have.
func (c *call) globalKey(t *target, name string) string {
	switch name {
	case "sourceip":
		host, _, err := net.SplitHostPort(c.r.RemoteAddr)
		if err != nil {
			return c.r.RemoteAddr
		}
		return host
	case "securetransport":
		return strconv.FormatBool(c.r.TLS != nil)
	case "currenttime":
		return c.now().Format(time.RFC3339)
	case "epochtime":
		return strconv.FormatInt(c.now().Unix(), 10)
	case "useragent":
		return c.r.UserAgent()
	case "referer":
		return c.r.Referer()
	case "requestedregion":
		return c.Region
	case "viaawsservice":
		return "false"
	case "sourcearn":
		if c.who.Source != nil {
			return "arn:aws:s3:::" + c.who.Source.Name
		}
		return c.who.SourceARN
	case "sourceaccount":
		if c.who.Source != nil {
			return c.who.Source.Owner
		}
		return c.who.SourceAccount
	case "resourceaccount":
		return t.bucket.Owner
	}
	return ""
}

// ofQuery are the keys that are query parameters, ofHeader those that are headers.
var (
	ofQuery  = []string{"prefix", "delimiter", "max-keys"}
	ofHeader = []string{
		"x-amz-acl", "x-amz-content-sha256", "x-amz-copy-source", "x-amz-metadata-directive", "x-amz-storage-class", "x-amz-website-redirect-location",
		"x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write", "x-amz-grant-write-acp",
		"x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-customer-algorithm",
		"x-amz-object-ownership", "if-match", "if-none-match",
	}
	lockHeaders = map[string]string{
		"object-lock-mode": "x-amz-object-lock-mode", "object-lock-retain-until-date": "x-amz-object-lock-retain-until-date", "object-lock-legal-hold": "x-amz-object-lock-legal-hold",
	}
)

// requestKey answers the keys that are about the request to S3.
func (c *call) requestKey(t *target, name string) string {
	switch {
	case name == "versionid":
		return t.version
	case slices.Contains(ofHeader, name):
		return strings.Join(c.r.Header.Values(name), ",")
	case lockHeaders[name] != "":
		return c.r.Header.Get(lockHeaders[name])
	}
	switch name {
	case "resourceaccount":
		return t.bucket.Owner
	case "object-lock-remaining-retention-days":
		if until, err := time.Parse(time.RFC3339, c.r.Header.Get("x-amz-object-lock-retain-until-date")); err == nil {
			return strconv.Itoa(int(until.Sub(c.now()).Hours() / 24))
		}
	case "authtype":
		switch {
		case c.who.Anonymous || c.who.System:
		case c.op.Late:
			return "POST"
		case c.who.Presigned:
			return "REST-QUERY-STRING"
		default:
			return "REST-HEADER"
		}
	case "signatureage":
		if at, err := time.Parse("20060102T150405Z", c.r.URL.Query().Get("X-Amz-Date")); err == nil && c.who.Presigned {
			return strconv.FormatInt(c.now().Sub(at).Milliseconds(), 10)
		}
	case "tlsversion":
		if c.r.TLS != nil {
			return strings.TrimPrefix(tls.VersionName(c.r.TLS.Version), "TLS ")
		}
	case "signatureversion":
		switch auth := c.r.Header.Get("Authorization"); {
		case strings.HasPrefix(auth, "AWS4-"), c.r.URL.Query().Has("X-Amz-Algorithm"):
			return "AWS4-HMAC-SHA256"
		case strings.HasPrefix(auth, "AWS "), c.r.URL.Query().Has("AWSAccessKeyId"):
			return "AWS"
		}
	}
	return ""
}

// objectKey answers the keys about tags: those that the object has, and those
// that the request gives it.
func (c *call) objectKey(t *target, name string) []string {
	switch {
	case strings.HasPrefix(name, "existingobjecttag/"):
		if o := c.look(t); o != nil && t.key != "" {
			for _, tag := range o.Tags {
				if strings.EqualFold("existingobjecttag/"+tag.Key, name) {
					return []string{tag.Value}
				}
			}
		}
	case strings.HasPrefix(name, "requestobjecttag"):
		tags, err := setting.ParseTagQuery(c.r.Header.Get("x-amz-tagging"))
		if err != nil {
			return nil
		}
		var keys []string
		for _, tag := range tags {
			if strings.EqualFold("requestobjecttag/"+tag.Key, name) {
				return []string{tag.Value}
			}
			keys = append(keys, tag.Key)
		}
		if name == "requestobjecttagkeys" {
			return keys
		}
	}
	return nil
}
