package admin

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"karri/cloudctl/news"
	"karri/shared/action"
	"karri/shared/fault"
)

// News is what tells of changes.
type News struct {
	Ring  *news.Ring
	Hooks *news.Webhooks
}

// ReadEventsInput says where in the stream to read.
type ReadEventsInput struct {
	After       *string // Next of an earlier answer; the end of the stream when absent
	Subject     *string // pattern of subjects; all when absent
	WaitSeconds *int    // for an event, where there is none; 0 to 20
}

// ReadEventsOutput is a part of the stream.
type ReadEventsOutput struct {
	Events []Event
	Next   string
	Missed bool // events before these are gone: they are kept for a while only
}

// Event is an event of the cloud.
type Event struct {
	Id      string
	Subject string
	Source  string
	Time    time.Time
	Body    string // JSON
}

var _ = action.Add(Catalog, action.Def[*API, ReadEventsInput, ReadEventsOutput]{
	Name: "ReadEvents",
	Doc:  "Reads the stream of events, and waits for the next one where there is none.",
	On:   action.AdminOnly[*API, ReadEventsInput],
	Run:  readEvents,
})

func readEvents(ctx context.Context, api *API, _ action.Caller, in *ReadEventsInput) (*ReadEventsOutput, error) {
	since, pattern, wait := int64(-1), ">", 0
	if in.Subject != nil {
		pattern = *in.Subject
	}
	if in.WaitSeconds != nil {
		wait = *in.WaitSeconds
	}
	if wait < 0 || wait > 20 {
		return nil, fault.New(fault.Invalid, "InvalidParameterValue", "WaitSeconds is 0 to 20.")
	}
	if in.After != nil {
		boot, place, _ := strings.Cut(*in.After, "/")
		n, err := strconv.ParseInt(place, 10, 64)
		if err != nil || n < 0 {
			return nil, fault.New(fault.Invalid, "InvalidParameterValue", "After is not one that an earlier answer named.")
		}
		if since = n; boot != api.News.Ring.Boot {
			since = 0 // of an earlier process: all that there is, and what is missed is said
		}
	}
	v, err := api.News.Ring.After(ctx, since, pattern, 500, time.Duration(wait)*time.Second)
	if err != nil {
		return nil, err
	}
	out := &ReadEventsOutput{Next: fmt.Sprintf("%s/%d", api.News.Ring.Boot, v.Next), Missed: v.Missed}
	if in.After != nil && !strings.HasPrefix(*in.After, api.News.Ring.Boot+"/") {
		out.Missed = true
	}
	for _, e := range v.Events {
		out.Events = append(out.Events, Event{Id: e.ID, Subject: e.Subject, Source: e.Source, Time: e.Time, Body: string(e.Body)})
	}
	return out, nil
}
