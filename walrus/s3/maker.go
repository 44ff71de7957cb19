package s3

import (
	"karri/shared/policy"
	"karri/walrus/index"
)

// maker returns the id of the user or role that asks; "" for an account itself.
func (c *call) maker() string {
	if c.who.Rights == nil || c.who.System {
		return ""
	}
	return c.who.Rights.Identity.Maker()
}

// bind holds the changes of the request to what policies of the caller let it
// have in the buckets that it made: their statements with the effect Limit.
func (c *call) bind() {
	id := c.maker()
	if id == "" || len(c.who.Rights.Limiting) == 0 {
		return
	}
	m := index.Maker{ID: id}
	for _, l := range []struct {
		to          *int64
		action, key string
	}{
		{&m.Quota.Buckets, "s3:CreateBucket", "s3:quota-bucketnumber"},
		{&m.Quota.Objects, "s3:PutObject", "s3:quota-bucketobjectsnumber"},
		{&m.Quota.Bytes, "s3:PutObject", "s3:quota-buckettotalsize"},
	} {
		asked := &policy.Request{Principal: c.who.Rights.Principal, Action: l.action, Resource: "arn:aws:s3:::*", Owner: c.who.Account}
		limit, ok := policy.LimitOf(asked, l.key, c.who.Rights.Limiting)
		switch {
		case !ok:
		case limit.Most == 0:
			*l.to = -1 // nothing at all
		default:
			*l.to = limit.Most
		}
	}
	c.ctx = index.By(c.ctx, m)
}
