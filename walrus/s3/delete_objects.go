package s3

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"sync"
	"unicode/utf8"

	"karri/shared/fault"
	"karri/shared/rest"
	"karri/walrus/index"
)

var _ = define(operation{Name: "DeleteObjects", Action: "s3:DeleteObject", PerKey: true, Method: http.MethodPost, On: onBucket, Sub: "delete", Run: (*call).deleteObjects})

type deleteXML struct {
	XMLName xml.Name `xml:"Delete"`
	Quiet   bool
	Objects []deleteKeyXML `xml:"Object"`
}

type deleteKeyXML struct {
	Key              string
	VersionID        string `xml:"VersionId"`
	ETag             string
	LastModifiedTime string
	Size             string
}

type deletedXML struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
	Marker    bool   `xml:"DeleteMarker,omitempty"`
	MarkerID  string `xml:"DeleteMarkerVersionId,omitempty"`
}

type deleteErrorXML struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
	Code      string
	Message   string
}

type deleteResultXML struct {
	XMLName xml.Name         `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deletedXML     `xml:"Deleted"`
	Errors  []deleteErrorXML `xml:"Error"`
}

const maxDelete = 1000

// deleteHands is how many objects are deleted at once, to share syncs.
const deleteHands = 32

func (c *call) deleteObjects() error {
	d, err := c.digests()
	if err != nil {
		return err
	}
	if !d.proven() {
		return invalidRequest("Missing required header for this request: Content-MD5")
	}
	var in deleteXML
	if err := c.readXML(&in, false); err != nil {
		return err
	}
	if len(in.Objects) == 0 || len(in.Objects) > maxDelete {
		return malformedXML
	}
	done := make([]index.Deleted, len(in.Objects))
	failures := make([]error, len(in.Objects))
	var all sync.WaitGroup
	slots := make(chan struct{}, deleteHands)
	for i, o := range in.Objects {
		when, err := c.mayDelete(o) // one after the other: it writes to the request's log
		if err != nil {
			failures[i] = err
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			done[i], failures[i] = c.remove(o.Key, o.VersionID, when)
		})
	}
	all.Wait()
	var out deleteResultXML
	for i, o := range in.Objects {
		if err := failures[i]; err != nil {
			f := fault.Of(err)
			if f.Kind == fault.Broken {
				rest.NoteError(c.ctx, fmt.Errorf("delete %q: %w", o.Key, err))
			}
			out.Errors = append(out.Errors, deleteErrorXML{o.Key, o.VersionID, f.Code, f.Text})
		} else if !in.Quiet {
			x := deletedXML{Key: o.Key, VersionID: o.VersionID, Marker: done[i].Marker}
			if x.Marker {
				x.MarkerID = done[i].Version
			}
			out.Deleted = append(out.Deleted, x)
		}
	}
	c.xml(http.StatusOK, out)
	return nil
}

// mayDelete decides on one key of the list, and returns what must be so when it
// is deleted.
func (c *call) mayDelete(o deleteKeyXML) (when index.Condition, err error) {
	switch {
	case o.Key == "":
		return when, fault.New(fault.Invalid, "UserKeyMustBeSpecified", "A key must be specified.")
	case len(o.Key) > maxKey || !utf8.ValidString(o.Key):
		return when, fault.New(fault.Invalid, "KeyTooLongError", "Your key is too long")
	case o.VersionID != "" && !index.ValidVersion(o.VersionID):
		return when, index.NoSuchVersion
	case o.LastModifiedTime != "" || o.Size != "":
		return when, notImplemented("Conditions on LastModifiedTime and Size are not implemented.")
	}
	if o.ETag != "" {
		when.IfMatch = unquote(o.ETag)
	}
	t := *c.target
	t.key, t.version, t.seen, t.marker, t.looked = o.Key, o.VersionID, nil, nil, false
	if err := c.permit(&t, actionOn(c.op.Action, t.version)); err != nil {
		return when, err
	}
	when.Bypass = c.bypass(&t)
	return when, nil
}
