package s3

import (
	"net"

	"karri/walrus/index"
)

// event returns what is to be told of a change, nil when nobody listens.
func (c *call) event(name string) *index.Event {
	if name == "" || c.b == nil || c.b.Settings["notification"] == nil && c.b.Settings["replication"] == nil {
		return nil
	}
	source := c.r.RemoteAddr
	if host, _, err := net.SplitHostPort(source); err == nil {
		source = host
	}
	return &index.Event{Name: name, Time: c.now(), Account: c.who.Account, ARN: c.who.ARN, Source: source, RequestID: c.id}
}
