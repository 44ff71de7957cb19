package s3

import (
	"fmt"
	"net/http"
	"net/url"

	"karri/walrus/index"
	"karri/walrus/setting"
)

// showExpiration writes the header that tells when the bucket's lifecycle ends
// an object, when it will.
func (c *call) showExpiration(o *index.Object) {
	if c.settings == nil || c.settings.Lifecycle == nil || o.Bucket != c.b.Name || c.version != "" {
		return
	}
	at, rule, ok := c.settings.Lifecycle.Expires(setting.Facts{Key: o.Key, Size: o.Size, Tags: o.Tags, Modified: o.Modified})
	if ok {
		c.set("x-amz-expiration", fmt.Sprintf(`expiry-date="%s", rule-id="%s"`, at.Format(http.TimeFormat), url.QueryEscape(rule)))
	}
}

// showAbort writes the headers that tell when it ends an upload.
func (c *call) showAbort(u *index.Upload) {
	if c.settings == nil {
		return
	}
	if at, rule, ok := c.settings.Lifecycle.Aborts(u.Key, u.Initiated); ok {
		c.set("x-amz-abort-date", at.Format(http.TimeFormat))
		c.set("x-amz-abort-rule-id", url.QueryEscape(rule))
	}
}
