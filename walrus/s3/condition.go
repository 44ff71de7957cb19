package s3

import (
	"net/http"
	"strings"
	"time"

	"karri/shared/fault"
	"karri/walrus/index"
)

// checkRead holds the conditions of a GET or HEAD, or with prefix
// "x-amz-copy-source-" those of a copy, against an object.
func checkRead(h http.Header, prefix string, o *index.Object) error {
	match, noneMatch := h.Get(prefix+"If-Match"), h.Get(prefix+"If-None-Match")
	since, sinceOK := parseTime(h.Get(prefix + "If-Modified-Since"))
	until, untilOK := parseTime(h.Get(prefix + "If-Unmodified-Since"))
	modified := o.Modified.Truncate(time.Second) // as Last-Modified shows it
	switch {
	case match != "" && !matches(match, o.ETag),
		match == "" && untilOK && modified.After(until):
		return precondition
	case noneMatch != "" && matches(noneMatch, o.ETag),
		noneMatch == "" && sinceOK && !modified.After(since):
		if prefix != "" {
			return precondition
		}
		return notModified
	}
	return nil
}

// parseTime reads a date of HTTP; one that is none is ignored, as HTTP says.
func parseTime(s string) (time.Time, bool) {
	t, err := http.ParseTime(s)
	return t, err == nil
}

// condition returns what must be so for a write, which event tells about.
func (c *call) condition(event string) (index.Condition, error) {
	when, err := writeCondition(c.r.Header)
	when.Now, when.Owner, when.Event = c.now(), c.who.Account, c.event(event)
	return when, err
}

// writeCondition reads the conditions of a write.
func writeCondition(h http.Header) (index.Condition, error) {
	var when index.Condition
	if v := h.Get("If-None-Match"); v != "" {
		if strings.TrimSpace(v) != "*" {
			return when, notImplemented("A header you provided implies functionality that is not implemented: If-None-Match: %s", v)
		}
		when.IfNoneMatch = true
	}
	if v := h.Get("If-Match"); v != "" {
		tags := etags(v)
		if len(tags) != 1 {
			return when, notImplemented("A header you provided implies functionality that is not implemented: If-Match: %s", v)
		}
		when.IfMatch = tags[0]
	}
	if when.IfNoneMatch && when.IfMatch != "" {
		return when, notImplemented("If-Match and If-None-Match together are not implemented.")
	}
	return when, nil
}

// foresee refuses a write whose condition does not hold now, before its body
// is read. The commit decides.
func (c *call) foresee(when index.Condition) error {
	if !when.IfNoneMatch && when.IfMatch == "" {
		return nil
	}
	o, err := c.Objects.Object(c.ctx, c.bucket, c.key, "")
	if err == nil && o.Marker {
		err = index.NoSuchKey
	}
	switch {
	case err != nil && fault.KindOf(err) != fault.Missing:
		return err
	case err == nil && (when.IfNoneMatch || when.IfMatch != "" && when.IfMatch != "*" && when.IfMatch != o.ETag):
		return precondition
	case err != nil && when.IfMatch != "":
		return err
	}
	return nil
}
