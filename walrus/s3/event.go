package s3

import (
	"net"

	"karri/walrus/event"
	"karri/walrus/index"
	"karri/walrus/replica"
)

// event returns what is to be told of a change, nil when nobody listens. Who
// is told is decided when the object is as it will be, with its tags.
func (c *call) event(name string) *index.Event {
	if name == "" || c.settings == nil || c.settings.Notification == nil && c.settings.Replication == nil {
		return nil
	}
	notification, replication := c.settings.Notification, c.settings.Replication
	return &index.Event{
		Name: name, Time: c.now(), Account: c.who.Account, ARN: c.who.ARN, Source: c.address(), RequestID: c.id,
		Address: func(o *index.Object) []index.Target {
			to := append(event.Targets(notification, name, o.Key), replica.Targets(replication, name, o)...)
			if len(to) > 0 {
				c.heard.Store(true)
			}
			return to
		},
	}
}

// address returns the caller's, without a port.
func (c *call) address() string {
	if host, _, err := net.SplitHostPort(c.r.RemoteAddr); err == nil {
		return host
	}
	return c.r.RemoteAddr
}

// showReplication writes the header that tells whether an object has been
// copied elsewhere, or is a copy.
func (c *call) showReplication(o *index.Object) {
	if s := replica.Status(o); s != "" {
		c.set("x-amz-replication-status", s)
	}
}
