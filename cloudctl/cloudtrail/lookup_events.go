package cloudtrail

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"karri/cloudctl/ledger"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// LookupAttribute narrows a search.
type LookupAttribute struct {
	AttributeKey   string
	AttributeValue string
}

// LookupEventsInput says which events are wanted.
type LookupEventsInput struct {
	LookupAttributes []LookupAttribute // one at most
	StartTime        *time.Time
	EndTime          *time.Time
	MaxResults       *int
	NextToken        *string
}

// LookupEventsOutput lists events, the newest first.
type LookupEventsOutput struct {
	Events    []Event
	NextToken *string
}

// Event is something that was asked of the cloud by the account.
type Event struct {
	EventId         string
	EventName       string
	ReadOnly        string
	AccessKeyId     *string
	EventTime       time.Time
	EventSource     string
	Username        *string
	Resources       []Resource
	CloudTrailEvent string
}

// Resource is something that an event is about.
type Resource struct {
	ResourceType *string
	ResourceName string
}

var _ = action.Add(Catalog, action.Def[*API, LookupEventsInput, LookupEventsOutput]{
	Name:    "LookupEvents",
	Doc:     "Looks up what was asked of the cloud in the name of the account in the last 90 days.",
	Example: LookupEventsInput{LookupAttributes: []LookupAttribute{{AttributeKey: "EventName", AttributeValue: "RunInstances"}}},
	On:      action.Own[*API, LookupEventsInput],
	List:    &action.List{Default: 50},
	Run:     lookupEvents,
})

func lookupEvents(ctx context.Context, api *API, who action.Caller, in *LookupEventsInput) (*LookupEventsOutput, error) {
	s, err := in.search(who.Account)
	if err != nil {
		return nil, err
	}
	after, most := action.Span(ctx)
	s.Max = most
	if after != "" {
		if _, err := fmt.Sscanf(after, "%020d/%020d", &s.BeforeAt, &s.BeforeN); err != nil {
			return nil, fault.New(fault.Invalid, "InvalidNextTokenException", "The token is not one that this request was given.")
		}
		s.BeforeAt, s.BeforeN = math.MaxInt64-s.BeforeAt, math.MaxInt64-s.BeforeN
	}
	rows, err := api.Index.Find(ctx, s)
	if err != nil {
		return nil, err
	}
	page, next, err := action.Page(ctx, rows, func(r store.AuditLine) string {
		return fmt.Sprintf("%020d/%020d", math.MaxInt64-r.At, math.MaxInt64-r.N)
	})
	if err != nil {
		return nil, err
	}
	out := &LookupEventsOutput{NextToken: next}
	for _, r := range page {
		e, err := api.event(r)
		if err != nil {
			return nil, err
		}
		out.Events = append(out.Events, e)
	}
	return out, nil
}

// search is the question as the index takes it.
func (in *LookupEventsInput) search(account string) (s store.Search, err error) {
	s.Account = account
	if in.StartTime != nil {
		s.From = *in.StartTime
	}
	if in.EndTime != nil {
		s.To = *in.EndTime
	}
	if in.StartTime != nil && in.EndTime != nil && s.From.After(s.To) {
		return s, fault.New(fault.Invalid, "InvalidTimeRangeException", "Start time is after end time.")
	}
	if len(in.LookupAttributes) > 1 {
		return s, fault.New(fault.Invalid, "InvalidLookupAttributesException", "You can search by one attribute at a time.")
	}
	for _, a := range in.LookupAttributes {
		if a.AttributeValue == "" || len(a.AttributeValue) > 2000 {
			return s, fault.New(fault.Invalid, "InvalidLookupAttributesException", "The value of %s has 1 to 2000 characters.", a.AttributeKey)
		}
		switch a.AttributeKey {
		case "EventId":
			s.Event = a.AttributeValue
		case "EventName":
			s.Action = a.AttributeValue
		case "ReadOnly":
			reads := strings.EqualFold(a.AttributeValue, "true")
			if s.Reads = &reads; !reads && !strings.EqualFold(a.AttributeValue, "false") {
				return s, fault.New(fault.Invalid, "InvalidLookupAttributesException", "ReadOnly is true or false.")
			}
		case "Username":
			s.Name = a.AttributeValue
		case "ResourceType":
			s.Kind = a.AttributeValue
		case "ResourceName":
			s.Resource = a.AttributeValue
		case "EventSource":
			s.Source = a.AttributeValue
		case "AccessKeyId":
			s.Key = a.AttributeValue
		}
	}
	return s, nil
}

func (api *API) event(r store.AuditLine) (Event, error) {
	b, err := ledger.Record(r, api.Region)
	e := Event{EventId: r.Event, EventName: r.Action, ReadOnly: fmt.Sprint(r.Reads), AccessKeyId: optional(r.Key), EventTime: time.UnixMicro(r.At).UTC().Truncate(time.Second),
		EventSource: r.Source, Username: optional(r.Name), CloudTrailEvent: string(b)}
	for _, on := range r.Resources {
		e.Resources = append(e.Resources, Resource{ResourceType: optional(on.Kind), ResourceName: on.Name})
	}
	return e, err
}
