package s3

import (
	"strings"
	"time"

	"karri/shared/fault"
	"karri/walrus/index"
	"karri/walrus/setting"
)

const (
	lockMode  = "x-amz-object-lock-mode"
	lockUntil = "x-amz-object-lock-retain-until-date"
	lockHold  = "x-amz-object-lock-legal-hold"
)

var (
	noLock    = fault.New(fault.Missing, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
	notLocked = invalidRequest("Bucket is missing Object Lock Configuration")
	pastDate  = invalidArgument("The retain until date must be in the future!")
)

// retained reads how the headers lock the object that the request makes.
func (c *call) retained() (r *index.Retention, hold bool, err error) {
	h := c.r.Header
	mode, until, held := h.Get(lockMode), h.Get(lockUntil), h.Get(lockHold)
	switch {
	case mode+until+held != "" && !c.b.Locked:
		return nil, false, notLocked
	case (mode == "") != (until == ""):
		return nil, false, invalidArgument("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	case held != "" && held != "ON" && held != "OFF":
		return nil, false, invalidArgument("Legal Hold must be either of 'ON' or 'OFF'")
	}
	if mode != "" {
		m, at, err := setting.ParseRetention(mode, until)
		if err != nil {
			return nil, false, err
		}
		if !at.After(c.now()) {
			return nil, false, pastDate
		}
		if err := c.demand("s3:PutObjectRetention"); err != nil {
			return nil, false, err
		}
		r = &index.Retention{Mode: string(m), Until: at}
	}
	if held != "" {
		if err := c.demand("s3:PutObjectLegalHold"); err != nil {
			return nil, false, err
		}
	}
	return r, held == "ON", nil
}

// retain locks an object that is made now as the bucket does, unless it is
// locked otherwise.
func (c *call) retain(o *index.Object) {
	if m, at, ok := c.settings.Lock.Retention(c.now()); ok && o.Retention == nil && c.b.Locked {
		o.Retention = &index.Retention{Mode: string(m), Until: at}
	}
}

// lockProven refuses bytes that come without a digest and are to be locked, as
// S3 does.
func lockProven(o *index.Object, d *digests) error {
	if (o.Retention != nil || o.Hold) && !d.proven() {
		return invalidRequest("Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")
	}
	return nil
}

// showLock writes the headers of how an object is locked, to who may know.
func (c *call) showLock(o *index.Object) {
	if o.Retention != nil && c.allowed("s3:GetObjectRetention") {
		c.set(lockMode, o.Retention.Mode)
		c.set(lockUntil, stamp(o.Retention.Until))
	}
	if c.b.Locked && (o.Hold || o.Retention != nil) && c.allowed("s3:GetObjectLegalHold") {
		c.set(lockHold, onOff(o.Hold))
	}
}

func onOff(on bool) string {
	if on {
		return "ON"
	}
	return "OFF"
}

// relock refuses to make a retention weaker than it may be made.
func relock(old, fresh *index.Retention, now time.Time, bypass bool) error {
	switch {
	case old == nil || !old.Until.After(now):
		return nil
	case fresh != nil && fresh.Mode == old.Mode && !fresh.Until.Before(old.Until):
		return nil
	case old.Mode == index.Governance && bypass:
		return nil
	}
	return index.Locked
}

// lockDocument reads a document that locks an object or lets it go. It must
// come with a digest, and the bucket must have object lock.
func lockDocument[T any, P setting.Document[T]](c *call) (*T, error) {
	if !c.b.Locked {
		return nil, notLocked
	}
	d, err := c.digests()
	if err != nil {
		return nil, err
	}
	if !d.proven() {
		return nil, invalidRequest("Missing required header for this request: Content-MD5")
	}
	doc, err := c.readBody(d)
	if err != nil {
		return nil, err
	}
	if err := d.prove(c.body); err != nil {
		return nil, err
	}
	if strings.TrimSpace(string(doc)) == "" {
		return nil, malformedXML
	}
	return setting.Parse[T, P](doc)
}
