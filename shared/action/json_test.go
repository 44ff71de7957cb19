package action

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"karri/shared/awsmodel"
	"karri/shared/fault"
)

type describeTrailsInput struct {
	TrailNameList []string
}

type describeTrailsOutput struct {
	TrailList []toyTrail
}

type toyTrail struct {
	Name               string
	IsMultiRegionTrail *bool
}

type lookupInput struct {
	StartTime  *time.Time
	MaxResults *int
	NextToken  *string
}

type lookupOutput struct {
	Events    []toyEvent
	NextToken *string
}

type toyEvent struct {
	EventId   string
	EventTime time.Time
}

// trailCatalog is a service whose public protocol is JSON.
func trailCatalog() *Catalog[*toy] {
	c := NewCatalog[*toy]("cloudtrail", awsmodel.CloudTrail())
	c.Codes = map[string]string{"InvalidParameterValue": "InvalidParameterException"}
	Add(c, Def[*toy, describeTrailsInput, describeTrailsOutput]{
		Name: "DescribeTrails", Doc: "Lists trails.", List: &List{}, On: Own[*toy, describeTrailsInput],
		Run: func(_ context.Context, _ *toy, _ Caller, in *describeTrailsInput) (*describeTrailsOutput, error) {
			out := &describeTrailsOutput{}
			for _, n := range in.TrailNameList {
				if n == "gone" {
					return nil, fault.New(fault.Missing, "TrailNotFoundException", "Unknown trail: %s.", n)
				}
				out.TrailList = append(out.TrailList, toyTrail{Name: n})
			}
			return out, nil
		},
	})
	Add(c, Def[*toy, lookupInput, lookupOutput]{
		Name: "LookupEvents", Doc: "Looks up events.", List: &List{Default: 50}, On: Own[*toy, lookupInput],
		Run: func(_ context.Context, _ *toy, _ Caller, in *lookupInput) (*lookupOutput, error) {
			return &lookupOutput{Events: []toyEvent{{"e", *in.StartTime}}}, nil
		},
	})
	return c
}

func TestAServiceOfThePublicJSONProtocol(t *testing.T) {
	d, _ := newDoor(t, io.Discard)
	const public = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."
	for _, c := range []struct {
		who, target, body string
		status            int
		want              string
	}{
		{"1", public + "DescribeTrails", `{"trailNameList":["a"]}`, 200, `{"trailList":[{"Name":"a"}]}`},
		{"1", public + "DescribeTrails", `{"trailNameList":["gone"]}`, 400, `{"__type":"TrailNotFoundException","message":"Unknown trail: gone."}`},
		{"1", public + "DescribeTrails", `{"nobodyKnows":1}`, 200, `{"trailList":[]}`},
		{"1", public + "DescribeTrails", `{"includeShadowTrails":true}`, 400, `"UnsupportedOperationException"`},
		{"1", public + "LookupEvents", `{"StartTime":1767312000}`, 200, `"EventTime":1767312000}`},
		{"1", public + "LookupEvents", `{"StartTime":1767312000.25}`, 200, `"EventTime":1767312000.250}`},
		{"1", public + "LookupEvents", `{"StartTime":"x"}`, 400, `"InvalidParameterException"`},
		{"1", public + "LookupEvents", `{"MaxResults":51}`, 400, `"InvalidParameterException"`},
		{"1", public + "LookupEvents", `{"NextToken":"x"}`, 400, `"InvalidNextTokenException"`},
		{"1", public + "GetChannel", `{}`, 400, `"UnsupportedOperationException"`},
		{"1", public + "MakeCoffee", `{}`, 400, `"UnknownOperationException"`},
		{"1", "CloudTrail_20131101.DescribeTrails", `{"trailNameList":["a"]}`, 200, `{"trailList":[{"Name":"a"}]}`},
		{"1", public, `{}`, 400, `"UnknownOperationException"`},
		{"", public + "LookupEvents", `{}`, 400, `"AccessDeniedException"`},
		{"1", "cloudtrail.DescribeTrails", `{"TrailNameList":["a"]}`, 200, `{"TrailList":[{"Name":"a"}]}`},
		{"1", "cloudtrail.DescribeTrails", `{"trailNameList":["a"]}`, 400, `UnknownParameter`},
		{"1", ".DescribeTrails", `{}`, 400, `UnknownOperationException`},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
		r.Header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {c.target}, "Who": {c.who}}
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) || w.Header().Get("Content-Type") != "application/x-amz-json-1.1" {
			t.Errorf("%s %s: %d %s", c.target, c.body, w.Code, w.Body)
		}
	}
}

func TestAFormDoesNotReachAServiceOfJSON(t *testing.T) {
	d, _ := newDoor(t, io.Discard)
	if status, body := ask(t, d, "1", "Action=LookupEvents"); status != 400 || !strings.Contains(body, "InvalidAction") {
		t.Errorf("%d %s", status, body)
	}
}
