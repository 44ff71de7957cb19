package action

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzDoor sends anything to a door: it answers in the form of the service,
// and never with trouble of our own.
func FuzzDoor(f *testing.F) {
	f.Add("Action=DescribeVolumes&Filter.1.Name=size&Filter.1.Value.1=1", "application/x-www-form-urlencoded", "", "")
	f.Add("", "", "", "Action=CreateVolume&AvailabilityZone=a&Version=2016-11-15")
	f.Add(`{"Name":"a"}`, "application/x-amz-json-1.1", "karri.CreateAccount", "")
	f.Add(`{"StartTime":1767312000}`, "application/x-amz-json-1.1", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails", "")
	f.Fuzz(func(t *testing.T, body, kind, target, query string) {
		d, _ := newDoor(t, io.Discard)
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header = http.Header{"Content-Type": {kind}, "X-Amz-Target": {target}, "Who": {"1"}}
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		out := w.Body.Bytes()
		if w.Code >= 500 && !bytes.Contains(out, []byte("InternalError")) || w.Code == 500 && !strings.Contains(body+query, "vol-4") && !strings.Contains(body+query, "%") {
			t.Errorf("%q %q %q %q: %d %s", body, kind, target, query, w.Code, out)
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/xml") {
			for dec := xml.NewDecoder(bytes.NewReader(out)); ; {
				if _, err := dec.Token(); err == io.EOF {
					return
				} else if err != nil {
					t.Fatalf("%s: %v", out, err)
				}
			}
		} else if !json.Valid(out) {
			t.Errorf("no JSON: %s", out)
		}
	})
}
