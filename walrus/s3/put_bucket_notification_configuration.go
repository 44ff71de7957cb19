package s3

import (
	"net/http"
	"strings"

	"karri/shared/rest"
	"karri/walrus/index"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "PutBucketNotificationConfiguration", Action: "s3:PutBucketNotification", Method: http.MethodPut, On: onBucket, Sub: "notification", Run: (*call).putBucketNotification})

func (c *call) putBucketNotification() error {
	v, err := readSetting[setting.Notification](c)
	if err != nil {
		return err
	}
	if err := v.Check(c.EventTargets, c.b.Owner); err != nil {
		return err
	}
	if !strings.EqualFold(c.r.Header.Get("X-Amz-Skip-Destination-Validation"), "true") {
		if err := c.probe(v); err != nil {
			return err
		}
	}
	doc, err := setting.Render(v)
	if err != nil {
		return err
	}
	return c.changeBucket(http.StatusOK, func(b *index.Bucket) error {
		b.Settings[c.op.Sub] = doc
		return nil
	})
}

// probe sends each target that the bucket did not have yet the test message.
func (c *call) probe(v *setting.Notification) error {
	if c.Probe == nil {
		return nil
	}
	known := map[string]bool{}
	for _, s := range c.settings.Notification.All() {
		known[s.ARN()] = true
	}
	for _, s := range v.All() {
		if known[s.ARN()] {
			continue
		}
		known[s.ARN()] = true
		if err := c.Probe(c.ctx, s.ARN(), c.b, c.id); err != nil {
			rest.Note(c.ctx, "probe", err.Error())
			return invalidArgument("Unable to validate the following destination configurations: %s", s.ARN())
		}
	}
	return nil
}
