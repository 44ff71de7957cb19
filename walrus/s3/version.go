package s3

import (
	"net/http"
	"strings"

	"karri/walrus/access"
	"karri/walrus/index"
)

// readVersion reads which version is asked for.
func (c *call) readVersion(s selector) error {
	values := c.query["versionId"]
	switch {
	case len(values) == 0:
		return nil
	case s.on != onObject || len(values) > 1:
		return invalidArgument("Invalid version id specified")
	case values[0] == "":
		return invalidArgument("Version id cannot be the empty string")
	case !index.ValidVersion(values[0]):
		return invalidArgument("Invalid version id specified")
	}
	c.version = values[0]
	return nil
}

// showVersion writes the header that names a version of the bucket that the
// request is about. Where there never were versions it says nothing.
func (c *call) showVersion(version string) {
	if c.b != nil && c.b.Versioning != "" && version != "" {
		c.set("x-amz-version-id", version)
	}
}

// object returns the object, in the version that the request asks for.
func (c *call) object() (*index.Object, error) {
	t := c.target
	o := c.look(t)
	switch {
	case t.err != nil:
		return nil, t.err
	case t.marker != nil:
		return nil, c.marked(t.marker)
	case o == nil && c.version != "":
		return nil, index.NoSuchVersion
	case o == nil:
		return nil, index.NoSuchKey
	}
	return o, nil
}

// marked answers who asks for what is a delete marker: for the key, that it is
// not there; for the marker itself, that it can only be deleted.
func (c *call) marked(o *index.Object) error {
	if c.version == "" && !c.mayList(c.target) {
		return accessDenied
	}
	c.set("x-amz-delete-marker", "true")
	c.showVersion(o.Version)
	if c.version == "" {
		return index.NoSuchKey
	}
	c.set("Allow", http.MethodDelete)
	c.w.Header().Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	return methodNotAllowed
}

// change updates what is told of the object, in the version that the request
// asks for.
func (c *call) change(event string, edit func(*index.Object) error) (*index.Object, error) {
	o, err := c.Objects.Update(c.ctx, c.bucket, c.key, c.version, func(o *index.Object) error {
		if o.Marker {
			return c.marked(o)
		}
		return edit(o)
	}, index.Condition{Now: c.now(), Event: c.event(event)})
	if err == nil {
		c.showVersion(o.Version)
	}
	return o, err
}

// bypass reports whether the caller asks to end what governance retains, of a
// target, and may.
func (c *call) bypass(t *target) bool {
	return strings.EqualFold(c.r.Header.Get("X-Amz-Bypass-Governance-Retention"), "true") &&
		access.Decide(c.ask(t, "s3:BypassGovernanceRetention")).Allowed
}
